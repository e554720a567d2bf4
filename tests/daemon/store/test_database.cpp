// SPDX-License-Identifier: MIT
#include "daemon/store/database.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <filesystem>

#include "store_load.hpp"
#include "support/catch.hpp"

using namespace corund::store;
using namespace tests;

namespace {

template <class F>
std::optional<StoreError> error_of(F f) {
  try {
    f();
  } catch (const StoreError& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("result codes are told apart by what can be done", "[store]") {
  CHECK(trouble_of(SQLITE_FULL, 0) == Trouble::full);
  CHECK(trouble_of(SQLITE_IOERR_WRITE, EDQUOT) == Trouble::full);
  CHECK(trouble_of(SQLITE_IOERR_FSYNC, ENOSPC) == Trouble::full);
  CHECK(trouble_of(SQLITE_IOERR_FSYNC, EIO) == Trouble::io);
  CHECK(trouble_of(SQLITE_CANTOPEN, EMFILE) == Trouble::io);
  CHECK(trouble_of(SQLITE_CORRUPT_VTAB, 0) == Trouble::damaged);
  CHECK(trouble_of(SQLITE_NOTADB, 0) == Trouble::foreign);
  CHECK(trouble_of(SQLITE_BUSY, 0) == Trouble::io);
}

TEST_CASE("values go in and come out as they are", "[store]") {
  Database database(":memory:", true, {});
  database.exec("CREATE TABLE t (a INTEGER, b TEXT, c BLOB, d TEXT) STRICT");
  Statement insert(database, "INSERT INTO t VALUES (?,?,?,?)");
  const std::string bytes("\0\xff z", 4);
  insert.number(1, 1).text(2, "").blob_or_null(3, bytes).text_or_null(4, "").run();
  insert.number(1, std::optional<std::int64_t>())
      .text(2, "zwei")
      .blob_or_null(3, {})
      .text_or_null(4, "vier")
      .run();
  Statement select(database, "SELECT a, b, c, d, d IS NULL FROM t ORDER BY rowid");
  REQUIRE(select.next());
  CHECK(select.number(0) == 1);
  CHECK(select.text(1) == "");
  CHECK(select.text(2) == bytes);
  CHECK(select.number(4) == 1);
  REQUIRE(select.next());
  CHECK_FALSE(select.number_or_none(0));
  CHECK(select.text(1) == "zwei");
  CHECK(select.text(2) == "");
  CHECK(select.text(3) == "vier");
  CHECK_FALSE(select.next());
  CHECK(database.number("SELECT count(*) FROM t") == 2);
  CHECK(database.text("SELECT b FROM t WHERE a IS NULL") == "zwei");
}

TEST_CASE("an error says what SQLite says, and names the file", "[store]") {
  const StoreDirectory directory;
  const auto absent = error_of([&] { Database(directory.database(), false, {}); });
  REQUIRE(absent);
  CHECK(absent->trouble() == Trouble::io);
  CHECK(std::string(absent->what()) ==
        "cannot open " + directory.database() + ": unable to open database file (No such file or directory)");

  Database database(directory.database(), true, {});
  database.exec("CREATE TABLE t (a INTEGER PRIMARY KEY)");
  const auto twice = error_of([&] { database.exec("INSERT INTO t VALUES (1), (1)"); });
  REQUIRE(twice);
  CHECK(std::string(twice->what()).find("UNIQUE constraint failed: t.a") != std::string::npos);
  const auto other = error_of([&] { Statement(database, "SELECT b FROM t"); });
  REQUIRE(other);
  CHECK(other->trouble() == Trouble::foreign);
  CHECK(std::string(other->what()).find("no such column: b") != std::string::npos);
  CHECK(error_of([&] { database.number("SELECT a FROM t"); }));
}

TEST_CASE("a statement that failed is ready for the next values", "[store]") {
  Database database(":memory:", true, {});
  database.exec("CREATE TABLE t (a INTEGER PRIMARY KEY)");
  Statement insert(database, "INSERT INTO t VALUES (?)");
  insert.number(1, 1).run();
  CHECK(error_of([&] { insert.number(1, 1).run(); }));
  insert.number(1, 2).run();
  CHECK(database.number("SELECT count(*) FROM t") == 2);
}

TEST_CASE("a rollback leaves nothing, and is nothing where there is no transaction", "[store]") {
  Database database(":memory:", true, {});
  database.exec("CREATE TABLE t (a INTEGER)");
  database.exec("BEGIN; INSERT INTO t VALUES (1)");
  CHECK(database.in_transaction());
  database.rollback();
  CHECK_FALSE(database.in_transaction());
  database.rollback();
  CHECK(database.number("SELECT count(*) FROM t") == 0);
}

TEST_CASE("the WAL is counted, made larger, folded, and left or removed at the end", "[store]") {
  const StoreDirectory directory;
  const std::string wal = directory.database() + "-wal";
  {
    Database database(directory.database(), true, {});
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (a INTEGER)");
    database.watch_wal();
    CHECK(database.wal_frames() == 0);
    database.exec("INSERT INTO t VALUES (1)");
    CHECK(database.wal_frames() == 3);  // two for the table, one for the row
    database.extend_wal(1 << 20);
    CHECK(std::filesystem::file_size(wal) >= 1 << 20);
    database.exec("INSERT INTO t VALUES (2)");
    CHECK(database.wal_frames() == 4);
    const auto folded = database.checkpoint();
    CHECK(folded.frames == 4);
    CHECK(folded.folded == 4);
    database.exec("INSERT INTO t VALUES (3)");
    CHECK(database.wal_frames() == 1);
    CHECK(std::filesystem::file_size(wal) >= 1 << 20);
    database.fold_on_close(false);
  }
  CHECK(std::filesystem::exists(wal));
  Database moved(directory.database(), false, {});
  CHECK(moved.number("SELECT count(*) FROM t") == 3);
  { const Database closed = std::move(moved); }
  CHECK_FALSE(std::filesystem::exists(wal));
}
