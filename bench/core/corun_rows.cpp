// SPDX-License-Identifier: MIT
// libcorun as its users write it: corun.hpp and nothing internal.
#include <sys/socket.h>

#include <corun/corun.hpp>
#include <corun/sync/queue.hpp>

#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "bench/core/contestant.hpp"

namespace bench {
namespace {

using corun::Coro;
using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

[[gnu::noinline]] Coro<int> leaf(int x) { co_return x + 1; }

Coro<> nested(std::size_t ops) {
  int sum = 0;
  for (std::size_t i = 0; i < ops; ++i) sum = co_await leaf(sum);
}

[[gnu::noinline]] Coro<int> chain(std::size_t depth) {
  if (depth == 1) co_return 1;
  co_return 1 + co_await chain(depth - 1);
}

Coro<> chains(std::size_t ops) {
  for (std::size_t i = 0; i < ops; i += rows::chain_frames) co_await chain(rows::chain_frames);
}

Coro<> yields(std::size_t ops) {
  for (std::size_t i = 0; i < ops; ++i) co_await corun::sleep(0s);
}

[[gnu::noinline]] Coro<> nothing() { co_return; }

Coro<> spawns(std::size_t ops) {
  for (std::size_t i = 0; i < ops; ++i) {
    auto task = corun::create_task(nothing());
    co_await task;
  }
}

Coro<> batches(std::size_t ops) {
  std::vector<corun::Task<>> tasks;
  tasks.reserve(rows::batch_tasks);
  for (std::size_t i = 0; i < ops; i += rows::batch_tasks) {
    for (std::size_t k = 0; k < rows::batch_tasks; ++k) tasks.push_back(corun::create_task(nothing()));
    for (auto& task : tasks) co_await task;
    tasks.clear();
  }
}

Coro<> cancels(std::size_t ops) {
  for (std::size_t i = 0; i < ops; ++i) {
    auto task = corun::create_task(corun::sleep(1h));
    co_await corun::sleep(0s);
    task.cancel();
    try {
      co_await task;
    } catch (const corun::CancelledError&) {
    }
  }
}

[[gnu::noinline]] Coro<int> thrower(std::size_t depth) {
  if (depth == 1) throw 1;
  co_return 1 + co_await thrower(depth - 1);
}

Coro<> throws(std::size_t ops, std::size_t depth) {
  for (std::size_t i = 0; i < ops; ++i) {
    try {
      co_await thrower(depth);
    } catch (int) {
    }
  }
}

Coro<> sleeper(double& late_ns) {
  auto until = clock::now() + 10ms;
  co_await corun::sleep(10ms);
  late_ns = static_cast<double>((clock::now() - until).count());
}

Coro<> sleeps(std::size_t ops, std::vector<double>& late) {
  std::vector<corun::Task<>> tasks;
  tasks.reserve(ops);
  for (std::size_t i = 0; i < ops; ++i) tasks.push_back(corun::create_task(sleeper(late[i])));
  for (auto& task : tasks) co_await task;
}

Coro<> timers(std::size_t ops) {
  for (std::size_t i = 0; i < ops; ++i) co_await corun::sleep(20us);
}

Coro<> sockets(std::size_t ops) {
  using Protocol = boost::asio::local::stream_protocol;
  using Socket = boost::asio::basic_stream_socket<Protocol, boost::asio::io_context::executor_type>;
  auto& context = corun::get_running_loop().io_context();
  Socket a(context), b(context);
  boost::asio::local::connect_pair(a, b);
  char out = 'x', in = 0;
  for (std::size_t i = 0; i < ops; ++i) {
    co_await a.async_write_some(boost::asio::buffer(&out, 1), corun::use_coro);
    co_await b.async_read_some(boost::asio::buffer(&in, 1), corun::use_coro);
  }
}

Coro<> threads(std::size_t ops) {
  for (std::size_t i = 0; i < ops; ++i) co_await corun::to_thread([] {});
}

Coro<> queue(std::size_t ops) {
  corun::Queue<int> items;
  for (std::size_t i = 0; i < ops; ++i) {
    co_await items.put(1);
    co_await items.get();
  }
}

Coro<> produce(corun::Queue<int>& items, std::size_t ops) {
  for (std::size_t i = 0; i < ops; ++i) co_await items.put(1);
}

Coro<> handover(std::size_t ops) {
  corun::Queue<int> items(1);
  auto producer = corun::create_task(produce(items, ops));
  for (std::size_t i = 0; i < ops; ++i) co_await items.get();
  co_await producer;
}

Coro<> sleep_all(std::size_t count, Memory& taken) {
  std::vector<corun::Task<>> tasks;
  tasks.reserve(count);
  Memory before = memory_now();
  for (std::size_t i = 0; i < count; ++i) tasks.push_back(corun::create_task(corun::sleep(1h)));
  co_await corun::sleep(0s);
  Memory after = memory_now();
  taken.heap_bytes = after.heap_bytes - before.heap_bytes;
  taken.resident_bytes = after.resident_bytes - before.resident_bytes;
  for (auto& task : tasks) task.cancel();
}

class Corun final : public Contestant {
 public:
  std::string_view name() const override { return "corun"; }

  bool has(std::string_view) const override { return true; }

  Sample round(std::string_view row, std::size_t ops) override {
    std::vector<double> late(row == rows::sleeps ? ops : 0);
    Sample sample = measured(ops, [&] { runner_.run(main(row, ops, late)); });
    if (!late.empty()) sample.late_p50_us = median_us(std::move(late));
    return sample;
  }

  std::optional<Memory> sleeping_tasks(std::size_t count) override {
    Memory taken;
    runner_.run(sleep_all(count, taken));
    return taken;
  }

 private:
  static Coro<> main(std::string_view row, std::size_t ops, std::vector<double>& late) {
    if (row == rows::nested) return nested(ops);
    if (row == rows::chain) return chains(ops);
    if (row == rows::yield) return yields(ops);
    if (row == rows::spawn) return spawns(ops);
    if (row == rows::batch) return batches(ops);
    if (row == rows::cancel) return cancels(ops);
    if (row == rows::throw1) return throws(ops, 1);
    if (row == rows::throw10) return throws(ops, 10);
    if (row == rows::sleeps) return sleeps(ops, late);
    if (row == rows::timer) return timers(ops);
    if (row == rows::socket) return sockets(ops);
    if (row == rows::queue) return queue(ops);
    if (row == rows::handover) return handover(ops);
    return threads(ops);
  }

  corun::Runner runner_;
};

}  // namespace

std::unique_ptr<Contestant> make_corun() { return std::make_unique<Corun>(); }

}  // namespace bench
