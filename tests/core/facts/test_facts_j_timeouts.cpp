// SPDX-License-Identifier: MIT
// Facts 122-125: timeout and wait_for.
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::Future;
using corun::RuntimeError;
using corun::Timeout;
using corun::TimeoutError;
using tests::Reports;
using tests::text_of;

namespace {

Coro<> wait_for_ever() { co_await Future<>(); }

// Runs a coroutine function on the virtual clock.
template <class F>
auto on_virtual_time(F main) {
  return corun::run(main(), tests::virtual_time());
}

corun::time_point now() { return corun::get_running_loop().time(); }

}  // namespace

TEST_CASE("122: at its time a timeout cancels the task; a TimeoutError caused by that leaves the block") {
  on_virtual_time([]() -> Coro<> {
    auto begin = now();
    bool cancelled = false;
    bool nested = false;
    auto body = [&](Timeout&) -> Coro<> {
      try {
        co_await Future<>();
      } catch (const CancelledError&) {
        cancelled = true;
        throw;
      }
    };
    try {
      co_await corun::timeout(3s, body);
    } catch (const TimeoutError& error) {
      try {
        std::rethrow_if_nested(error);
      } catch (const CancelledError&) {
        nested = true;
      }
    }
    CHECK(cancelled);
    CHECK(nested);
    CHECK(now() - begin == 3s);
    CHECK(corun::current_task().cancelling() == 0);
  });
}

TEST_CASE("122: expired beside another request it stays a CancelledError") {
  auto main = []() -> Coro<> {
    auto me = corun::current_task();
    auto body = [](Timeout&) -> Coro<> { co_await Future<>(); };
    corun::get_running_loop().call_later(3s, [me] { me.cancel("from outside"); });
    co_await corun::timeout(3s, body);
  };
  CHECK_THROWS_AS(on_virtual_time(main), CancelledError);
}

