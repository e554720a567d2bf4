// SPDX-License-Identifier: MIT
// A directory for a store, rows to put into one, a load that writes down what it was told, and what is found
// afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/store/store.hpp"

namespace tests {

using corund::store::Seq;

// An empty directory, removed with all that is in it.
class StoreDirectory {
 public:
  StoreDirectory();
  ~StoreDirectory();
  StoreDirectory(const StoreDirectory&) = delete;
  StoreDirectory& operator=(const StoreDirectory&) = delete;

  const std::string path;
  std::string database() const { return path + "/jobs.db"; }
  corund::store::StoreOptions options(std::string vfs = {}) const;
  // Removes what is in it.
  void clear() const;
};

std::string bytes_of(const std::string& path);  // empty where there is no file
void write_bytes(const std::string& path, const std::string& bytes);

// A row with something in every field, told apart by seq. Its texts are constants.
corund::store::JobRow job_row(Seq seq);
corund::store::OutcomeRow outcome_row(Seq seq);
corund::store::AttemptRow ended_attempt_row(Seq seq);

// What a caller of the store knows.
struct Told {
  std::vector<Seq> asked;
  std::set<Seq> accepted, refused;     // submissions
  std::set<Seq> ended, ended_on_disk;  // facts: asked for, told
};

// `rounds` of a few submissions, and of outcomes for some that were accepted. Writes down only what it is
// told while `listens`. With at_last it ends when all facts are on disk.
corun::Coro<> load(corund::store::Store& store, Told& told, int rounds, bool at_last,
                   std::function<bool()> listens);

// What a store holds.
struct Kept {
  std::vector<Seq> jobs;  // in the order in which they came
  std::map<Seq, int> attempts, outcomes;
  std::string failure;  // why it could not be read
};
Kept kept_in(const StoreDirectory& directory);

// What is wrong with `kept`, for who was told `told`; empty: nothing.
// refused_may_exist: of submissions that were in the air, or told refused, when the power went.
std::string complaint(const Told& told, const Kept& kept, bool refused_may_exist);

// Runs a main task on a virtual clock with a store of its own, which is closed (or not) at the end. Returns
// what close() returned.
struct RunEnd {
  std::string opening;  // the error that the constructor threw
  std::string closing;
};
RunEnd run_store(const corund::store::StoreOptions& options, bool close,
                 const std::function<corun::Coro<>(corund::store::Store&)>& main);

}  // namespace tests
