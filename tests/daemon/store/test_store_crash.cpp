// SPDX-License-Identifier: MIT
// The process or the power goes at any moment, and the WAL's end is torn: what was told is there.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <thread>

#include "fault_vfs.hpp"
#include "store_load.hpp"
#include "support/catch.hpp"

using namespace corund::store;
using namespace tests;

namespace {

bool long_mode() { return std::getenv("CORUND_TEST_LONG") != nullptr; }

// A run that loses power at its nth step towards the disk. False: it was over before.
bool run_with_cut(int nth, Unsynced unsynced) {
  const StoreDirectory directory;
  FaultVfs vfs;
  vfs.cut_power_at(nth);
  Told told;
  const auto main = [&](Store& store) {
    return load(store, told, 8, false, [&] { return vfs.has_power(); });
  };
  run_store(directory.options(vfs.name()), true, main);
  const bool was_cut = !vfs.has_power();
  vfs.restore(unsynced, static_cast<std::uint32_t>(nth));
  INFO("cut at " << nth);
  // A submission that was in the air may be there. One that was told refused may not: nothing but the cut
  // itself failed here.
  CHECK(complaint(told, kept_in(directory), false) == "");
  // And the store goes on from there.
  Told later;
  const auto more = [&](Store& store) { return load(store, later, 2, false, [] { return true; }); };
  CHECK(run_store(directory.options(vfs.name()), true, more).opening == "");
  CHECK(later.accepted.size() == 3);
  return was_cut;
}

void sweep(Unsynced unsynced) {
  int nth = 1;
  while (run_with_cut(nth, unsynced)) ++nth;
  CHECK(nth > 50);
}

// The seqs that a child is told are accepted, one a line, until it is killed.
[[noreturn]] void child(const StoreDirectory& directory, int to) {
  corun::Runner runner;
  Store store(directory.options());
  store.start(runner.loop());
  const auto main = [&]() -> corun::Coro<> {
    for (;;) {
      std::vector<Seq> seqs;
      Ticket upto = 0;
      for (int i = 0; i < 5; ++i) {
        seqs.push_back(store.next_seq());
        upto = store.add(job_row(seqs.back()));
      }
      Settled settled;
      while (settled.upto < upto) settled = co_await store.settled();
      if (settled.refused) ::_exit(3);
      const bool on_disk = co_await store.written(store.end(outcome_row(seqs[0])));
      if (!on_disk) ::_exit(4);
      if (::write(to, seqs.data(), seqs.size() * sizeof(Seq)) < 0) ::_exit(5);
    }
  };
  runner.run(main());
  ::_exit(6);
}

// Starts the child, kills it after it was told `rounds` times and a moment more, and returns what it was
// told.
std::vector<Seq> killed_child(const StoreDirectory& directory, int rounds, std::chrono::microseconds moment) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    try {
      child(directory, ends[1]);
    } catch (...) {
    }
    ::_exit(7);
  }
  ::close(ends[1]);
  std::vector<Seq> told;
  Seq seq = 0;
  const auto next = [&] {
    if (::read(ends[0], &seq, sizeof seq) != static_cast<ssize_t>(sizeof seq)) return false;
    told.push_back(seq);
    return true;
  };
  while (told.size() < static_cast<std::size_t>(rounds) * 5 && next()) {
  }
  std::this_thread::sleep_for(moment);  // where in a commit the kill falls is what is varied
  ::kill(pid, SIGKILL);
  while (next()) {
  }
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(WIFSIGNALED(status));
  return told;
}

// Where each commit ends in a WAL, and how many there are. https://sqlite.org/fileformat2.html#walformat
std::vector<std::size_t> commit_ends(const std::string& wal) {
  constexpr std::size_t header = 32, frame = 24 + 4096;
  std::vector<std::size_t> ends;
  for (std::size_t at = header; at + frame <= wal.size() && wal.compare(at + 8, 8, wal, 16, 8) == 0;
       at += frame)
    if (wal.compare(at + 4, 4, std::string(4, '\0')) != 0) ends.push_back(at + frame);
  return ends;
}

}  // namespace

TEST_CASE("the power may go at any step and take what was not synced", "[store]") { sweep(Unsynced::none); }
TEST_CASE("the power may go at any step and leave what was not synced", "[store]") { sweep(Unsynced::all); }
TEST_CASE("the power may go at any step and leave any part of what was not synced", "[store]") {
  sweep(Unsynced::random);
}

TEST_CASE("a store whose process is killed has all that it said it has", "[store]") {
  const StoreDirectory directory;
  const int times = long_mode() ? 200 : 20;
  std::mt19937 random(7);
  std::set<Seq> told;
  for (int i = 0; i < times; ++i) {
    const auto more = killed_child(directory, 1 + static_cast<int>(random() % 20),
                                   std::chrono::microseconds(random() % 2000));
    CHECK(more.size() >= 5);
    for (const Seq seq : more) CHECK(told.insert(seq).second);  // no seq twice
    const Kept kept = kept_in(directory);
    REQUIRE(kept.failure == "");
    const std::set<Seq> jobs(kept.jobs.begin(), kept.jobs.end());
    CHECK(jobs.size() == kept.jobs.size());
    CHECK(std::includes(jobs.begin(), jobs.end(), told.begin(), told.end()));
    for (std::size_t at = 0; at < more.size(); at += 5) CHECK(kept.outcomes.count(more[at]) == 1);
  }
}

TEST_CASE("a torn end of the WAL costs the torn commit and nothing before it", "[store]") {
  const StoreDirectory directory;
  constexpr int commits = 6;
  const auto main = [](Store& store) -> corun::Coro<> {
    for (int i = 0; i < commits; ++i) {
      const bool on_disk = co_await store.written(store.add(job_row(store.next_seq())));
      CHECK(on_disk);
    }
  };
  run_store(directory.options(), false, main);
  const std::string database = bytes_of(directory.database()), wal = bytes_of(directory.database() + "-wal");
  const auto ends = commit_ends(wal);
  REQUIRE(ends.size() == commits);
  const auto jobs_with = [&](const std::string& torn) {
    const StoreDirectory other;
    write_bytes(other.database(), database);
    write_bytes(other.database() + "-wal", torn);
    const Kept kept = kept_in(other);
    CHECK(kept.failure == "");
    for (std::size_t i = 0; i < kept.jobs.size(); ++i) CHECK(kept.jobs[i] == static_cast<Seq>(i) + 1);
    return kept.jobs.size();
  };
  const std::size_t step = long_mode() ? 1 : 61;
  for (std::size_t size = ends[commits - 3] - 30; size <= ends.back();
       size += size + step > ends.back() && size < ends.back() ? 1 : step) {
    const auto whole =
        static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), size) - ends.begin());
    INFO("cut to " << size);
    CHECK(jobs_with(wal.substr(0, size)) == whole);
    if (size == ends.back()) continue;
    // As long as before, and wrong from there on.
    std::string wrong = wal;
    wrong[size] = static_cast<char>(wrong[size] ^ 0x55);
    CHECK(jobs_with(wrong) == whole);
  }
}
