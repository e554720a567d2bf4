// SPDX-License-Identifier: MIT
// Facts 62-70: second signals, signals of runs that follow each other, other signals, other owners.
#include <atomic>
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <thread>
#include <vector>

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

namespace {

volatile sig_atomic_t handled = 0;
volatile sig_atomic_t handled_in = 0;
extern "C" void note_thread(int) {
  handled = handled + 1;
  handled_in = tests::thread_id();
}

// Calls f between two steps of the running loop.
template <class F>
void soon(F f) {
  corun::get_running_loop().call_soon(std::move(f));
}

Coro<> passes(int count) {
  for (int pass = 0; pass < count; ++pass) co_await corun::sleep(0s);
}

// Main of several facts: swallows the first signal, waits again, and notes how that ends.
struct Twice {
  std::vector<std::string> log;
  std::optional<corun::Future<>> gate;

  Coro<int> main() {
    gate.emplace();
    soon([] { ::raise(SIGINT); });
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
      log.push_back("first");
    }
    soon([] { ::raise(SIGINT); });
    try {
      co_await *gate;
    } catch (const CancelledError&) {
      log.push_back("cancelled again");
      throw;
    }
    log.push_back("went on");
    co_return 5;
  }
};

}  // namespace

TEST_CASE("62: a second SIGINT leaves run() at the next step boundary") {
  Disposition normal(SIGINT, SIG_DFL);
  Twice twice;
  bool next_step_ran = false;
  auto main = [&]() -> Coro<int> {
    soon([&] { soon([&] { soon([&] { next_step_ran = true; }); }); });
    co_return co_await twice.main();
  };
  Runner runner;
  CHECK_THROWS_AS(runner.run(main()), KeyboardInterrupt);
  CHECK(twice.log == std::vector<std::string>{"first"});  // main stays pending
  CHECK_FALSE(disposition_is(SIGINT, SIG_IGN));
  CHECK(disposition_is(SIGINT, SIG_DFL));
}

TEST_CASE("62: two signals in a step that spins end the process at once") {
  auto end = tests::in_child([] {
    auto main = []() -> Coro<> {
      ::raise(SIGINT);
      ::raise(SIGINT);
      for (;;) continue;
      co_return;
    };
    corun::run(main());
    return 0;
  });
  CHECK(end.signal == SIGINT);
}

TEST_CASE("62: three signals end the process where the spinning began after the first") {
  auto end = tests::in_child([] {
    auto main = []() -> Coro<> {
      soon([] { ::raise(SIGINT); });
      try {
        co_await corun::Future<>();
      } catch (const CancelledError&) {
      }
      ::raise(SIGINT);
      std::fputs("alive after two\n", stderr);
      ::raise(SIGINT);
      std::fputs("alive after three\n", stderr);
      for (;;) continue;
    };
    corun::run(main());
    return 0;
  });
  CHECK(end.signal == SIGINT);
  CHECK(end.errors == "alive after two\n");
}

TEST_CASE("62: signals from outside end a process that spins") {
  auto end = tests::in_child([] {
    std::atomic<bool> spinning{false};
    std::thread keyboard([&, main_thread = tests::thread_id()] {
      while (!spinning) std::this_thread::yield();
      for (;;) {
        tests::signal_thread(main_thread, SIGINT);
        std::this_thread::sleep_for(2ms);
      }
    });
    auto main = [&]() -> Coro<> {
      spinning = true;
      while (spinning) continue;  // an atomic: the thread sanitizer holds signals back until it sees one, or a system call
      co_return;
    };
    corun::run(main());
    keyboard.join();
    return 0;
  });
  CHECK(end.signal == SIGINT);
}

TEST_CASE("62: checkpoint lets a computing main hear both signals") {
  Disposition normal(SIGINT, SIG_DFL);
  std::vector<std::string> log;
  auto main = [&]() -> Coro<> {
    try {
      ::raise(SIGINT);
      for (;;) co_await corun::checkpoint();
    } catch (const CancelledError&) {
      log.push_back("cancelled");
    }
    ::raise(SIGINT);
    for (;;) co_await corun::checkpoint();
  };
  auto scope = [&] {
    Runner runner;
    runner.run(main());
  };
  CHECK_THROWS_AS(scope(), KeyboardInterrupt);
  CHECK(log == std::vector<std::string>{"cancelled"});
}

