// SPDX-License-Identifier: MIT
#include "daemon/store/opening.hpp"

#include <sys/stat.h>

#include <filesystem>

#include "daemon/store/schema.hpp"
#include "fault_vfs.hpp"
#include "store_load.hpp"
#include "support/catch.hpp"

using namespace corund::store;
using namespace tests;

namespace {

// A store with some jobs, some of them in the WAL only, as a kill leaves it.
void make_store(const StoreDirectory& directory) {
  FaultVfs vfs;  // which syncs nothing: faster
  Told told;
  run_store(directory.options(vfs.name()), true,
            [&](Store& store) { return load(store, told, 60, true, [] { return true; }); });
  run_store(directory.options(vfs.name()), false,
            [&](Store& store) { return load(store, told, 3, true, [] { return true; }); });
  REQUIRE(bytes_of(directory.database() + "-wal").size() > 4096);
}

void change_wal_user_version(const StoreDirectory& directory, int version) {
  Database database(directory.database(), false, {});
  database.fold_on_close(false);
  database.exec(("PRAGMA user_version = " + std::to_string(version)).c_str());
}

// Opens, expects this trouble at the opening or in recover(), and that no byte changed; then begins anew.
void check_left_alone(const StoreDirectory& directory, Trouble trouble, const std::string& words) {
  const std::string database = bytes_of(directory.database()), wal = bytes_of(directory.database() + "-wal");
  std::optional<StoreError> error;
  try {
    Store store(directory.options());
    Recovery into;
    into.attempt = [](const AttemptRow&) {};
    into.outcome = [](const OutcomeRow&) {};
    store.recover(into);
  } catch (const StoreError& thrown) {
    error = thrown;
  }
  REQUIRE(error);
  INFO(error->what());
  CHECK(error->trouble() == trouble);
  CHECK(std::string(error->what()).find(words) != std::string::npos);
  CHECK(std::string(error->what()).find("--new-store") != std::string::npos);
  CHECK(bytes_of(directory.database()) == database);
  CHECK(bytes_of(directory.database() + "-wal") == wal);

  StoreOptions options = directory.options();
  options.begin_anew = true;
  std::string aside;
  {
    Store store(options);
    aside = store.set_aside();
    CHECK(store.next_seq() == 1);
  }
  REQUIRE(aside.find(directory.database() + ".set-aside-20") == 0);
  CHECK(bytes_of(aside) == database);
  CHECK(bytes_of(aside + "-wal") == wal);
  CHECK(kept_in(directory).failure == "");
}

std::string patched(std::string bytes, std::size_t at, const std::string& with) {
  return bytes.replace(at, with.size(), with);
}

}  // namespace

