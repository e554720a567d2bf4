// SPDX-License-Identifier: MIT
// What a durable row costs: batches of submissions through the store, beside a bare writer that overwrites as
// many bytes in a file and syncs them; and what a restart costs. Works in a directory that it makes in the
// current one, on that disk.
#include "daemon/store/store.hpp"

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

using namespace corund::store;

constexpr std::string_view args = R"({"text":"The quick brown fox jumps over the lazy dog."})";
constexpr std::int64_t now_us = 1'760'000'000'000'000;

struct Directory {
  Directory() {
    std::string name = "bench-store-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path = std::filesystem::absolute(name);
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string path;
  StoreOptions options() const {
    StoreOptions options;
    options.directory = path;
    return options;
  }
};

JobRow submission(Seq seq) {
  JobRow row;
  row.seq = seq;
  row.id = "01K7ZQXKX5T6W7Y8Z9ABCDEFGH";
  row.kind = "echo";
  row.args = args;
  row.context = "shared";
  row.group = "default";
  row.owner_uid = 1000;
  row.submitted_us = row.eligible_us = now_us + seq;
  return row;
}

OutcomeRow outcome(Seq seq) {
  OutcomeRow row;
  row.seq = seq;
  row.state = "succeeded";
  row.ended_us = now_us + seq;
  row.result = args;
  return row;
}

Ticket add_batch(Store& store, std::int64_t rows) {
  Ticket last = 0;
  for (std::int64_t i = 0; i < rows; ++i) last = store.add(submission(store.next_seq()));
  return last;
}

// One batch at a time, told when it is on disk.
corun::Coro<> one_at_a_time(Store& store, benchmark::State& state) {
  for (auto _ : state) {
    const bool on_disk = co_await store.written(add_batch(store, state.range(0)));
    if (!on_disk) std::abort();
  }
}

// The next batch is filled while one is written: what a daemon under load does.
corun::Coro<> always_one_waiting(Store& store, benchmark::State& state) {
  Ticket before = 0;
  for (auto _ : state) {
    const Ticket last = add_batch(store, state.range(0));
    if (before != 0) co_await store.written_at_last(before);
    before = last;
  }
  co_await store.written_at_last(before);
}

void tell(benchmark::State& state) {
  const auto rows = static_cast<double>(state.iterations() * state.range(0));
  state.counters["rows"] = benchmark::Counter(rows, benchmark::Counter::kIsRate);
}

template <auto main>
void store(benchmark::State& state) {
  const Directory directory;
  corun::Runner runner;
  Store store(directory.options());
  store.start(runner.loop());
  runner.run(store.written(add_batch(store, 1)));  // the WAL is as large as it will be
  runner.run(main(store, state));
  const StoreStats stats = store.stats();
  state.counters["commit_p50"] = stats.commit.p50;
  state.counters["commit_p99"] = stats.commit.p99;
  if (store.close()) std::abort();
  tell(state);
}
BENCHMARK(store<one_at_a_time>)->Arg(1)->Arg(16)->Arg(1024)->MeasureProcessCPUTime()->UseRealTime();
BENCHMARK(store<always_one_waiting>)->Arg(1)->Arg(16)->Arg(1024)->MeasureProcessCPUTime()->UseRealTime();

// The physical limit: the texts of a batch into blocks that exist, and a sync.
void bare_overwrite(benchmark::State& state) {
  constexpr off_t file_bytes = 4 * 1024 * 1024;
  const Directory directory;
  const int file = ::open((directory.path + "/log").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const std::string zeros(file_bytes, '\0'), batch(static_cast<std::size_t>(state.range(0)) * 160, 'x');
  if (::write(file, zeros.data(), zeros.size()) != file_bytes || ::fsync(file) != 0) std::abort();
  off_t at = 0;
  for (auto _ : state) {
    if (at + static_cast<off_t>(batch.size()) > file_bytes) at = 0;
    if (::pwrite(file, batch.data(), batch.size(), at) < 0 || ::fdatasync(file) != 0) std::abort();
    at += static_cast<off_t>(batch.size());
  }
  ::close(file);
  tell(state);
}
BENCHMARK(bare_overwrite)->Arg(1)->Arg(16)->Arg(1024)->MeasureProcessCPUTime()->UseRealTime();

// A start: opening, and reading all. Half of the jobs are over where the second argument is 1.
void recover(benchmark::State& state) {
  const Directory directory;
  {
    corun::Runner runner;
    Store store(directory.options());
    store.start(runner.loop());
    for (std::int64_t done = 0; done < state.range(0); done += 1000) {
      Ticket last = add_batch(store, 1000);
      if (state.range(1) == 1)
        for (Seq seq = done + 1; seq <= done + 1000; seq += 2) last = store.end(outcome(seq));
      runner.run(store.written_at_last(last));
    }
    if (store.close()) std::abort();
  }
  for (auto _ : state) {
    Store store(directory.options());
    std::int64_t jobs = 0, outcomes = 0;
    Recovery into;
    into.job = [&](const JobRow& row) { jobs += row.args.size() == args.size(); };
    into.attempt = [](const AttemptRow&) {};
    into.process = [](const ProcessRow&) {};
    into.outcome = [&](const OutcomeRow& row) { outcomes += !row.state.empty(); };
    store.recover(into);
    if (jobs != state.range(0) || outcomes != state.range(0) / 2 * state.range(1)) std::abort();
  }
  state.counters["bytes_per_job"] =
      static_cast<double>(std::filesystem::file_size(directory.path + "/jobs.db")) /
      static_cast<double>(state.range(0));
}
BENCHMARK(recover)
    ->Args({10'000, 0})
    ->Args({1'000'000, 0})
    ->Args({1'000'000, 1})
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
