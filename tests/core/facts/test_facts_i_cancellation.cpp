// SPDX-License-Identifier: MIT
// Facts 110-121: cancellation, and the order in which things run.
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::Future;
using corun::RuntimeError;
using corun::Task;
using tests::Reports;
using tests::text_of;

namespace {

Coro<> passes(int count) {
  for (int pass = 0; pass < count; ++pass) co_await corun::sleep(0s);
}

Coro<> wait_for_ever() { co_await Future<>(); }

Coro<int> swallow_and_return(int value) {
  try {
    co_await Future<>();
  } catch (const CancelledError&) {
  }
  co_return value;
}

// An operation that a test completes by hand: completion token support as any Asio operation has it.
struct ByHand {
  std::function<void(int)> complete;

  template <class Token>
  auto async_wait(Token&& token) {
    return boost::asio::async_initiate<Token, void(int)>(
        [this](auto handler) {
          auto kept = std::make_shared<decltype(handler)>(std::move(handler));
          complete = [kept](int value) { (*kept)(value); };
        },
        token);
  }
};

}  // namespace

TEST_CASE("110: cancel counts and never throws into the task at once; a finished task refuses it") {
  auto main = []() -> Coro<> {
    bool thrown = false;
    auto job = [&]() -> Coro<> {
      try {
        co_await Future<>();
      } catch (const CancelledError& error) {
        thrown = true;
        CHECK(error.message() == "enough");
        throw;
      }
    };
    auto task = corun::create_task(job());
    co_await passes(1);
    CHECK(task.cancel("enough"));
    CHECK(task.cancelling() == 1);
    CHECK_FALSE(thrown);
    CHECK_FALSE(task.done());
    co_await passes(1);
    CHECK(thrown);
    CHECK(task.cancelled());
    CHECK_FALSE(task.cancel());
    CHECK(task.cancelling() == 1);
  };
  corun::run(main());
}

TEST_CASE("111: a request is passed down to what is waited for, and its outcome decides") {
  auto main = []() -> Coro<> {
    auto child = corun::create_task(swallow_and_return(9));
    int cancelling = -1;
    auto outer_body = [&]() -> Coro<int> {
      int value = co_await child;
      cancelling = corun::current_task().cancelling();
      co_return value;
    };
    auto outer = corun::create_task(outer_body());
    co_await passes(2);
    CHECK(outer.cancel());
    CHECK(child.cancelling() == 1);
    int value = co_await outer;
    CHECK(value == 9);
    CHECK_FALSE(outer.cancelled());
    CHECK(cancelling == 1);

    Future<> future;
    auto waiting_body = [&]() -> Coro<> { co_await future; };
    auto waiting = corun::create_task(waiting_body());
    co_await passes(1);
    waiting.cancel();
    CHECK(future.cancelled());
    co_await passes(1);
    CHECK(waiting.cancelled());
  };
  corun::run(main());
}

TEST_CASE("112: where the awaited future is done already the task is cancelled; the result stays readable") {
  auto main = []() -> Coro<> {
    Future<int> future;
    bool received = false;
    auto body = [&]() -> Coro<> {
      co_await future;
      received = true;
    };
    auto task = corun::create_task(body());
    co_await passes(1);
    future.set_result(4);
    CHECK(task.cancel());
    co_await passes(1);
    CHECK(task.cancelled());
    CHECK_FALSE(received);
    CHECK(future.result() == 4);
  };
  corun::run(main());
}

TEST_CASE("112: an operation that completed although cancelled delivers its data, the next await throws") {
  auto main = []() -> Coro<> {
    ByHand operation;
    int received = 0;
    bool went_on = false;
    auto body = [&]() -> Coro<> {
      received = co_await operation.async_wait(corun::use_coro);
      co_await corun::sleep(0s);
      went_on = true;
    };
    auto task = corun::create_task(body());
    co_await passes(1);
    operation.complete(7);
    CHECK(task.cancel());
    co_await passes(2);
    CHECK(received == 7);
    CHECK_FALSE(went_on);
    CHECK(task.cancelled());
  };
  corun::run(main());
}

