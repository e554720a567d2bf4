// SPDX-License-Identifier: MIT
// SQLite changes files by opening them: it rolls back a journal, folds a WAL, and deletes the WAL of an empty
// file. So the first look is at the bytes of the header, and only a file that says it is ours is given to
// SQLite. This works because a new database gets its application_id in the transaction that makes its tables,
// in rollback mode, and is switched to the WAL afterwards: a file that is not empty and has no journal beside
// it says whose it is.
#include "daemon/store/opening.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <corun/base/unique_fd.hpp>
#include <ctime>
#include <system_error>

#include "daemon/store/schema.hpp"
#include "daemon/store/tables.hpp"

namespace corund::store {
namespace {

constexpr std::size_t header_bytes = 100;
constexpr std::string_view magic("SQLite format 3\0", 16);
constexpr std::string_view journal_magic("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
constexpr std::size_t user_version_at = 60,
                      application_id_at = 68;  // https://sqlite.org/fileformat2.html, big-endian
constexpr std::size_t journal_pages_at = 16;   // pages of the database before the transaction

[[noreturn]] void fail_system(const char* doing, const std::string& path, int error) {
  throw StoreError(
      error == ENOSPC || error == EDQUOT ? Trouble::full : Trouble::io,
      std::string("cannot ") + doing + " " + path + ": " + std::generic_category().message(error), error);
}

// The first bytes of a file; fewer where it is shorter.
struct Head {
  bool exists = false;
  std::uint64_t size = 0;
  std::string bytes;

  std::uint32_t number_at(std::size_t offset) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes.at(offset + i));
    return value;
  }
};

Head head_of(const std::string& path) {
  Head head;
  corun::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) {
    if (errno == ENOENT) return head;
    fail_system("open", path, errno);
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_system("read", path, errno);
  if (!S_ISREG(status.st_mode)) throw StoreError(Trouble::foreign, path + " is not a file");
  head.exists = true;
  head.size = static_cast<std::uint64_t>(status.st_size);
  std::array<char, header_bytes> bytes{};
  const ssize_t size = ::pread(file.get(), bytes.data(), bytes.size(), 0);
  if (size < 0) fail_system("read", path, errno);
  head.bytes.assign(bytes.data(), static_cast<std::size_t>(size));
  return head;
}

// Whether a journal stands beside the file of a transaction that began with an empty database: the making of
// a store was cut short, and rolling it back loses nothing.
bool making_was_cut_short(const std::string& path) {
  const Head journal = head_of(path + "-journal");
  return journal.bytes.size() >= journal_pages_at + 4 &&
         journal.bytes.compare(0, journal_magic.size(), journal_magic) == 0 &&
         journal.number_at(journal_pages_at) == 0;
}

enum class Found { nothing, ours };

// Errors: StoreError foreign, damaged, newer, io.
Found look_at(const std::string& path) {
  const Head head = head_of(path);
  if (head.size == 0) {
    if (head_of(path + "-wal").size > 0)
      throw StoreError(Trouble::damaged, path + (head.exists ? " is empty" : " is not there") +
                                             ", but its WAL " + path + "-wal is");
    return Found::nothing;
  }
  if (making_was_cut_short(path)) return Found::nothing;
  if (head.bytes.compare(0, magic.size(), magic) != 0)
    throw StoreError(Trouble::foreign, path + " is not an SQLite database");
  if (head.bytes.size() < header_bytes)
    throw StoreError(Trouble::damaged, path + " is cut off in its header");
  if (head.number_at(application_id_at) != static_cast<std::uint32_t>(application_id))
    throw StoreError(Trouble::foreign, path + " is an SQLite database, but not one of corund's");
  if (head.number_at(user_version_at) > static_cast<std::uint32_t>(schema_version))
    throw StoreError(Trouble::newer, path + " was written by a later corund (version " +
                                         std::to_string(head.number_at(user_version_at)) +
                                         " of the tables; this one knows " + std::to_string(schema_version) +
                                         ")");
  return Found::ours;
}

// For its owner only: arguments of jobs may be secrets. SQLite gives the WAL the same mode.
void make_file(const std::string& path) {
  corun::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) fail_system("make", path, errno);
}

