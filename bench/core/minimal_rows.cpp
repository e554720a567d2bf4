// SPDX-License-Identifier: MIT
// The hand-written task, as the limit. What it has no notion of (sockets, threads, queues) it does not take part in; its cancelled
// sleeper waits on no timer.
#include "bench/core/contestant.hpp"
#include "bench/minimal_task.hpp"

namespace bench {
namespace {

using minimal::Task;
using clock = minimal::Loop::clock;

[[gnu::noinline]] Task<int> leaf(int x) { co_return x + 1; }

Task<> nested(std::size_t ops) {
  int sum = 0;
  for (std::size_t i = 0; i < ops; ++i) sum = co_await leaf(sum);
}

[[gnu::noinline]] Task<int> chain(std::size_t depth) {
  if (depth == 1) co_return 1;
  co_return 1 + co_await chain(depth - 1);
}

Task<> chains(std::size_t ops) {
  for (std::size_t i = 0; i < ops; i += rows::chain_frames) co_await chain(rows::chain_frames);
}

Task<> yields(std::size_t ops) {
  for (std::size_t i = 0; i < ops; ++i) co_await minimal::Yield{};
}

[[gnu::noinline]] Task<> nothing() { co_return; }

Task<> spawns(std::size_t ops) {
  for (std::size_t i = 0; i < ops; ++i) {
    auto task = minimal::spawn(nothing());
    co_await task;
  }
}

Task<> batches(std::size_t ops) {
  std::vector<minimal::Spawned<>> tasks;
  tasks.reserve(rows::batch_tasks);
  for (std::size_t i = 0; i < ops; i += rows::batch_tasks) {
    for (std::size_t k = 0; k < rows::batch_tasks; ++k) tasks.push_back(minimal::spawn(nothing()));
    for (auto& task : tasks) co_await task;
    tasks.clear();
  }
}

[[gnu::noinline]] Task<> park(minimal::CancelPoint& point) { co_await point; }

Task<> cancels(std::size_t ops) {
  for (std::size_t i = 0; i < ops; ++i) {
    minimal::CancelPoint point;
    auto task = minimal::spawn(park(point));
    co_await minimal::Yield{};
    point.cancel();
    try {
      co_await task;
    } catch (const minimal::Cancelled&) {
    }
  }
}

[[gnu::noinline]] Task<int> thrower(std::size_t depth) {
  if (depth == 1) throw 1;
  co_return 1 + co_await thrower(depth - 1);
}

Task<> throws(std::size_t ops, std::size_t depth) {
  for (std::size_t i = 0; i < ops; ++i) {
    try {
      co_await thrower(depth);
    } catch (int) {
    }
  }
}

Task<> sleeper(clock::time_point until, double* late_ns) {
  co_await minimal::SleepUntil{until};
  if (late_ns) *late_ns = static_cast<double>((clock::now() - until).count());
}

Task<> sleeps(std::size_t ops, std::vector<double>& late) {
  std::vector<minimal::Spawned<>> tasks;
  tasks.reserve(ops);
  for (std::size_t i = 0; i < ops; ++i)
    tasks.push_back(minimal::spawn(sleeper(clock::now() + std::chrono::milliseconds(10), &late[i])));
  for (auto& task : tasks) co_await task;
}

Task<> timers(std::size_t ops) {
  for (std::size_t i = 0; i < ops; ++i) co_await minimal::SleepUntil{clock::now() + std::chrono::microseconds(20)};
}

Task<> sleep_all(std::size_t count, Memory& taken) {
  std::vector<minimal::Spawned<>> tasks;
  tasks.reserve(count);
  Memory before = memory_now();
  for (std::size_t i = 0; i < count; ++i) tasks.push_back(minimal::spawn(sleeper(clock::now() + std::chrono::hours(1), nullptr)));
  co_await minimal::Yield{};
  Memory after = memory_now();
  taken.heap_bytes = after.heap_bytes - before.heap_bytes;
  taken.resident_bytes = after.resident_bytes - before.resident_bytes;
}

class Minimal final : public Contestant {
 public:
  std::string_view name() const override { return "minimal"; }

  bool has(std::string_view row) const override {
    return row != rows::socket && row != rows::thread && row != rows::queue && row != rows::handover;
  }

  Sample round(std::string_view row, std::size_t ops) override {
    std::vector<double> late(row == rows::sleeps ? ops : 0);
    Sample sample = measured(ops, [&] { minimal::run(main(row, ops, late)); });
    if (!late.empty()) sample.late_p50_us = median_us(std::move(late));
    return sample;
  }

  std::optional<Memory> sleeping_tasks(std::size_t count) override {
    Memory taken;
    minimal::run(sleep_all(count, taken));
    return taken;
  }

 private:
  static Task<> main(std::string_view row, std::size_t ops, std::vector<double>& late) {
    if (row == rows::nested) return nested(ops);
    if (row == rows::chain) return chains(ops);
    if (row == rows::yield) return yields(ops);
    if (row == rows::spawn) return spawns(ops);
    if (row == rows::batch) return batches(ops);
    if (row == rows::cancel) return cancels(ops);
    if (row == rows::throw1) return throws(ops, 1);
    if (row == rows::throw10) return throws(ops, 10);
    if (row == rows::sleeps) return sleeps(ops, late);
    return timers(ops);
  }
};

}  // namespace

std::unique_ptr<Contestant> make_minimal() { return std::make_unique<Minimal>(); }

}  // namespace bench
