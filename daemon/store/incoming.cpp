// SPDX-License-Identifier: MIT
#include "daemon/store/incoming.hpp"

#include <sqlite3.h>

#include <new>

namespace corund::store {
namespace {

using Changes = std::span<const Change>;

// Bases as SQLite wants them; their members are its own.
struct Source : sqlite3_vtab {
  const Changes* changes = nullptr;
};

struct Cursor : sqlite3_vtab_cursor {
  Changes left;  // begins with a submission, or is empty
  std::int64_t row = 0;

  void skip_others() {
    while (!left.empty() && !std::holds_alternative<JobRow>(left.front())) left = left.subspan(1);
  }
};

// The order is that of the declaration below.
enum class Column { seq, id, kind, context, group, priority, owner_uid, submitted_us, eligible_us, started_us, options, args };
constexpr const char* declaration =
    "CREATE TABLE incoming (seq INTEGER, id TEXT, kind TEXT, context TEXT, \"group\" TEXT, priority INTEGER, owner_uid INTEGER,"
    " submitted_us INTEGER, eligible_us INTEGER, started_us INTEGER, options TEXT, args TEXT)";

void give(sqlite3_context* to, std::int64_t value) { sqlite3_result_int64(to, value); }

void give(sqlite3_context* to, std::string_view text) {
  const char* bytes = text.empty() ? "" : text.data();  // a null pointer would be NULL
  sqlite3_result_text64(to, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

// What is given nothing is NULL.
void give_column(sqlite3_context* to, const JobRow& row, Column column) {
  switch (column) {
    case Column::seq: return give(to, row.seq);
    case Column::id: return give(to, row.id);
    case Column::kind: return give(to, row.kind);
    case Column::context: return give(to, row.context);
    case Column::group: return give(to, row.group);
    case Column::priority: return give(to, row.priority);
    case Column::owner_uid: return give(to, row.owner_uid);
    case Column::submitted_us: return give(to, row.submitted_us);
    case Column::eligible_us: return give(to, row.eligible_us);
    case Column::started_us:
      if (row.started_us) give(to, *row.started_us);
      return;
    case Column::options:
      if (!row.options.empty()) give(to, row.options);
      return;
    case Column::args: return give(to, row.args);
  }
}

int connect(sqlite3* database, void* changes, int, const char* const*, sqlite3_vtab** made, char**) {
  if (const int code = sqlite3_declare_vtab(database, declaration); code != SQLITE_OK) return code;
  auto* source = new (std::nothrow) Source();
  if (source == nullptr) return SQLITE_NOMEM;
  source->changes = static_cast<std::shared_ptr<Changes>*>(changes)->get();
  *made = source;
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* source) {
  delete static_cast<Source*>(source);
  return SQLITE_OK;
}

// There is one way to read it: all of it, in its order.
int best_index(sqlite3_vtab*, sqlite3_index_info*) { return SQLITE_OK; }

int open(sqlite3_vtab*, sqlite3_vtab_cursor** made) {
  *made = new (std::nothrow) Cursor();
  return *made != nullptr ? SQLITE_OK : SQLITE_NOMEM;
}

int close(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* at, int, const char*, int, sqlite3_value**) {
  auto& cursor = static_cast<Cursor&>(*at);
  cursor.left = *static_cast<const Source*>(cursor.pVtab)->changes;
  cursor.row = 0;
  cursor.skip_others();
  return SQLITE_OK;
}

int next(sqlite3_vtab_cursor* at) {
  auto& cursor = static_cast<Cursor&>(*at);
  cursor.left = cursor.left.subspan(1);
  ++cursor.row;
  cursor.skip_others();
  return SQLITE_OK;
}

int at_end(sqlite3_vtab_cursor* at) { return static_cast<Cursor&>(*at).left.empty(); }

int column(sqlite3_vtab_cursor* at, sqlite3_context* to, int number) {
  give_column(to, std::get<JobRow>(static_cast<Cursor&>(*at).left.front()), static_cast<Column>(number));
  return SQLITE_OK;
}

int rowid(sqlite3_vtab_cursor* at, sqlite3_int64* to) {
  *to = static_cast<Cursor&>(*at).row;
  return SQLITE_OK;
}

// Without xCreate: a table that is there without being made, and is in no file.
constexpr sqlite3_module module = [] {
  sqlite3_module made{};
  made.xConnect = connect;
  made.xBestIndex = best_index;
  made.xDisconnect = disconnect;
  made.xOpen = open;
  made.xClose = close;
  made.xFilter = filter;
  made.xNext = next;
  made.xEof = at_end;
  made.xColumn = column;
  made.xRowid = rowid;
  return made;
}();

}  // namespace

Incoming::Incoming(Database& database) : changes_(std::make_shared<Changes>()) {
  const auto forget = [](void* shared) { delete static_cast<std::shared_ptr<Changes>*>(shared); };
  const int code = sqlite3_create_module_v2(database.handle(), table, &module, new std::shared_ptr<Changes>(changes_), forget);
  if (code != SQLITE_OK) database.fail(code, "cannot use");  // it has been forgotten already
}

}  // namespace corund::store
