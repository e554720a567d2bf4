// SPDX-License-Identifier: MIT
// Submissions on their way into the table `job`: as a table of SQLite's own kind ("virtual") that one INSERT reads to its end. A third less
// for a row than a statement for each, which is set up and taken down around every row.
#pragma once

#include <memory>
#include <span>

#include "daemon/store/batch.hpp"
#include "daemon/store/database.hpp"

namespace corund::store {

// In one connection only, and not in the file. Gone before its Database is closed or after; not thread-safe, like that.
class Incoming {
 public:
  // Its columns are those of `job`.
  static constexpr const char* table = "incoming";

  // Errors: StoreError.
  explicit Incoming(Database& database);

  // What a SELECT finds from now on: the submissions among the changes, in their order. The changes live until the statement has been run.
  void set(std::span<const Change> changes) noexcept { *changes_ = changes; }

 private:
  std::shared_ptr<std::span<const Change>> changes_;  // the connection has it too
};

}  // namespace corund::store