// How the connection works; nothing of it is kept in the file but the WAL mode.
void configure(Database& database) {
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec("PRAGMA secure_delete = OFF");  // some builds zero what is deleted, which doubles the pages
                                                // that retention writes
  database.exec("PRAGMA temp_store = MEMORY");
  database.exec("PRAGMA cache_size = -16384");  // KiB
}

// SQLite's own view, with the WAL read: the versions may have moved on in it.
void check_ours(Database& database, const std::string& path, bool all_of_it) {
  if (database.number("PRAGMA application_id") != application_id)
    throw StoreError(Trouble::foreign, path + " is an SQLite database, but not one of corund's");
  const std::int64_t version = database.number("PRAGMA user_version");
  if (version > schema_version)
    throw StoreError(Trouble::newer, path + " was written by a later corund (version " +
                                         std::to_string(version) + " of the tables; this one knows " +
                                         std::to_string(schema_version) + ")");
  if (version < 1) throw StoreError(Trouble::damaged, path + " has no version of its tables");
  if (all_of_it)
    if (const std::string verdict = database.text("PRAGMA quick_check(1)"); verdict != "ok")
      throw StoreError(Trouble::damaged, path + " is damaged: " + verdict);
  migrate(database, static_cast<int>(version), schema_version, migrations());
  Tables tables(database);
}

Database open_as_it_is(const OpeningOptions& options) {
  const bool in_memory = options.path == ":memory:";
  const Found found = in_memory ? Found::nothing : look_at(options.path);
  if (found == Found::nothing && !in_memory) make_file(options.path);
  Database database(options.path, in_memory, options.vfs);
  database.fold_on_close(false);
  // A making that was cut short is rolled back by the first read.
  if (found == Found::nothing && database.number("SELECT count(*) FROM sqlite_schema") == 0)
    create_schema(database);
  else
    check_ours(database, options.path, options.begin_anew);
  configure(database);
  return database;
}

bool stands_in_the_way(Trouble trouble) {
  return trouble == Trouble::damaged || trouble == Trouble::newer || trouble == Trouble::foreign;
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

void sync_directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  corun::UniqueFd file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0) fail_system("sync", directory, errno);
}

}  // namespace

StoreError advised(const StoreError& error) {
  if (!stands_in_the_way(error.trouble())) return error;
  return {error.trouble(), std::string(error.what()) +
                               "; nothing was changed. corund --new-store sets it aside, under another name, "
                               "and begins an empty one"};
}

std::string set_aside(const std::string& path) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char time[32];
  std::strftime(time, sizeof time, "%Y%m%dT%H%M%SZ", &parts);
  const std::string stem = path + ".set-aside-" + time;
  std::string name = stem;
  for (int i = 2; exists(name) || exists(name + "-wal"); ++i) name = stem + "-" + std::to_string(i);
  // The database before its WAL: cut off in between, a WAL alone is left, which is refused as damaged. The
  // other way round a database without its latest transactions would be left, which looks sound.
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    const std::string from = path + suffix;
    if (::rename(from.c_str(), (name + suffix).c_str()) != 0 && errno != ENOENT)
      fail_system("rename", from, errno);
  }
  sync_directory_of(path);
  return name;
}

Opened open_database(const OpeningOptions& options) {
  try {
    return {open_as_it_is(options), {}};
  } catch (const StoreError& error) {
    if (!stands_in_the_way(error.trouble())) throw;
    if (!options.begin_anew) throw advised(error);
  }
  std::string name = set_aside(options.path);
  return {open_as_it_is(options), std::move(name)};
}

}  // namespace corund::store
