// SPDX-License-Identifier: MIT
// From a path to a sound database of ours, or to a refusal that changed nothing. What is damaged, newer or
// foreign is told apart here, and set aside here where the caller says so.
#pragma once

#include <string>

#include "daemon/store/database.hpp"

namespace corund::store {

struct Opened {
  Database database;
  std::string set_aside;  // the name that the file has now which stood in the way; empty: there was none
};

struct OpeningOptions {
  std::string path;  // ":memory:": no file
  bool begin_anew = false;
  std::string vfs;
};

// Opens the database, or makes one where there is no file or an empty one; older tables are brought up to
// date. It is in WAL mode and synchronous=FULL afterwards, and closing it folds nothing until
// fold_on_close(true). begin_anew: a damaged, newer or foreign file is renamed PATH.set-aside-TIME (its WAL
// too), after all of it was checked, and a new one made. Errors: StoreError; the files are then as they were.
Opened open_database(const OpeningOptions& options);

// The same trouble, and what can be done about it.
StoreError advised(const StoreError& error);

// PATH.set-aside-TIME for a file that stands in the way: it is renamed with what belongs to it, and the
// directory synced. Returns the new name. Errors: StoreError io.
std::string set_aside(const std::string& path);

}  // namespace corund::store
