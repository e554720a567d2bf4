// SPDX-License-Identifier: MIT
// One connection to an SQLite database and its prepared statements, as objects that clean up and errors that
// are thrown. Knows no table. Not thread-safe (SQLITE_OPEN_NOMUTEX): one thread at a time, handed over by
// starting or joining a thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/store/trouble.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace corund::store {

class Statement;

// Errors: StoreError from every function, with SQLite's text, and the system's where there is one.
class Database {
 public:
  // create: makes the file where there is none. path ":memory:": no file. vfs empty: SQLite's default.
  Database(const std::string& path, bool create, const std::string& vfs);
  // Folds the WAL into the file and removes it, where this is the last connection and fold_on_close(false)
  // was not called.
  ~Database();
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;

  // Runs statements that give no rows, or whose rows do not matter.
  void exec(const char* sql);
  // The first column of the first row. Errors: also io where there is no row.
  std::int64_t number(const char* sql);
  std::string text(const char* sql);

  // Rows that the latest INSERT, UPDATE or DELETE has changed.
  std::int64_t changes() const noexcept;
  // Whether a transaction is open.
  bool in_transaction() const noexcept;
  // Ends a transaction without its changes, where one is open. Does not throw: SQLite has left nothing to
  // undo where it fails.
  void rollback() noexcept;

  // Whether closing folds the WAL into the database; else both files stay as they are.
  void fold_on_close(bool fold);
  // Counts frames of the WAL after each commit from now on; SQLite then does no checkpoint of its own.
  void watch_wal();
  // Frames in the WAL after the latest commit of this connection.
  int wal_frames() const noexcept;

  struct Checkpoint {
    int frames = 0;  // in the WAL
    int folded =
        0;  // of these, now in the database; the WAL begins anew where that is all and no reader needs it
  };
  // Folds what no reader holds back; waits for nobody.
  Checkpoint checkpoint();
  // Fills the WAL's file with zeros up to `bytes`, so that commits overwrite blocks instead of making the
  // file grow. Best effort; syncs.
  void extend_wal(std::int64_t bytes);

  sqlite3* handle() const noexcept { return handle_; }
  [[noreturn]] void fail(int code, const char* doing);

 private:
  sqlite3* handle_ = nullptr;
  std::string path_;
  struct WalWatch;
  WalWatch* wal_ = nullptr;  // owned; at an address that SQLite keeps
};

// A prepared statement. Gone before its Database is.
// Bound texts and blobs are not copied: they live until the statement has been run. Parameters count from 1,
// columns from 0.
class Statement {
 public:
  // Errors: StoreError foreign where a table or column is not there.
  Statement(Database& database, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& number(int parameter, std::int64_t value);
  Statement& number(int parameter, const std::optional<std::int64_t>& value);
  Statement& text(int parameter, std::string_view value);
  Statement& text_or_null(int parameter, std::string_view value);  // empty: NULL
  Statement& blob_or_null(int parameter, std::string_view value);

  // Runs to its end and is ready for the next values.
  void run();
  // The next row; false at the end, and then it is ready for the next values.
  bool next();
  // Ready for the next values before the end was reached.
  void reset() noexcept;

  std::int64_t number(int column) const;
  std::optional<std::int64_t> number_or_none(int column) const;
  std::string_view text(int column) const;  // NULL: empty. Lives until the next call on the statement

 private:
  void check(int code);
  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
};

}  // namespace corund::store