TEST_CASE("122: requests that were there at the entry do not count") {
  on_virtual_time([]() -> Coro<> {
    auto me = corun::current_task();
    me.cancel();
    try {
      co_await corun::sleep(1s);
    } catch (const CancelledError&) {
    }
    CHECK(me.cancelling() == 1);
    bool timed_out = false;
    auto body = [](Timeout&) -> Coro<> { co_await Future<>(); };
    try {
      co_await corun::timeout(1s, body);
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    CHECK(timed_out);
    CHECK(me.cancelling() == 1);
    me.uncancel();
  });
}

TEST_CASE("123: a cancellation that is swallowed inside the block is no TimeoutError; it has expired") {
  on_virtual_time([]() -> Coro<> {
    bool expired = false;
    auto body = [&](Timeout& scope) -> Coro<int> {
      try {
        co_await Future<>();
      } catch (const CancelledError&) {
      }
      expired = scope.expired();
      co_return 3;
    };
    int value = co_await corun::timeout(1s, body);
    CHECK(value == 3);
    CHECK(expired);
    CHECK(corun::current_task().cancelling() == 0);
  });
}

TEST_CASE("123: another exception passes through unchanged, before and after the time") {
  on_virtual_time([]() -> Coro<> {
    for (bool late : {false, true}) {
      auto body = [late](Timeout&) -> Coro<> {
        try {
          if (late) co_await Future<>();
        } catch (const CancelledError&) {
        }
        throw std::domain_error("E");
      };
      std::string text;
      try {
        co_await corun::timeout(1s, body);
      } catch (const std::domain_error& error) {
        text = error.what();
      }
      CHECK(text == "E");
    }
  });
}

TEST_CASE("123: a cancellation from outside before the time is a CancelledError; it has not expired") {
  on_virtual_time([]() -> Coro<> {
    bool expired = true;
    auto body = [&](Timeout& scope) -> Coro<> {
      try {
        co_await Future<>();
      } catch (const CancelledError&) {
        expired = scope.expired();
        throw;
      }
    };
    auto job = [&]() -> Coro<> { co_await corun::timeout(1h, body); };
    auto task = corun::create_task(job());
    co_await corun::sleep(1s);
    task.cancel("from outside");
    co_await corun::sleep(0s);
    CHECK(task.cancelled());
    CHECK_FALSE(expired);
    CHECK(corun::get_running_loop().stats().timers == 0);
  });
}

TEST_CASE("124: zero or negative time enters the body and fires at its first await that suspends") {
  on_virtual_time([]() -> Coro<> {
    for (auto limit : {0s, -5s}) {
      bool entered = false;
      bool passed = false;
      bool timed_out = false;
      auto body = [&](Timeout&) -> Coro<> {
        entered = true;
        co_await corun::sleep(1s);
        passed = true;
      };
      try {
        co_await corun::timeout(limit, body);
      } catch (const TimeoutError&) {
        timed_out = true;
      }
      CHECK(entered);
      CHECK_FALSE(passed);
      CHECK(timed_out);
    }
  });
}

TEST_CASE("124: no time never fires") {
  on_virtual_time([]() -> Coro<> {
    auto body = [](Timeout& scope) -> Coro<> {
      CHECK_FALSE(scope.when().has_value());
      co_await corun::sleep(100h);
      CHECK_FALSE(scope.expired());
    };
    co_await corun::timeout(std::nullopt, body);
  });
}

TEST_CASE("124: a timeout is rescheduled while it is active, and only then") {
  on_virtual_time([]() -> Coro<> {
    auto begin = now();
    Timeout* seen = nullptr;
    std::string expiring;
    auto body = [&](Timeout& scope) -> Coro<> {
      seen = &scope;
      scope.reschedule(now() + 5s);
      CHECK(*scope.when() == begin + 5s);
      try {
        co_await Future<>();
      } catch (const CancelledError&) {
        expiring = text_of<RuntimeError>([&] { scope.reschedule(std::nullopt); });
        throw;
      }
    };
    bool timed_out = false;
    try {
      co_await corun::timeout(1s, body);
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    CHECK(timed_out);
    CHECK(now() - begin == 5s);
    CHECK(expiring == "Cannot change state of expiring Timeout");
  });
}

TEST_CASE("124: each state says its name to who reschedules it") {
  on_virtual_time([]() -> Coro<> {
    Timeout created(std::nullopt);
    CHECK(text_of<RuntimeError>([&] { created.reschedule(std::nullopt); }) == "Timeout has not been entered");
    created.enter();
    CHECK(text_of<RuntimeError>([&] { created.enter(); }) == "Timeout has already been entered");
    std::exception_ptr none;
    created.exit(none);
    CHECK(text_of<RuntimeError>([&] { created.reschedule(std::nullopt); }) ==
          "Cannot change state of finished Timeout");
    co_return;
  });
  Timeout outside(std::nullopt);
  CHECK(text_of<RuntimeError>([&] { outside.enter(); }) == "Timeout should be used inside a task");
}

TEST_CASE("124: of nested timeouts the outermost that has expired is the one that reports") {
  on_virtual_time([]() -> Coro<> {
    bool inner_timed_out = false;
    bool outer_timed_out = false;
    auto inner = [](Timeout&) -> Coro<> { co_await Future<>(); };
    auto outer = [&](Timeout&) -> Coro<> {
      try {
        co_await corun::timeout(2s, inner);
      } catch (const TimeoutError&) {
        inner_timed_out = true;
        throw;
      }
    };
    try {
      co_await corun::timeout(2s, outer);  // both at one time
    } catch (const TimeoutError&) {
      outer_timed_out = true;
    }
    CHECK(outer_timed_out);
    CHECK_FALSE(inner_timed_out);
    CHECK(corun::current_task().cancelling() == 0);

    outer_timed_out = false;
    try {
      co_await corun::timeout(5s, outer);
    } catch (const TimeoutError&) {
    }
    CHECK(inner_timed_out);
  });
}

TEST_CASE("125: wait_for with no time left does not start a coroutine") {
  Reports reports;
  auto main = []() -> Coro<> {
    bool started = false;
    bool timed_out = false;
    auto body = [&]() -> Coro<> {
      started = true;
      co_return;
    };
    try {
      co_await corun::wait_for(body(), 0s);
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    CHECK(timed_out);
    CHECK_FALSE(started);
    Future<int> ready;
    ready.set_result(2);
    int value = co_await corun::wait_for(ready, 0s);
    CHECK(value == 2);
  };
  corun::run(main(), tests::virtual_time_heard_by(reports));
  CHECK(reports.warnings.empty());
}

TEST_CASE("125: at its time wait_for waits until the cancelled job has ended") {
  on_virtual_time([]() -> Coro<> {
    auto begin = now();
    auto slow_to_cancel = []() -> Coro<> {
      bool cancelled = false;
      try {
        co_await Future<>();
      } catch (const CancelledError&) {
        cancelled = true;
      }
      if (cancelled) co_await corun::sleep(10s);
      throw CancelledError();
    };
    auto task = corun::create_task(slow_to_cancel());
    bool timed_out = false;
    try {
      co_await corun::wait_for(task, 1s);
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    CHECK(timed_out);
    CHECK(task.cancelled());
    CHECK(now() - begin == 11s);
  });
}

TEST_CASE("125: a job that swallows the cancellation and returns gives its value") {
  on_virtual_time([]() -> Coro<> {
    auto stubborn = []() -> Coro<int> {
      try {
        co_await Future<>();
      } catch (const CancelledError&) {
      }
      co_return 6;
    };
    auto task = corun::create_task(stubborn());
    int of_task = co_await corun::wait_for(task, 1s);
    CHECK(of_task == 6);
    int of_coroutine = co_await corun::wait_for(stubborn(), 1s);
    CHECK(of_coroutine == 6);
  });
}

TEST_CASE("125: cancelling who waits cancels the job") {
  on_virtual_time([]() -> Coro<> {
    auto job = corun::create_task(wait_for_ever());
    auto body = [&]() -> Coro<> { co_await corun::wait_for(job, 1h); };
    auto waiting = corun::create_task(body());
    co_await corun::sleep(1s);
    waiting.cancel();
    co_await corun::sleep(1s);
    CHECK(waiting.cancelled());
    CHECK(job.cancelled());
  });
}