TEST_CASE("112: a cancelled read loses no byte") {
  using Socket = boost::asio::local::stream_protocol::socket;
  auto main = []() -> Coro<> {
    auto& io = corun::get_running_loop().io_context();
    Socket here(io), there(io);
    boost::asio::local::connect_pair(here, there);
    std::string all;
    auto body = [&]() -> Coro<> {
      char bytes[8];
      std::size_t n = co_await here.async_read_some(boost::asio::buffer(bytes), corun::use_coro);
      all.append(bytes, n);
      co_await corun::sleep(0s);
    };
    auto read = corun::create_task(body());
    co_await passes(1);
    there.write_some(boost::asio::buffer("one", 3));
    read.cancel();
    try {
      co_await read;
    } catch (const CancelledError&) {
    }
    there.write_some(boost::asio::buffer("two", 3));
    while (all.size() < 6) co_await body();
    CHECK(all == "onetwo");
  };
  corun::run(main());
}

TEST_CASE("113: a task that is cancelled before its first step never runs its body") {
  Reports reports;
  auto main = []() -> Coro<> {
    bool ran = false;
    auto body = [&]() -> Coro<> {
      ran = true;
      co_return;
    };
    auto task = corun::create_task(body());
    CHECK(task.cancel());
    co_await passes(1);
    CHECK(task.cancelled());
    CHECK_FALSE(ran);
  };
  corun::run(main(), tests::heard_by(reports));
  CHECK(reports.warnings.empty());
}

TEST_CASE("114: two requests before the next step are one CancelledError, and the awaits after it are free") {
  auto main = []() -> Coro<> {
    int thrown = 0;
    auto body = [&]() -> Coro<> {
      try {
        co_await Future<>();
      } catch (const CancelledError&) {
        ++thrown;
      }
      try {
        co_await passes(3);
      } catch (const CancelledError&) {
        ++thrown;
      }
    };
    auto task = corun::create_task(body());
    co_await passes(1);
    CHECK(task.cancel());
    CHECK(task.cancel());
    CHECK(task.cancelling() == 2);
    co_await task;
    CHECK(thrown == 1);
    CHECK_FALSE(task.cancelled());
  };
  corun::run(main());
}

TEST_CASE("115: a request in the step in which the body returns discards its result") {
  auto main = []() -> Coro<> {
    auto body = []() -> Coro<int> {
      co_await corun::sleep(0s);
      corun::current_task().cancel("at the end");
      co_return 5;
    };
    auto task = corun::create_task(body());
    std::string message;
    try {
      co_await task;
    } catch (const CancelledError& error) {
      message = error.message();
    }
    CHECK(message == "at the end");
    CHECK(task.cancelled());
  };
  corun::run(main());
}

TEST_CASE("116: uncancel takes a request back, and the last one withdraws what was not delivered") {
  auto main = []() -> Coro<> {
    auto me = corun::current_task();
    CHECK(me.uncancel() == 0);
    me.cancel();
    me.cancel();
    CHECK(me.uncancel() == 1);
    CHECK(me.uncancel() == 0);
    CHECK(me.uncancel() == 0);
    co_await corun::sleep(0s);  // not cancelled any more
    me.cancel();
    me.cancel();
    CHECK(me.uncancel() == 1);
    bool thrown = false;
    try {
      co_await corun::sleep(0s);
    } catch (const CancelledError&) {
      thrown = true;
    }
    CHECK(thrown);
    me.uncancel();
  };
  corun::run(main());
}

TEST_CASE("117: a body that throws CancelledError by itself makes its task cancelled, with no request") {
  Reports reports;
  auto main = []() -> Coro<> {
    auto body = []() -> Coro<> {
      co_await corun::sleep(0s);
      throw CancelledError("of my own");
    };
    auto task = corun::create_task(body());
    co_await passes(2);
    CHECK(task.cancelled());
    CHECK(task.cancelling() == 0);
    CHECK(text_of<CancelledError>([&] { task.result(); }) == "of my own");
  };
  corun::run(main(), tests::heard_by(reports));
  CHECK(reports.errors.empty());
}

TEST_CASE("118: awaiting a cancelled task throws CancelledError without counting a request of the awaiter") {
  auto main = []() -> Coro<> {
    auto task = corun::create_task(wait_for_ever());
    task.cancel("theirs");
    std::string message;
    try {
      co_await task;
    } catch (const CancelledError& error) {
      message = error.message();
    }
    CHECK(message == "theirs");
    CHECK(corun::current_task().cancelling() == 0);
    co_await passes(2);
  };
  corun::run(main());
}

