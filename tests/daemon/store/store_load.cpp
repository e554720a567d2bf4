// SPDX-License-Identifier: MIT
#include "store_load.hpp"

#include <stdlib.h>

#include <algorithm>
#include <corun/testing/virtual_time.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace tests {

using namespace corund::store;

namespace {

// In memory where there is such a place: no test here depends on what a real disk does, and some hundreds of
// stores are made.
std::string made_directory() {
  std::string name =
      (std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/corund-store-XXXXXX");
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  return name;
}

}  // namespace

StoreDirectory::StoreDirectory() : path(made_directory()) {}

StoreDirectory::~StoreDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

StoreOptions StoreDirectory::options(std::string vfs) const {
  StoreOptions options;
  options.directory = path;
  options.vfs = std::move(vfs);
  return options;
}

void StoreDirectory::clear() const {
  for (const auto& entry : std::filesystem::directory_iterator(path)) std::filesystem::remove_all(entry);
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

JobRow job_row(Seq seq) {
  JobRow row;
  row.seq = seq;
  row.id = "01J9ZQXKX5T6W7Y8Z9ABCDEFGH";
  row.kind = "echo";
  row.args = R"({"text":"hello"})";
  row.context = "shared";
  row.group = "default";
  row.priority = static_cast<int>(seq % 7) - 3;
  row.owner_uid = 1000;
  row.submitted_us = 1'700'000'000'000'000 + seq;
  row.eligible_us = row.submitted_us + 5;
  if (seq % 3 == 0) row.started_us = row.submitted_us + 9;
  if (seq % 2 == 0) row.options = R"({"timeout":5})";
  return row;
}

OutcomeRow outcome_row(Seq seq) {
  OutcomeRow row;
  row.seq = seq;
  row.state = "failed";
  row.ended_us = 1'700'000'001'000'000 + seq;
  row.result = R"({"exitCode":1})";
  row.error_type = "ExitError";
  row.error_message = "it failed";
  row.reason = "why";
  row.leftovers = R"(["a"])";
  row.stdout_tail = std::string_view("out\0\xff", 5);
  row.stderr_tail = "err";
  return row;
}

AttemptRow ended_attempt_row(Seq seq) {
  AttemptRow row;
  row.seq = seq;
  row.number = 1;
  row.started_us = 1'700'000'000'500'000;
  row.ended_us = 1'700'000'000'900'000;
  row.state = "failed";
  row.error_type = "ExitError";
  row.error_message = "it failed";
  row.next_us = 1'700'000'002'000'000;
  row.usage = R"({"steps":3})";
  return row;
}

corun::Coro<> load(Store& store, Told& told, int rounds, bool at_last, std::function<bool()> listens) {
  Ticket last_fact = 0;
  std::vector<Seq> running;
  for (int round = 0; round < rounds; ++round) {
    Ticket upto = 0;
    std::vector<Seq> submitted;
    for (int i = 0; i <= round % 3; ++i) {
      const Seq seq = store.next_seq();
      told.asked.push_back(seq);
      submitted.push_back(seq);
      upto = store.add(job_row(seq));
    }
    for (;;) {
      const Settled settled = co_await store.settled();
      if (settled.upto < upto) continue;
      if (!listens()) co_return;
      auto& to = settled.refused ? told.refused : told.accepted;
      to.insert(submitted.begin(), submitted.end());
      if (!settled.refused) running.insert(running.end(), submitted.begin(), submitted.end());
      break;
    }
    if (running.size() < 2) continue;
    const Seq over = running.front();
    running.erase(running.begin());
    told.ended.insert(over);
    store.attempt(ended_attempt_row(over));
    last_fact = store.end(outcome_row(over));
    const bool on_disk = co_await store.written(last_fact);
    if (!listens()) co_return;
    if (on_disk) told.ended_on_disk.insert(over);
  }
  if (at_last) co_await store.written_at_last(last_fact);
}

Kept kept_in(const StoreDirectory& directory) {
  Kept kept;
  Recovery into;
  into.job = [&](const JobRow& row) { kept.jobs.push_back(row.seq); };
  into.attempt = [&](const AttemptRow& row) { ++kept.attempts[row.seq]; };
  into.outcome = [&](const OutcomeRow& row) { ++kept.outcomes[row.seq]; };
  try {
    Store store(directory.options());
    store.recover(into);
  } catch (const StoreError& error) {
    kept.failure = error.what();
  }
  return kept;
}

std::string complaint(const Told& told, const Kept& kept, bool refused_may_exist) {
  if (!kept.failure.empty()) return kept.failure;
  const auto name = [](const char* what, Seq seq) { return std::string(what) + " " + std::to_string(seq); };
  for (std::size_t i = 1; i < kept.jobs.size(); ++i)
    if (kept.jobs[i - 1] >= kept.jobs[i]) return name("not once and in order:", kept.jobs[i]);
  const std::set<Seq> jobs(kept.jobs.begin(), kept.jobs.end());
  for (const Seq seq : told.accepted)
    if (!jobs.count(seq)) return name("accepted and not there:", seq);
  for (const Seq seq : jobs)
    if (std::find(told.asked.begin(), told.asked.end(), seq) == told.asked.end())
      return name("never asked for:", seq);
  for (const Seq seq : told.refused)
    if (!refused_may_exist && jobs.count(seq)) return name("refused and there:", seq);
  for (const Seq seq : told.ended_on_disk)
    if (!kept.outcomes.count(seq) || !kept.attempts.count(seq))
      return name("its end was told and is not there:", seq);
  for (const auto& [seq, count] : kept.outcomes)
    if (count != 1 || !told.ended.count(seq)) return name("an end that was not asked for:", seq);
  return {};
}

RunEnd run_store(const StoreOptions& options, bool close, const std::function<corun::Coro<>(Store&)>& main) {
  RunEnd end;
  corun::RunnerOptions runner_options;
  runner_options.loop_factory = corun::testing::virtual_time();
  corun::Runner runner(std::move(runner_options));
  std::unique_ptr<Store> store;
  try {
    store = std::make_unique<Store>(options);
  } catch (const StoreError& error) {
    end.opening = error.what();
    return end;
  }
  store->start(runner.loop());
  runner.run(main(*store));
  if (close)
    if (const auto error = store->close()) end.closing = error->what();
  return end;
}

}  // namespace tests