TEST_CASE("63: after the second signal run still closes, and main's clean-up sees a fresh CancelledError") {
  Disposition normal(SIGINT, SIG_DFL);
  Twice twice;
  auto main = [&]() -> Coro<int> { co_return co_await twice.main(); };
  CHECK_THROWS_AS(corun::run(main()), KeyboardInterrupt);
  CHECK(twice.log == std::vector<std::string>{"first", "cancelled again"});
}

TEST_CASE("64: the pending main of an interrupted run goes on during the runner's next run") {
  Disposition normal(SIGINT, SIG_DFL);
  Twice twice;
  auto main = [&]() -> Coro<int> { co_return co_await twice.main(); };
  Runner runner;
  CHECK_THROWS_AS(runner.run(main()), KeyboardInterrupt);
  auto open = [&]() -> Coro<> {
    twice.gate->set_result();
    co_await passes(3);
  };
  runner.run(open());
  CHECK(twice.log == std::vector<std::string>{"first", "went on"});
}

TEST_CASE("65: a signal after main has returned leaves run as KeyboardInterrupt, and the result is lost") {
  Disposition normal(SIGINT, SIG_DFL);
  bool returned = false;
  auto main = [&]() -> Coro<int> {
    soon([] { ::raise(SIGINT); });  // before the loop stops
    returned = true;
    co_return 3;
  };
  CHECK_THROWS_AS(corun::run(main()), KeyboardInterrupt);
  CHECK(returned);
}

TEST_CASE("65: so does one in the very step in which main returns") {
  Disposition normal(SIGINT, SIG_DFL);
  auto main = []() -> Coro<int> {
    co_await corun::sleep(0s);
    ::raise(SIGINT);
    co_return 3;
  };
  CHECK_THROWS_AS(corun::run(main()), KeyboardInterrupt);
}

TEST_CASE("66: signals are counted for each run by itself") {
  Disposition normal(SIGINT, SIG_DFL);
  Runner runner;
  bool cleaned_up = false;
  auto main = [&]() -> Coro<> {
    cleaned_up = false;
    soon([] { ::raise(SIGINT); });
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
      cleaned_up = true;
      throw;
    }
  };
  for (int run = 0; run < 3; ++run) {
    CHECK_THROWS_AS(runner.run(main()), KeyboardInterrupt);
    CHECK(cleaned_up);
  }
}

TEST_CASE("67: a signal handler that main adds takes the signal over") {
  Disposition normal(SIGINT, SIG_DFL);
  int calls = 0;
  auto main = [&]() -> Coro<int> {
    corun::Future<> done;
    corun::get_running_loop().add_signal_handler(SIGINT, [&calls, done] {
      if (++calls == 2) done.set_result();
    });
    ::raise(SIGINT);
    co_await corun::sleep(0s);
    ::raise(SIGINT);
    co_await done;
    co_return calls;
  };
  CHECK(corun::run(main()) == 2);
  CHECK(disposition_is(SIGINT, SIG_DFL));
}

TEST_CASE("67: a signal handler wakes a loop that sleeps, and is gone once it is removed") {
  Disposition normal(SIGUSR1, SIG_DFL);
  pid_t here = tests::thread_id();
  std::thread sender;
  auto main = [&]() -> Coro<> {
    corun::Loop& loop = corun::get_running_loop();
    corun::Future<> done;
    loop.add_signal_handler(SIGUSR1, [done] { done.set_result(); });
    sender = std::thread([here] {
      tests::wait_until_asleep(here);
      tests::signal_thread(here, SIGUSR1);
    });
    co_await done;
    CHECK(loop.remove_signal_handler(SIGUSR1));
    CHECK_FALSE(loop.remove_signal_handler(SIGUSR1));
    CHECK(disposition_is(SIGUSR1, SIG_DFL));
  };
  corun::run(main());
  sender.join();
}

