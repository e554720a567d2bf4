// SPDX-License-Identifier: MIT
// Facts 42-61: a first signal during run. What follows upon a second one: test_facts_d_interrupts.cpp.
#include <corun/corun.hpp>
#include <thread>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/reports.hpp"
#include "support/signals.hpp"

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::KeyboardInterrupt;
using corun::Runner;
using corun::RunnerOptions;
using tests::Disposition;
using tests::disposition_is;
using tests::Reports;
using tests::text_of;

namespace {

volatile sig_atomic_t handled = 0;
extern "C" void count_signal(int) { handled = handled + 1; }
extern "C" void another_handler(int) {}

Coro<> raise_and_yield(int signal) {
  ::raise(signal);
  co_await corun::sleep(0s);
}

Coro<> wait_for_ever() { co_await corun::Future<>(); }

// Raises SIGINT in the running loop soon, while main waits.
void raise_soon(int signal = SIGINT) {
  corun::get_running_loop().call_soon([signal] { ::raise(signal); });
}

// Main waits, is interrupted, and then does what `then` says.
template <class T, class F>
Coro<T> interrupted_then(F then) {
  raise_soon();
  std::optional<CancelledError> cancelled;
  try {
    co_await corun::Future<>();
  } catch (const CancelledError& error) {
    cancelled = error;
  }
  co_return then(*cancelled);
}

}  // namespace

TEST_CASE("42: a handler is installed during run in the main thread where the disposition is the default") {
  auto default_now = []() -> Coro<bool> { co_return disposition_is(SIGINT, SIG_DFL); };
  Disposition normal(SIGINT, SIG_DFL);
  CHECK_FALSE(corun::run(default_now()));
  CHECK(disposition_is(SIGINT, SIG_DFL));
  bool default_in_other_thread = false;
  std::thread other([&] { default_in_other_thread = corun::run(default_now()); });
  other.join();
  CHECK(default_in_other_thread);
}

TEST_CASE("42: a handler with siginfo counts as foreign") {
  struct sigaction theirs {
  }, before{};
  theirs.sa_flags = SA_SIGINFO;
  theirs.sa_sigaction = [](int, siginfo_t*, void*) { handled = handled + 1; };
  ::sigaction(SIGINT, &theirs, &before);
  handled = 0;
  corun::run(raise_and_yield(SIGINT));
  struct sigaction now {};
  ::sigaction(SIGINT, &before, &now);
  CHECK(handled == 1);
  CHECK(now.sa_sigaction == theirs.sa_sigaction);
}

TEST_CASE("43: a user's own handler gets the signal and run goes on") {
  Disposition theirs(SIGINT, count_signal);
  handled = 0;
  corun::run(raise_and_yield(SIGINT));
  CHECK(handled == 1);
  CHECK(disposition_is(SIGINT, count_signal));
}

TEST_CASE("44: an ignored signal stays ignored during run") {
  Disposition ignored(SIGINT, SIG_IGN);
  corun::run(raise_and_yield(SIGINT));
  CHECK(disposition_is(SIGINT, SIG_IGN));
}

TEST_CASE("45: a handler that main puts in place of the runner's stays after run") {
  Disposition normal(SIGINT, SIG_DFL);
  auto replace = []() -> Coro<> {
    struct sigaction theirs {};
    theirs.sa_handler = another_handler;
    ::sigaction(SIGINT, &theirs, nullptr);
    co_return;
  };
  corun::run(replace());
  CHECK(disposition_is(SIGINT, another_handler));
}

TEST_CASE("46: between two runs a signal has its default disposition") {
  auto end = tests::in_child([] {
    Runner runner;
    auto main = []() -> Coro<> { co_return; };
    runner.run(main());
    ::raise(SIGINT);
    return 0;
  });
  CHECK(end.signal == SIGINT);
}

TEST_CASE("46: a first signal during close ends the waiting, and the remaining steps run") {
  Disposition normal(SIGINT, SIG_DFL);
  Reports reports;
  bool generator_closed = false;
  std::optional<corun::AsyncGenerator<int>> generator;
  auto numbers = [&]() -> corun::AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const corun::GeneratorExit&) {
      generator_closed = true;
      throw;
    }
  };
  auto stubborn = []() -> Coro<> {
    for (bool first = true;; first = false) {
      try {
        co_await corun::sleep(1h);
      } catch (const CancelledError&) {
        if (first) raise_soon();
      }
    }
  };
  auto main = [&]() -> Coro<> {
    generator.emplace(numbers());
    co_await generator->next();
    static_cast<void>(corun::create_task(stubborn(), {.name = "stubborn"}));
    co_await corun::sleep(0s);
  };
  {
    Runner runner(tests::heard_by(reports));
    runner.run(main());
    CHECK_THROWS_AS(runner.close(), KeyboardInterrupt);
    CHECK(disposition_is(SIGINT, SIG_DFL));
    CHECK(generator_closed);
    CHECK(text_of<corun::RuntimeError>([&] { runner.loop(); }) == "Runner is closed");
  }
  CHECK(reports.warnings_with("stubborn") == 1);
  CHECK(reports.errors.empty());
}

