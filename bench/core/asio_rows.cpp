// SPDX-License-Identifier: MIT
// boost::asio::awaitable, once with the executor of an io_context and once type-erased, which is what the documentation's examples use.
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <deque>
#include <optional>

#include "bench/core/contestant.hpp"

namespace bench {
namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

template <class Executor>
struct Rows {
  template <class T = void>
  using Co = asio::awaitable<T, Executor>;
  using Token = asio::use_awaitable_t<Executor>;
  using Timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, Executor>;
  static constexpr Token use{};

  [[gnu::noinline]] static Co<int> leaf(int x) { co_return x + 1; }

  static Co<> nested(std::size_t ops) {
    int sum = 0;
    for (std::size_t i = 0; i < ops; ++i) sum = co_await leaf(sum);
  }

  [[gnu::noinline]] static Co<int> chain(std::size_t depth) {
    if (depth == 1) co_return 1;
    co_return 1 + co_await chain(depth - 1);
  }

  static Co<> chains(std::size_t ops) {
    for (std::size_t i = 0; i < ops; i += rows::chain_frames) co_await chain(rows::chain_frames);
  }

  static Co<> yields(std::size_t ops) {
    Executor executor = co_await asio::this_coro::executor;
    for (std::size_t i = 0; i < ops; ++i) co_await asio::post(executor, use);
  }

  [[gnu::noinline]] static Co<> nothing() { co_return; }

  static Co<> spawns(std::size_t ops) {
    Executor executor = co_await asio::this_coro::executor;
    for (std::size_t i = 0; i < ops; ++i) co_await asio::co_spawn(executor, nothing(), use);
  }

  // co_spawn gives nothing to join later: the tasks count themselves out, and the last one wakes who waits.
  struct Countdown {
    explicit Countdown(Executor executor) : gate(executor) {}
    Timer gate;
    std::size_t left = 0;
  };

  static Co<> batches(std::size_t ops) {
    Executor executor = co_await asio::this_coro::executor;
    Countdown countdown(executor);
    for (std::size_t i = 0; i < ops; i += rows::batch_tasks) {
      countdown.left = rows::batch_tasks;
      countdown.gate.expires_at(clock::time_point::max());
      for (std::size_t k = 0; k < rows::batch_tasks; ++k) asio::co_spawn(executor, nothing(), Counted{countdown});
      co_await wait_for(countdown);
    }
  }

  struct Counted {
    Countdown& countdown;
    void operator()(std::exception_ptr) const {
      if (--countdown.left == 0) countdown.gate.cancel();
    }
  };

  static Co<> wait_for(Countdown& countdown) {
    try {
      if (countdown.left > 0) co_await countdown.gate.async_wait(use);
    } catch (const boost::system::system_error&) {
    }
  }

  static Co<> long_sleep() {
    Timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(use);
  }

  static Co<> cancels(std::size_t ops) {
    Executor executor = co_await asio::this_coro::executor;
    for (std::size_t i = 0; i < ops; ++i) {
      asio::cancellation_signal signal;
      Countdown countdown(executor);
      countdown.left = 1;
      countdown.gate.expires_at(clock::time_point::max());
      std::exception_ptr error;
      auto done = [&](std::exception_ptr e) {
        error = e;
        countdown.left = 0;
        countdown.gate.cancel();
      };
      asio::co_spawn(executor, long_sleep(), asio::bind_cancellation_slot(signal.slot(), done));
      co_await asio::post(executor, use);
      co_await asio::post(executor, use);
      signal.emit(asio::cancellation_type::terminal);
      co_await wait_for(countdown);
      try {
        if (error) std::rethrow_exception(error);
      } catch (const boost::system::system_error&) {
      }
    }
  }

  [[gnu::noinline]] static Co<int> thrower(std::size_t depth) {
    if (depth == 1) throw 1;
    co_return 1 + co_await thrower(depth - 1);
  }

  static Co<> throws(std::size_t ops, std::size_t depth) {
    for (std::size_t i = 0; i < ops; ++i) {
      try {
        co_await thrower(depth);
      } catch (int) {
      }
    }
  }

  static Co<> sleeper(double& late_ns) {
    auto until = clock::now() + 10ms;
    Timer timer(co_await asio::this_coro::executor, 10ms);
    co_await timer.async_wait(use);
    late_ns = static_cast<double>((clock::now() - until).count());
  }

  static Co<> sleeps(std::size_t ops, std::vector<double>& late) {
    Executor executor = co_await asio::this_coro::executor;
    Countdown countdown(executor);
    countdown.left = ops;
    countdown.gate.expires_at(clock::time_point::max());
    for (std::size_t i = 0; i < ops; ++i) asio::co_spawn(executor, sleeper(late[i]), Counted{countdown});
    co_await wait_for(countdown);
  }

  static Co<> timers(std::size_t ops) {
    Timer timer(co_await asio::this_coro::executor);
    for (std::size_t i = 0; i < ops; ++i) {
      timer.expires_after(20us);
      co_await timer.async_wait(use);
    }
  }

  static Co<> sockets(std::size_t ops) {
    asio::basic_stream_socket<asio::local::stream_protocol, Executor> a(co_await asio::this_coro::executor),
        b(co_await asio::this_coro::executor);
    asio::local::connect_pair(a, b);
    char out = 'x', in = 0;
    for (std::size_t i = 0; i < ops; ++i) {
      co_await a.async_write_some(asio::buffer(&out, 1), use);
      co_await b.async_read_some(asio::buffer(&in, 1), use);
    }
  }