TEST_CASE("119: a task that awaits itself gets a RuntimeError") {
  auto main = []() -> Coro<> {
    std::optional<Task<>> self;
    std::string text;
    auto body = [&]() -> Coro<> {
      try {
        co_await *self;
      } catch (const RuntimeError& error) {
        text = error.what();
      }
    };
    self = corun::create_task(body(), {.name = "narcissus"});
    co_await passes(2);
    CHECK(text.find("Task cannot await on itself") == 0);
    CHECK(text.find("narcissus") != text.npos);
    CHECK(self->done());
  };
  corun::run(main());
}

TEST_CASE("119: awaiting a future of another loop throws a RuntimeError") {
  corun::Runner other;
  std::optional<Future<>> foreign;
  auto make = [&]() -> Coro<> {
    foreign.emplace();
    co_return;
  };
  other.run(make());
  auto main = [&]() -> Coro<> { co_await *foreign; };
  CHECK(text_of<RuntimeError>([&] { corun::run(main()); }).find("attached to a different loop") !=
        std::string::npos);
}

TEST_CASE("120: what is ready runs in order, and what it makes ready runs in the next pass") {
  std::vector<std::string> order;
  auto main = [&]() -> Coro<> {
    auto& loop = corun::get_running_loop();
    auto note = [&](std::string text) { order.push_back(std::move(text)); };
    auto child = [&]() -> Coro<> {
      note("task");
      co_return;
    };
    loop.call_soon([&] {
      note("a");
      loop.call_soon([&] { note("made by a"); });
    });
    auto task = corun::create_task(child());
    loop.call_soon([&] { note("b"); });
    co_await passes(1);
    note("main");
    co_await passes(1);
  };
  corun::run(main());
  CHECK(order == std::vector<std::string>{"a", "task", "b", "main", "made by a"});
}

TEST_CASE("120: callbacks that always make another one ready do not keep I/O and timers from their turn") {
  using Socket = boost::asio::local::stream_protocol::socket;
  auto main = []() -> Coro<> {
    auto& loop = corun::get_running_loop();
    Socket here(loop.io_context()), there(loop.io_context());
    boost::asio::local::connect_pair(here, there);
    bool busy = true;
    auto spin = [&]() -> Coro<> {
      while (busy) co_await corun::sleep(0s);
    };
    auto spinning = corun::create_task(spin());
    co_await corun::sleep(1ms);
    there.write_some(boost::asio::buffer("x", 1));
    char byte = 0;
    co_await here.async_read_some(boost::asio::buffer(&byte, 1), corun::use_coro);
    CHECK(byte == 'x');
    busy = false;
    co_await spinning;
  };
  corun::run(main());
}

TEST_CASE("121: sleep of zero or less yields one pass and sets no timer") {
  auto main = []() -> Coro<> {
    auto& loop = corun::get_running_loop();
    for (auto delay : {0ms, -5ms}) {
      int others = 0;
      loop.call_soon([&] {
        ++others;
        CHECK(loop.stats().timers == 0);
        loop.call_soon([&] { ++others; });
      });
      co_await corun::sleep(delay);
      CHECK(others == 1);
      co_await passes(1);
      CHECK(others == 2);
    }
  };
  corun::run(main());
}

TEST_CASE("121: sleep of NaN is a ValueError") {
  auto main = []() -> Coro<> {
    co_await corun::sleep(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()));
  };
  CHECK_THROWS_AS(corun::run(main()), corun::ValueError);
}

TEST_CASE("121: a cancelled sleep takes its timer back") {
  auto main = []() -> Coro<> {
    auto& loop = corun::get_running_loop();
    auto sleeper = []() -> Coro<> { co_await corun::sleep(1h); };
    auto task = corun::create_task(sleeper());
    co_await passes(1);
    CHECK(loop.stats().timers == 1);
    task.cancel();
    CHECK(loop.stats().timers == 0);
    co_await passes(1);
    CHECK(task.cancelled());
  };
  corun::run(main());
}