TEST_CASE("46: a first signal during close abandons the executor with a warning") {
  auto end = tests::in_child([] {
    Reports reports;
    auto gate = std::make_shared<std::atomic<bool>>(false);
    RunnerOptions options = tests::heard_by(reports);
    pid_t here = tests::thread_id();
    auto main = [&]() -> Coro<> {
      static_cast<void>(corun::run_in_executor(nullptr, [gate] { gate->wait(false); }));
      co_return;
    };
    std::thread interrupter;
    try {
      Runner runner(options);
      runner.run(main());
      interrupter = std::thread([here] {
        while (disposition_is(SIGINT, SIG_DFL)) std::this_thread::yield();  // until close() has begun
        tests::wait_until_asleep(here);
        tests::signal_thread(here, SIGINT);
      });
      runner.close();
    } catch (const KeyboardInterrupt&) {
      interrupter.join();
      *gate = true;
      gate->notify_all();
      return reports.warnings_with("executor") == 1 ? 7 : 8;
    }
    return 0;
  });
  CHECK(end.exit_code == 7);
}

TEST_CASE("46: a second signal during close has the default disposition") {
  auto end = tests::in_child([] {
    auto stubborn = []() -> Coro<> {
      for (;;) {
        try {
          co_await corun::sleep(1h);
        } catch (const CancelledError&) {
          raise_soon();
        }
      }
    };
    auto generator = []() -> corun::AsyncGenerator<int> {
      try {
        co_yield 1;
      } catch (const corun::GeneratorExit&) {
        ::raise(SIGINT);
        throw;
      }
    };
    auto main = [&]() -> Coro<> {
      auto numbers = generator();
      co_await numbers.next();
      static_cast<void>(corun::create_task(stubborn()));
      co_await corun::sleep(0s);
      static auto kept = std::move(numbers);
    };
    corun::run(main());
    return 0;
  });
  CHECK(end.signal == SIGINT);
}

TEST_CASE("47: a run goes on where a handler cannot be installed") {
  Disposition normal(SIGINT, SIG_DFL);
  RunnerOptions options;
  options.interrupt_signals = {SIGKILL, 0, -1, 9999, SIGINT};
  auto main = []() -> Coro<int> {
    co_await corun::sleep(0s);
    co_return 1;
  };
  CHECK(corun::run(main(), options) == 1);
  CHECK_THROWS_AS(corun::run(raise_and_yield(SIGINT), options), KeyboardInterrupt);
}

TEST_CASE("48: the first signal wakes a loop that sleeps, and cancels main") {
  Disposition normal(SIGINT, SIG_DFL);
  pid_t here = tests::thread_id();
  bool cancelled = false;
  std::thread interrupter;
  auto main = [&]() -> Coro<> {
    interrupter = std::thread([here] {
      tests::wait_until_asleep(here);
      tests::signal_thread(here, SIGINT);
    });
    try {
      co_await corun::sleep(1h);
    } catch (const CancelledError&) {
      cancelled = true;
      throw;
    }
  };
  CHECK_THROWS_AS(corun::run(main()), KeyboardInterrupt);
  interrupter.join();
  CHECK(cancelled);
}

TEST_CASE("49: a main that lets the cancellation pass makes run throw KeyboardInterrupt, run_main 130") {
  Disposition normal(SIGINT, SIG_DFL);
  auto main = []() -> Coro<> {
    raise_soon();
    co_await wait_for_ever();
  };
  int number = 0;
  try {
    corun::run(main());
  } catch (const KeyboardInterrupt& interrupt) {
    number = interrupt.signal_number();
  }
  CHECK(number == SIGINT);
  CHECK(corun::run_main(main()) == 130);
}

TEST_CASE("50: a main that only ever yields is interrupted too") {
  Disposition normal(SIGINT, SIG_DFL);
  auto main = []() -> Coro<> {
    ::raise(SIGINT);
    for (;;) co_await corun::sleep(0s);
  };
  CHECK_THROWS_AS(corun::run(main()), KeyboardInterrupt);
}

TEST_CASE("50: a signal is looked at before each callback, not once a pass") {
  Disposition normal(SIGINT, SIG_DFL);
  int seen = -1;
  auto main = [&]() -> Coro<> {
    auto me = corun::current_task();
    auto& loop = corun::get_running_loop();
    loop.call_soon([] { ::raise(SIGINT); });  // both in one pass
    loop.call_soon([&seen, me] { seen = me.cancelling(); });
    co_await wait_for_ever();
  };
  CHECK_THROWS_AS(corun::run(main()), KeyboardInterrupt);
  CHECK(seen == 1);
}