  static Co<> in_pool(asio::thread_pool& pool) {
    auto there_and_back = [&pool](auto handler) {
      auto executor = asio::get_associated_executor(handler);
      asio::post(pool, [handler = std::move(handler), work = asio::make_work_guard(executor)]() mutable {
        asio::post(work.get_executor(), std::move(handler));
      });
    };
    co_await asio::async_initiate<const Token, void()>(there_and_back, use);
  }

  // Beside a socket that is waited for, as in any program that does I/O: without one Asio's loop would sleep on a condition variable.
  static Co<> threads(std::size_t ops, asio::thread_pool& pool) {
    asio::basic_stream_socket<asio::local::stream_protocol, Executor> a(co_await asio::this_coro::executor),
        b(co_await asio::this_coro::executor);
    asio::local::connect_pair(a, b);
    b.async_wait(asio::socket_base::wait_read, [](boost::system::error_code) {});
    for (std::size_t i = 0; i < ops; ++i) co_await in_pool(pool);
  }

  using Channel = asio::experimental::channel<Executor, void(boost::system::error_code, int)>;

  static Co<> queue(std::size_t ops) {
    Channel channel(co_await asio::this_coro::executor, 16);
    for (std::size_t i = 0; i < ops; ++i) {
      co_await channel.async_send(boost::system::error_code(), 1, use);
      co_await channel.async_receive(use);
    }
  }

  static Co<> produce(Channel& channel, std::size_t ops) {
    for (std::size_t i = 0; i < ops; ++i) co_await channel.async_send(boost::system::error_code(), 1, use);
  }

  static Co<> handover(std::size_t ops) {
    Executor executor = co_await asio::this_coro::executor;
    Channel channel(executor, 1);
    asio::co_spawn(executor, produce(channel, ops), [](std::exception_ptr) {});
    for (std::size_t i = 0; i < ops; ++i) co_await channel.async_receive(use);
  }

  static Co<> sleep_all(std::size_t count, Memory& taken) {
    Executor executor = co_await asio::this_coro::executor;
    std::deque<asio::cancellation_signal> signals(count);
    Memory before = memory_now();
    for (std::size_t i = 0; i < count; ++i)
      asio::co_spawn(executor, long_sleep(), asio::bind_cancellation_slot(signals[i].slot(), [](std::exception_ptr) {}));
    co_await asio::post(executor, use);
    co_await asio::post(executor, use);
    Memory after = memory_now();
    taken.heap_bytes = after.heap_bytes - before.heap_bytes;
    taken.resident_bytes = after.resident_bytes - before.resident_bytes;
    for (auto& signal : signals) signal.emit(asio::cancellation_type::terminal);
    co_await asio::post(executor, use);
  }
};

template <class Executor>
class Asio final : public Contestant {
 public:
  explicit Asio(std::string_view name) : name_(name) {}
  std::string_view name() const override { return name_; }
  bool has(std::string_view) const override { return true; }

  Sample round(std::string_view row, std::size_t ops) override {
    std::vector<double> late(row == rows::sleeps ? ops : 0);
    if (row == rows::thread && !pool_) pool_.emplace(1);
    Sample sample = measured(ops, [&] { run(main(row, ops, late)); });
    if (!late.empty()) sample.late_p50_us = median_us(std::move(late));
    return sample;
  }

  std::optional<Memory> sleeping_tasks(std::size_t count) override {
    Memory taken;
    run(Rows<Executor>::sleep_all(count, taken));
    return taken;
  }

 private:
  template <class T>
  using Co = asio::awaitable<T, Executor>;

  void run(Co<void> main) {
    context_.restart();
    asio::co_spawn(Executor(context_.get_executor()), std::move(main), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    });
    context_.run();
  }

  Co<void> main(std::string_view row, std::size_t ops, std::vector<double>& late) {
    using R = Rows<Executor>;
    if (row == rows::nested) return R::nested(ops);
    if (row == rows::chain) return R::chains(ops);
    if (row == rows::yield) return R::yields(ops);
    if (row == rows::spawn) return R::spawns(ops);
    if (row == rows::batch) return R::batches(ops);
    if (row == rows::cancel) return R::cancels(ops);
    if (row == rows::throw1) return R::throws(ops, 1);
    if (row == rows::throw10) return R::throws(ops, 10);
    if (row == rows::sleeps) return R::sleeps(ops, late);
    if (row == rows::timer) return R::timers(ops);
    if (row == rows::socket) return R::sockets(ops);
    if (row == rows::queue) return R::queue(ops);
    if (row == rows::handover) return R::handover(ops);
    return R::threads(ops, *pool_);
  }

  std::string_view name_;
  asio::io_context context_{1};
  std::optional<asio::thread_pool> pool_;
};

}  // namespace

std::unique_ptr<Contestant> make_asio_io_context() {
  return std::make_unique<Asio<asio::io_context::executor_type>>("asio (io_context)");
}
std::unique_ptr<Contestant> make_asio_any_executor() { return std::make_unique<Asio<asio::any_io_executor>>("asio (any)"); }

}  // namespace bench
