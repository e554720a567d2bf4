// SPDX-License-Identifier: MIT
// The tables, as SQL. docs/store.md explains them column by column.
#pragma once

#include <cstdint>
#include <span>

#include "daemon/store/database.hpp"

namespace corund::store {

// In the file's header, bytes 68 to 71: "CoRd". Whose database it is, for file(1) and for us.
inline constexpr std::int32_t application_id = 0x436f5264;
// In the header too (user_version). Goes up with each change of the tables that an older corund would
// misread.
inline constexpr int schema_version = 1;

// From version `from` to the next one.
struct Migration {
  int from = 0;
  const char* sql = nullptr;
};

// In the order of `from`. None yet: there was no version before the first.
std::span<const Migration> migrations();

// Fills an empty database with the tables of schema_version, in one transaction.
void create_schema(Database& database);

// Brings a database from version `from` up to `to`, one transaction to a step, so that what stops half-way
// goes on at the next opening. Errors: StoreError; newer where there is no way from `from` to `to`.
void migrate(Database& database, int from, int to, std::span<const Migration> steps);

}  // namespace corund::store