TEST_CASE("50: checkpoint sees a signal without yielding") {
  Disposition normal(SIGINT, SIG_DFL);
  bool others_ran = false;
  int rounds = 0;
  auto main = [&]() -> Coro<> {
    corun::get_running_loop().call_soon([&] { others_ran = true; });
    for (;;) {
      if (++rounds == 1000) {
        CHECK_FALSE(others_ran);
        ::raise(SIGINT);
      }
      co_await corun::checkpoint();
    }
  };
  CHECK_THROWS_AS(corun::run(main()), KeyboardInterrupt);
  CHECK(rounds == 1000);
}

TEST_CASE("51: a future that main waits on is cancelled by the signal") {
  Disposition normal(SIGINT, SIG_DFL);
  std::optional<corun::Future<>> future;
  bool cancelled = false;
  auto main = [&]() -> Coro<> {
    future.emplace();
    raise_soon();
    try {
      co_await *future;
    } catch (const CancelledError&) {
      cancelled = true;
      throw;
    }
  };
  CHECK_THROWS_AS(corun::run(main()), KeyboardInterrupt);
  CHECK(future->cancelled());
  CHECK(cancelled);
}

TEST_CASE("52: a main that throws a CancelledError of its own instead is still interrupted") {
  Disposition normal(SIGINT, SIG_DFL);
  auto fresh = [](const CancelledError&) -> int { throw CancelledError("another one"); };
  CHECK_THROWS_AS(corun::run(interrupted_then<int>(fresh)), KeyboardInterrupt);
}

TEST_CASE("53: a signal before main's first step keeps its body from running") {
  Disposition normal(SIGINT, SIG_DFL);
  Reports reports;
  bool ran = false;
  {
    Runner runner(tests::heard_by(reports));
    runner.loop().call_soon([] { ::raise(SIGINT); });  // ready before main is
    auto main = [&]() -> Coro<> {
      ran = true;
      co_return;
    };
    CHECK_THROWS_AS(runner.run(main()), KeyboardInterrupt);
  }
  CHECK_FALSE(ran);
  CHECK(reports.warnings.empty());
}

TEST_CASE("54: a signal that meets synchronous code is delivered at the next await that suspends") {
  Disposition normal(SIGINT, SIG_DFL);
  int reached = 0;
  auto plain = []() -> Coro<> { co_return; };
  auto main = [&]() -> Coro<> {
    ::raise(SIGINT);
    reached = 1;
    co_await plain();  // does not suspend
    reached = 2;
    co_await corun::sleep(1h);
    reached = 3;
  };
  CHECK_THROWS_AS(corun::run(main()), KeyboardInterrupt);
  CHECK(reached == 2);
}

TEST_CASE("55: a main that swallows the cancellation returns its value") {
  Disposition normal(SIGINT, SIG_DFL);
  int cancelling = 0;
  auto swallow = [&](const CancelledError&) {
    cancelling = corun::current_task().cancelling();
    return 17;
  };
  CHECK(corun::run(interrupted_then<int>(swallow)) == 17);
  CHECK(cancelling == 1);
}

TEST_CASE("56: a main that turns the cancellation into another error makes run throw that") {
  Disposition normal(SIGINT, SIG_DFL);
  auto turn = [](const CancelledError&) -> int { throw std::domain_error("E"); };
  CHECK(text_of<std::domain_error>([&] { corun::run(interrupted_then<int>(turn)); }) == "E");
}

TEST_CASE("57: a main that uncancels and still lets it pass is interrupted") {
  Disposition normal(SIGINT, SIG_DFL);
  auto uncancel = [](const CancelledError& error) -> int {
    CHECK(corun::current_task().uncancel() == 0);
    throw error;
  };
  CHECK_THROWS_AS(corun::run(interrupted_then<int>(uncancel)), KeyboardInterrupt);
}

TEST_CASE("58: a signal beside another request to cancel leaves run as CancelledError") {
  Disposition normal(SIGINT, SIG_DFL);
  auto main = []() -> Coro<> {
    auto me = corun::current_task();
    corun::get_running_loop().call_soon([me] {
      ::raise(SIGINT);
      me.cancel("the sibling's");
    });
    co_await wait_for_ever();
  };
  CHECK_THROWS_AS(corun::run(main()), CancelledError);
}

TEST_CASE("60: a main that swallows the signal's request and later cancels itself is a CancelledError") {
  Disposition normal(SIGINT, SIG_DFL);
  auto main = []() -> Coro<> {
    raise_soon();
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
    }
    corun::current_task().cancel();
    CHECK(corun::current_task().cancelling() == 2);
    co_await corun::sleep(0s);
  };
  CHECK_THROWS_AS(corun::run(main()), CancelledError);
}

TEST_CASE("61: a main that is cancelled without a signal leaves run as CancelledError with its message") {
  Disposition normal(SIGINT, SIG_DFL);
  auto main = []() -> Coro<> {
    corun::current_task().cancel("enough");
    co_await corun::sleep(0s);
  };
  CHECK(text_of<CancelledError>([&] { corun::run(main()); }) == "enough");
}