TEST_CASE("68: a run in another thread is not touched by signals, which are the main thread's") {
  Disposition theirs(SIGINT, note_thread);
  handled = 0;
  int result = 0;
  auto main = []() -> Coro<int> {
    ::kill(::getpid(), SIGINT);
    co_await passes(2);
    co_return 6;
  };
  // Blocked here for good measure: the kernel may give a process's signal to any thread that does not block
  // it.
  std::thread other([&] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    result = corun::run(main());
  });
  other.join();
  CHECK(result == 6);
  CHECK(handled == 1);
  CHECK(handled_in == tests::thread_id());
}

TEST_CASE("68: threads of an executor block every signal") {
  auto main = []() -> Coro<bool> {
    co_return co_await corun::to_thread([] {
      sigset_t blocked;
      pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
      return sigismember(&blocked, SIGINT) == 1 && sigismember(&blocked, SIGTERM) == 1;
    });
  };
  CHECK(corun::run(main()));
}

TEST_CASE("69: SIGTERM keeps its default disposition unless it is asked for") {
  auto raise_term = []() -> Coro<> {
    ::raise(SIGTERM);
    co_await corun::sleep(1h);
  };
  auto end = tests::in_child([&] {
    corun::run(raise_term());
    return 0;
  });
  CHECK(end.signal == SIGTERM);

  Disposition normal(SIGTERM, SIG_DFL);
  RunnerOptions options;
  options.interrupt_signals = {SIGINT, SIGTERM};
  int number = 0;
  try {
    corun::run(raise_term(), options);
  } catch (const KeyboardInterrupt& interrupt) {
    number = interrupt.signal_number();
  }
  CHECK(number == SIGTERM);
  CHECK(corun::run_main(raise_term(), options) == 128 + SIGTERM);
}

TEST_CASE("70: SIGINT inside a task group cancels the children and leaves run as KeyboardInterrupt") {
  Disposition normal(SIGINT, SIG_DFL);
  int cancelled = 0;
  auto child = [&]() -> Coro<> {
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
      ++cancelled;
      throw;
    }
  };
  auto body = [&](corun::TaskGroup& group) -> Coro<> {
    group.create_task(child());
    group.create_task(child());
    soon([] { soon([] { ::raise(SIGINT); }); });
    co_return;
  };
  auto main = [&]() -> Coro<> { co_await corun::task_group(body); };
  CHECK_THROWS_AS(corun::run(main()), KeyboardInterrupt);
  CHECK(cancelled == 2);
}

TEST_CASE("70: a child that fails in its clean-up makes run throw the group's errors instead") {
  Disposition normal(SIGINT, SIG_DFL);
  auto child = []() -> Coro<> {
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
      throw std::domain_error("E");
    }
  };
  auto body = [&](corun::TaskGroup& group) -> Coro<> {
    group.create_task(child());
    soon([] { soon([] { ::raise(SIGINT); }); });
    co_return;
  };
  auto main = [&]() -> Coro<> { co_await corun::task_group(body); };
  std::size_t errors = 0;
  try {
    corun::run(main());
  } catch (const corun::ExceptionGroup& group) {
    errors = group.exceptions().size();
    CHECK_THROWS_AS(std::rethrow_exception(group.exceptions()[0]), std::domain_error);
  }
  CHECK(errors == 1);
}

TEST_CASE("70: SIGINT inside a timeout is a KeyboardInterrupt, never a TimeoutError") {
  Disposition normal(SIGINT, SIG_DFL);
  auto body = [](corun::Timeout&) -> Coro<> { co_await corun::sleep(2h); };
  auto main = [&]() -> Coro<> {
    soon([] { ::raise(SIGINT); });
    co_await corun::timeout(1h, body);
  };
  CHECK_THROWS_AS(corun::run(main()), KeyboardInterrupt);
}
