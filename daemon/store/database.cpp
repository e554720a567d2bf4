// SPDX-License-Identifier: MIT
#include "daemon/store/database.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

namespace corund::store {
namespace {

// How long a statement waits for another process that writes (a person with sqlite3) before it fails.
constexpr int busy_timeout_ms = 2000;

std::string describe(sqlite3* handle, int code, const std::string& path, const char* doing) {
  std::string text = std::string(doing) + " " + path + ": ";
  const int code_of_handle = handle != nullptr ? sqlite3_extended_errcode(handle) : SQLITE_OK;
  text += code_of_handle == code ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  const int system = handle != nullptr ? sqlite3_system_errno(handle) : 0;
  if (system != 0) text += " (" + std::generic_category().message(system) + ")";
  return text;
}

// SQLite counts its memory, under a lock, for a figure that nobody here asks for. No matter where somebody else has begun to use it before.
void count_no_memory() {
  static const int once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)once;
}

}  // namespace

Trouble trouble_of(int sqlite_code, int system_errno) noexcept {
  switch (sqlite_code & 0xff) {
    case SQLITE_FULL:
      return Trouble::full;
    case SQLITE_CORRUPT:
      return Trouble::damaged;
    case SQLITE_NOTADB:
      return Trouble::foreign;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return system_errno == ENOSPC || system_errno == EDQUOT ? Trouble::full : Trouble::io;
    default:
      return Trouble::io;
  }
}

struct Database::WalWatch {
  int frames = 0;
  static int committed(void* self, sqlite3*, const char*, int frames) {
    static_cast<WalWatch*>(self)->frames = frames;
    return SQLITE_OK;
  }
};

Database::Database(const std::string& path, bool create, const std::string& vfs) : path_(path) {
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (create ? SQLITE_OPEN_CREATE : 0);
  count_no_memory();
  const int code = sqlite3_open_v2(path.c_str(), &handle_, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) {
    const StoreError error(trouble_of(code, handle_ != nullptr ? sqlite3_system_errno(handle_) : 0),
                           describe(handle_, code, path_, "cannot open"));
    sqlite3_close(handle_);
    handle_ = nullptr;
    throw error;
  }
  sqlite3_busy_timeout(handle_, busy_timeout_ms);
}

Database::~Database() {
  sqlite3_close(handle_);
  delete wal_;
}

Database::Database(Database&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      path_(std::move(other.path_)),
      wal_(std::exchange(other.wal_, nullptr)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(path_, other.path_);
  std::swap(wal_, other.wal_);
  return *this;
}

void Database::fail(int code, const char* doing) {
  throw StoreError(trouble_of(code, sqlite3_system_errno(handle_)), describe(handle_, code, path_, doing));
}

void Database::exec(const char* sql) {
  if (const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); code != SQLITE_OK)
    fail(code, "cannot use");
}

std::int64_t Database::number(const char* sql) {
  Statement statement(*this, sql);
  if (!statement.next()) fail(SQLITE_DONE, "cannot read");
  return statement.number(0);
}

std::string Database::text(const char* sql) {
  Statement statement(*this, sql);
  if (!statement.next()) fail(SQLITE_DONE, "cannot read");
  return std::string(statement.text(0));
}

std::int64_t Database::changes() const noexcept { return sqlite3_changes(handle_); }

bool Database::in_transaction() const noexcept { return sqlite3_get_autocommit(handle_) == 0; }

void Database::rollback() noexcept {
  if (in_transaction()) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Database::fold_on_close(bool fold) {
  if (const int code = sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, fold ? 0 : 1, nullptr);
      code != SQLITE_OK)
    fail(code, "cannot use");
}

void Database::watch_wal() {
  if (wal_ == nullptr) wal_ = new WalWatch;
  sqlite3_wal_hook(handle_, &WalWatch::committed, wal_);  // takes the place of SQLite's automatic checkpoint
}

int Database::wal_frames() const noexcept { return wal_ != nullptr ? wal_->frames : 0; }

Database::Checkpoint Database::checkpoint() {
  Checkpoint done;
  const int code =
      sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &done.frames, &done.folded);
  if (code != SQLITE_OK && code != SQLITE_BUSY) fail(code, "cannot fold the WAL into");
  return done;
}

// The bytes are written as SQLite itself would write them, through its file object, and while this connection
// has the WAL's write lock: nobody else appends at the same time. Zeros are no frame, so neither readers nor
// a recovery take them for one.
void Database::extend_wal(std::int64_t bytes) {
  if (sqlite3_exec(handle_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK) return;
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
  if (file != nullptr && file->pMethods != nullptr) {
    sqlite3_int64 size = 0;
    int code = file->pMethods->xFileSize(file, &size);
    const std::vector<char> zeros(64 * 1024);  // SQLite's unix VFS cannot write 128 KiB or more at once
    while (code == SQLITE_OK && size < bytes) {
      const auto count = std::min<sqlite3_int64>(bytes - size, static_cast<sqlite3_int64>(zeros.size()));
      code = file->pMethods->xWrite(file, zeros.data(), static_cast<int>(count), size);
      size += count;
    }
    if (code == SQLITE_OK) file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
  }
  rollback();
}

Statement::Statement(Database& database, const char* sql) : database_(database) {
  const int code =
      sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (code == SQLITE_OK) return;
  if (code == SQLITE_ERROR)  // "no such table", "no such column": sound, and not ours
    throw StoreError(Trouble::foreign,
                     std::string("its tables are not corund's: ") + sqlite3_errmsg(database.handle()));
  database.fail(code, "cannot use");
}

Statement::~Statement() { sqlite3_finalize(handle_); }

void Statement::check(int code) {
  if (code == SQLITE_OK) return;
  sqlite3_reset(handle_);
  database_.fail(code, "cannot use");
}

Statement& Statement::number(int parameter, std::int64_t value) {
  check(sqlite3_bind_int64(handle_, parameter, value));
  return *this;
}

Statement& Statement::number(int parameter, const std::optional<std::int64_t>& value) {
  check(value ? sqlite3_bind_int64(handle_, parameter, *value) : sqlite3_bind_null(handle_, parameter));
  return *this;
}

Statement& Statement::text(int parameter, std::string_view value) {
  const char* bytes = value.empty() ? "" : value.data();  // a null pointer would bind NULL
  check(sqlite3_bind_text64(handle_, parameter, bytes, value.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::text_or_null(int parameter, std::string_view value) {
  if (!value.empty()) return text(parameter, value);
  check(sqlite3_bind_null(handle_, parameter));
  return *this;
}

Statement& Statement::blob_or_null(int parameter, std::string_view value) {
  check(value.empty() ? sqlite3_bind_null(handle_, parameter)
                      : sqlite3_bind_blob64(handle_, parameter, value.data(), value.size(), SQLITE_STATIC));
  return *this;
}

void Statement::run() {
  while (next()) {
  }
}

bool Statement::next() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    // The text of the error is the connection's; a reset would keep it, another statement would not.
    sqlite3_reset(handle_);
    database_.fail(code, "cannot use");
  }
  sqlite3_reset(handle_);
  return false;
}

void Statement::reset() noexcept { sqlite3_reset(handle_); }

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(handle_, column); }

std::optional<std::int64_t> Statement::number_or_none(int column) const {
  if (sqlite3_column_type(handle_, column) == SQLITE_NULL) return std::nullopt;
  return sqlite3_column_int64(handle_, column);
}

// column_blob, not column_text: the latter appends a NUL, which copies the value. A database in UTF-8 gives
// the same bytes.
std::string_view Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

}  // namespace corund::store