TEST_CASE("an absent file and an empty one are new stores", "[store]") {
  const StoreDirectory directory;
  CHECK(kept_in(directory).failure == "");
  struct stat status {};
  REQUIRE(::stat(directory.database().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  directory.clear();
  write_bytes(directory.database(), "");
  CHECK(kept_in(directory).failure == "");
}

TEST_CASE("a sound store is not set aside", "[store]") {
  const StoreDirectory directory;
  make_store(directory);
  StoreOptions options = directory.options();
  options.begin_anew = true;
  Store store(options);
  CHECK(store.set_aside() == "");
  CHECK(store.next_seq() > 100);
}

TEST_CASE("a file that is no database is left alone", "[store]") {
  const StoreDirectory directory;
  write_bytes(directory.database(), "my diary\n");
  check_left_alone(directory, Trouble::foreign, "is not an SQLite database");
}

TEST_CASE("a database of something else is left alone", "[store]") {
  const StoreDirectory directory;
  { Database(directory.database(), true, {}).exec("CREATE TABLE diary (day TEXT)"); }
  check_left_alone(directory, Trouble::foreign, "not one of corund's");
}

TEST_CASE("a database with our id and other tables is left alone", "[store]") {
  const StoreDirectory directory;
  {
    Database database(directory.database(), true, {});
    database.exec(("PRAGMA application_id = " + std::to_string(application_id)).c_str());
    database.exec("PRAGMA user_version = 1");
    database.exec("CREATE TABLE diary (day TEXT)");
  }
  check_left_alone(directory, Trouble::foreign, "tables are not corund's");
}

TEST_CASE("a newer store is left alone", "[store]") {
  const StoreDirectory directory;
  make_store(directory);
  const std::string database = bytes_of(directory.database());
  write_bytes(directory.database(), patched(database, 60, std::string("\0\0\0\7", 4)));
  std::filesystem::remove(directory.database() + "-wal");
  check_left_alone(directory, Trouble::newer, "version 7");
}

TEST_CASE("a store that only its WAL makes newer is left alone", "[store]") {
  const StoreDirectory directory;
  make_store(directory);
  change_wal_user_version(directory, 2);
  check_left_alone(directory, Trouble::newer, "version 2");
}

TEST_CASE("a WAL without its database is left alone", "[store]") {
  const StoreDirectory directory;
  make_store(directory);
  std::filesystem::remove(directory.database());
  const std::string wal = bytes_of(directory.database() + "-wal");
  CHECK(kept_in(directory).failure.find("its WAL") != std::string::npos);
  CHECK(bytes_of(directory.database() + "-wal") == wal);
  write_bytes(directory.database(), "");
  check_left_alone(directory, Trouble::damaged, "its WAL");
}

TEST_CASE("a store with a page overwritten is left alone", "[store]") {
  const StoreDirectory directory;
  make_store(directory);
  const std::string database = bytes_of(directory.database());
  int found = 0;
  for (std::size_t page = 1; page * 4096 < database.size(); ++page) {
    const StoreDirectory other;
    write_bytes(other.database(), patched(database, page * 4096, std::string(4096, '\xa5')));
    if (kept_in(other).failure.empty())
      continue;  // a page that the daemon does not read: the root of an empty table is one that it does
    ++found;
    check_left_alone(other, Trouble::damaged, "");
  }
  CHECK(found >= 3);
}

TEST_CASE("a store that was cut short is left alone", "[store]") {
  const StoreDirectory directory;
  make_store(directory);
  const std::string database = bytes_of(directory.database());
  std::filesystem::remove(directory.database() + "-wal");
  for (const std::size_t size :
       {std::size_t{50}, std::size_t{100}, std::size_t{4096}, std::size_t{10'000}, database.size() - 4096}) {
    const StoreDirectory other;
    write_bytes(other.database(), database.substr(0, size));
    INFO("cut to " << size);
    check_left_alone(other, Trouble::damaged, "");
  }
}

TEST_CASE("a directory that cannot be used is an I/O error, and nothing is set aside", "[store]") {
  StoreOptions options;
  options.directory = "/nonexistent/corund";
  options.begin_anew = true;
  try {
    Store store(options);
    FAIL("it opened");
  } catch (const StoreError& error) {
    CHECK(error.trouble() == Trouble::io);
    CHECK(std::string(error.what()).find("/nonexistent/corund") != std::string::npos);
  }
}

TEST_CASE("the making of a store may be cut short at any step", "[store]") {
  for (int nth = 1;; ++nth) {
    for (const Unsynced unsynced : {Unsynced::none, Unsynced::all, Unsynced::random}) {
      const StoreDirectory directory;
      FaultVfs vfs;
      vfs.cut_power_at(nth);
      try {
        Store store(directory.options(vfs.name()));
      } catch (const StoreError&) {
      }
      if (vfs.has_power()) return;
      vfs.restore(unsynced, static_cast<std::uint32_t>(nth));
      INFO("cut at " << nth << ", " << static_cast<int>(unsynced));
      CHECK(kept_in(directory).failure == "");
    }
  }
}

TEST_CASE("a name that is taken gets a number", "[store]") {
  const StoreDirectory directory;
  const std::string path = directory.database();
  write_bytes(path, "one");
  const std::string first = set_aside(path);
  write_bytes(path, "two");
  const std::string second = set_aside(path);
  CHECK(first != second);
  CHECK(bytes_of(first) == "one");
  CHECK(bytes_of(second) == "two");
}
