// SPDX-License-Identifier: MIT
#include <corun/corun.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using corun::use_coro;
namespace asio = boost::asio;

namespace {

corun::Coro<int> ours(int value) {
  co_await corun::sleep(1ms);
  if (value < 0) throw std::invalid_argument("negative");
  co_return value;
}

asio::awaitable<int> theirs(int value) {
  asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
  co_await timer.async_wait(asio::use_awaitable);
  if (value < 0) throw std::invalid_argument("negative");
  co_return value;
}

}  // namespace

TEST_CASE("an asio::awaitable is awaited in a Coro, with its result and its exception") {
  corun::run([]() -> corun::Coro<> {
    auto& context = corun::get_running_loop().io_context();
    auto result_1 = co_await asio::co_spawn(context, theirs(5), use_coro);
    CHECK(result_1 == 5);
    bool thrown = false;
    try {
      co_await asio::co_spawn(context, theirs(-1), use_coro);
    } catch (const std::invalid_argument&) {
      thrown = true;
    }
    CHECK(thrown);
  }());
}

TEST_CASE("a Coro is awaited in an asio::awaitable, with its result and its exception") {
  corun::run([]() -> corun::Coro<> {
    corun::Loop& loop = corun::get_running_loop();
    auto program = [](corun::Loop* on) -> asio::awaitable<int> {
      int sum = co_await corun::co_spawn(*on, ours(2), asio::use_awaitable);
      bool thrown = false;
      try {
        co_await corun::co_spawn(*on, ours(-1), asio::use_awaitable);
      } catch (const std::invalid_argument&) {
        thrown = true;
      }
      co_return thrown ? sum + 40 : -1;
    };
    auto result_2 = co_await asio::co_spawn(loop.io_context(), program(&loop), use_coro);
    CHECK(result_2 == 42);
  }());
}

TEST_CASE("cancellation passes the border both ways") {
  corun::run([]() -> corun::Coro<> {
    corun::Loop& loop = corun::get_running_loop();
    // From a task into an awaitable.
    bool aborted = false;
    auto program = [](bool* seen) -> asio::awaitable<void> {
      asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
      try {
        co_await timer.async_wait(asio::use_awaitable);
      } catch (const boost::system::system_error&) {
        *seen = true;
        throw;
      }
    };
    auto waiting = corun::create_task([&]() -> corun::Coro<> { co_await asio::co_spawn(loop.io_context(), program(&aborted), use_coro); });
    co_await corun::sleep(2ms);
    waiting.cancel();
    bool cancelled = false;
    try {
      co_await waiting;
    } catch (const corun::CancelledError&) {
      cancelled = true;
    }
    CHECK(cancelled);
    CHECK(aborted);

    // From Asio's slot into a task.
    asio::cancellation_signal signal;
    corun::Future<bool> ended;
    corun::co_spawn(loop, corun::sleep(1h), asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error) {
                      ended.set_result(error != nullptr);
                    }));
    co_await corun::sleep(0s);
    signal.emit(asio::cancellation_type::terminal);
    auto result_3 = co_await ended;
    CHECK(result_3);
  }());
}
