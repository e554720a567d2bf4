// SPDX-License-Identifier: MIT
// Facts 98-109: debug mode, and what is reported to whom.
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <cstdlib>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::Runner;
using corun::RunnerOptions;
using corun::RuntimeError;
using corun::Task;
using tests::Reports;
using tests::text_of;

namespace {

Coro<> passes(int count) {
  for (int pass = 0; pass < count; ++pass) co_await corun::sleep(0s);
}

Coro<> fail() {
  co_await corun::sleep(0s);
  throw std::domain_error("E");
}

// A step that blocks for a while.
Coro<> slow_step(std::chrono::milliseconds duration) {
  co_await corun::sleep(0s);
  std::this_thread::sleep_for(duration);
}

template <class C>
concept Callback = requires(corun::Loop& loop, C callback) {
  loop.call_soon(std::move(callback));
};

RunnerOptions debugging(Reports& reports, bool debug = true) {
  RunnerOptions options = tests::heard_by(reports);
  options.debug = debug;
  return options;
}

constexpr std::string_view never_retrieved = "Task exception was never retrieved";

}  // namespace

TEST_CASE("98: debug mode comes from the environment, the option, or the loop's own switch") {
  auto debug_now = []() -> Coro<bool> { co_return corun::get_running_loop().debug(); };
  auto end = tests::in_child([&] {
    ::setenv("CORUN_DEBUG", "1", 1);
    return corun::run(debug_now()) ? 1 : 0;
  });
  CHECK(end.exit_code == 1);
  Reports reports;
  CHECK(corun::run(debug_now(), debugging(reports)));
  auto switched = [&]() -> Coro<bool> {
    corun::get_running_loop().set_debug(true);
    co_return co_await debug_now();
  };
  CHECK(corun::run(switched(), debugging(reports, false)));
}

TEST_CASE("99: in debug mode a step that is slower than the limit is reported with its task") {
  Reports reports;
  auto main = []() -> Coro<> {
    auto& loop = corun::get_running_loop();
    CHECK(loop.slow_callback_duration == 100ms);
    loop.slow_callback_duration = 5ms;
    co_await corun::create_task(slow_step(10ms), {.name = "sluggish"});
    loop.call_soon([] { std::this_thread::sleep_for(10ms); });
    co_await passes(2);
  };
  corun::run(main(), debugging(reports));
  // On a busy machine any other step may have been slow as well.
  bool told_of_task = false;
  bool told_of_callback = false;
  for (const auto& text : reports.warnings) {
    bool of_task = text.find("Executing <Task 'sluggish' slow_step()") == 0;
    bool of_callback = text.find("Executing <Handle") == 0;
    if (!of_task && !of_callback) continue;
    auto took = text.rfind(" took ");
    REQUIRE(took != text.npos);
    CHECK(std::stod(text.substr(took + 6)) >= 0.005);
    CHECK(text.ends_with(" seconds"));
    told_of_task |= of_task;
    told_of_callback |= of_callback;
  }
  CHECK(told_of_task);
  CHECK(told_of_callback);
}

TEST_CASE("99: a step below the limit is not reported, and nothing is without debug mode") {
  Reports reports;
  auto main = [](std::chrono::milliseconds limit) -> Coro<> {
    corun::get_running_loop().slow_callback_duration = limit;
    co_await corun::create_task(slow_step(5ms));
  };
  corun::run(main(10s), debugging(reports));
  corun::run(main(1ms), debugging(reports, false));
  CHECK(reports.warnings.empty());
}

TEST_CASE("100: in debug mode scheduling from a foreign thread is refused; the thread-safe call never is") {
  for (bool debug : {true, false}) {
    Reports reports;
    std::string soon, at;
    bool safe = false;
    auto main = [&]() -> Coro<> {
      auto& loop = corun::get_running_loop();
      std::thread foreign([&] {  // while the loop's own thread waits for it
        soon = text_of<RuntimeError>([&] { loop.call_soon([] {}); });
        at = text_of<RuntimeError>([&] { loop.call_at(loop.time(), [] {}); });
        loop.call_soon_threadsafe([&] { safe = true; });
      });
      foreign.join();
      while (!safe) co_await corun::sleep(1ms);
    };
    corun::run(main(), debugging(reports, debug));
    CHECK((soon.find("Non-thread-safe operation") == 0) == debug);
    CHECK((at.find("Non-thread-safe operation") == 0) == debug);
  }
}

TEST_CASE("101: a report says where the task was created, in every mode") {
  for (bool debug : {true, false}) {
    Reports reports;
    int line = 0;
    auto main = [&]() -> Coro<> {
      line = __LINE__ + 1;
      static_cast<void>(corun::create_task(fail()));
      co_await passes(3);
    };
    corun::run(main(), debugging(reports, debug));
    REQUIRE(reports.errors.size() == 1);
    std::string expected = "test_facts_h_reports.cpp:" + std::to_string(line);
    CHECK(reports.errors[0].where.ends_with(expected));
  }
}

TEST_CASE("102: a coroutine is no callback, at compile time") {
  auto callable = [] {};
  STATIC_REQUIRE(Callback<decltype(callable)>);
  STATIC_REQUIRE_FALSE(Callback<Coro<>>);
  STATIC_REQUIRE_FALSE(Callback<Task<>>);
  static_cast<void>(callable);
}

TEST_CASE("103: a coroutine that is dropped unstarted is reported, in debug mode with its place") {
  for (bool debug : {true, false}) {
    Reports reports;
    auto main = []() -> Coro<> {
      { auto forgotten = fail(); }
      co_return;
    };
    corun::run(main(), debugging(reports, debug));
    REQUIRE(reports.warnings.size() == 1);
    CHECK(reports.warnings[0].find("coroutine 'fail' was never awaited") == 0);
    CHECK((reports.warnings[0].find("test_facts_h_reports.cpp:") != std::string::npos) == debug);
  }
}

TEST_CASE("103: without a loop the report goes to stderr") {
  auto end = tests::in_child([] {
    { auto forgotten = fail(); }
    return 0;
  });
  CHECK(end.errors.find("coroutine 'fail' was never awaited") != std::string::npos);
}

TEST_CASE("104: an exception that nobody read is reported when the last handle goes") {
  Reports reports;
  auto main = [&]() -> Coro<> {
    std::optional<Task<>> task = corun::create_task(fail(), {.name = "unheard"});
    co_await passes(3);
    CHECK(task->done());
    CHECK(reports.errors.empty());
    task.reset();
    REQUIRE(reports.errors.size() == 1);
    CHECK(reports.errors[0].message == never_retrieved);
    CHECK(reports.errors[0].task == "unheard");
    CHECK_THROWS_AS(std::rethrow_exception(reports.errors[0].exception), std::domain_error);
  };
  corun::run(main(), tests::heard_by(reports));
  CHECK(reports.errors.size() == 1);
}

TEST_CASE("104: it is reported after the loop is closed, too") {
  Reports reports;
  Runner runner(tests::heard_by(reports));
  std::optional<Task<>> task;
  auto main = [&]() -> Coro<> {
    task = corun::create_task(fail());
    co_await passes(3);
  };
  runner.run(main());
  runner.close();
  CHECK(reports.errors.empty());
  task.reset();
  CHECK(reports.errors_with(never_retrieved) == 1);
}

TEST_CASE("104: where the loop itself is gone the report goes to stderr") {
  auto end = tests::in_child([] {
    std::optional<Task<>> task;
    auto main = [&]() -> Coro<> {
      task = corun::create_task(fail());
      co_await passes(3);
    };
    corun::run(main());
    task.reset();
    return 0;
  });
  CHECK(end.exit_code == 0);
  CHECK(end.errors.find(never_retrieved) == 0);
}

TEST_CASE("104: reading, awaiting or a later cancel count as hearing of it") {
  Reports reports;
  auto main = [&]() -> Coro<> {
    auto read = corun::create_task(fail());
    auto asked = corun::create_task(fail());
    auto awaited = corun::create_task(fail());
    auto cancelled = corun::create_task(fail());
    co_await passes(3);
    CHECK_THROWS_AS(read.result(), std::domain_error);
    CHECK(asked.exception() != nullptr);
    try {
      co_await awaited;
    } catch (const std::domain_error&) {
    }
    CHECK_FALSE(cancelled.cancel());
  };
  corun::run(main(), tests::heard_by(reports));
  CHECK(reports.errors.empty());
}

TEST_CASE("105: a task that is pending when its loop dies is reported, and its frame destroyed") {
  Reports reports;
  auto held = std::make_shared<int>(0);
  auto job = [](std::shared_ptr<int>) -> Coro<> { co_await corun::Future<>(); };
  std::optional<Task<>> task;
  auto main = [&]() -> Coro<> {
    task = corun::create_task(job(held), {.name = "pending"});
    co_await passes(2);
  };
  {
    auto loop = corun::new_event_loop();
    reports.listen(*loop);
    loop->run_until_complete(main());
    CHECK(held.use_count() > 1);
    loop->close();
    CHECK(reports.errors.empty());
  }
  REQUIRE(reports.errors.size() == 1);
  CHECK(reports.errors[0].message == "Task was destroyed but it is pending!");
  CHECK(reports.errors[0].task == "pending");
  CHECK(held.use_count() == 1);
  CHECK_FALSE(task->done());
}

TEST_CASE("106: a loop that is dropped unclosed says so, and is closed") {
  Reports reports;
  auto kept = std::make_shared<int>(0);
  {
    auto loop = corun::new_event_loop();
    reports.listen(*loop);
    loop->call_later(1h, [kept] {});
  }
  CHECK(reports.warnings == std::vector<std::string>{"unclosed event loop"});
  CHECK(kept.use_count() == 1);
}

TEST_CASE("107: an exception in a callback is reported with its handle, and the loop goes on") {
  Reports reports;
  auto main = []() -> Coro<int> {
    corun::get_running_loop().call_soon([] { throw std::domain_error("E"); });
    co_await passes(3);
    co_return 1;
  };
  CHECK(corun::run(main(), tests::heard_by(reports)) == 1);
  REQUIRE(reports.errors.size() == 1);
  CHECK(reports.errors[0].message.find("Exception in callback") == 0);
  CHECK(reports.errors[0].handle);
}

TEST_CASE("107: SystemExit and KeyboardInterrupt of a callback or any task leave run, close cancels main") {
  enum class By { callback, timer, task };
  for (By by : {By::callback, By::timer, By::task})
    for (bool exit : {true, false}) {
      Reports reports;
      bool main_cancelled = false;
      auto leave = [exit] {
        if (exit) throw corun::SystemExit(2);
        throw corun::KeyboardInterrupt(SIGINT);
      };
      auto job = [&]() -> Coro<> {
        co_await corun::sleep(0s);
        leave();
      };
      auto main = [&]() -> Coro<> {
        if (by == By::callback) corun::get_running_loop().call_soon(leave);
        if (by == By::timer) corun::get_running_loop().call_later(1ms, leave);
        if (by == By::task) static_cast<void>(corun::create_task(job()));
        try {
          co_await corun::Future<>();
        } catch (const CancelledError&) {
          main_cancelled = true;
          throw;
        }
      };
      if (exit)
        CHECK_THROWS_AS(corun::run(main(), tests::heard_by(reports)), corun::SystemExit);
      else
        CHECK_THROWS_AS(corun::run(main(), tests::heard_by(reports)), corun::KeyboardInterrupt);
      CHECK(main_cancelled);
    }
}

TEST_CASE("108: a handler that fails is itself reported by the default one, with what it was told") {
  auto end = tests::in_child([] {
    RunnerOptions options;
    options.loop_factory = [] {
      auto loop = corun::new_event_loop();
      loop->set_exception_handler(
          [](corun::Loop&, const corun::ExceptionContext&) { throw std::domain_error("the handler's"); });
      return loop;
    };
    auto main = []() -> Coro<> {
      corun::get_running_loop().call_exception_handler({.message = "the original"});
      co_return;
    };
    corun::run(main(), options);
    return 0;
  });
  CHECK(end.exit_code == 0);
  auto unhandled = end.errors.find("Unhandled error in exception handler");
  auto handlers = end.errors.find("the handler's");
  auto original = end.errors.find("the original");
  CHECK(unhandled == 0);
  CHECK(handlers != std::string::npos);
  CHECK(original != std::string::npos);
}

TEST_CASE("108: the default handler writes the message, the other keys in order, and the exception last") {
  auto end = tests::in_child([] {
    auto loop = corun::new_event_loop();
    loop->call_exception_handler({.message = "something happened",
                                  .exception = std::make_exception_ptr(std::domain_error("E")),
                                  .generator = "numbers",
                                  .where = "file.cpp:7"});
    loop->call_exception_handler({});
    loop->close();
    return 0;
  });
  CHECK(end.errors ==
        "something happened\nasyncgen: numbers\nwhere: file.cpp:7\nexception: std::domain_error: E\n"
        "Unhandled exception in event loop\n");
}

TEST_CASE("108: an empty handler is the default again") {
  auto end = tests::in_child([] {
    Reports reports;
    auto loop = corun::new_event_loop();
    reports.listen(*loop);
    loop->call_exception_handler({.message = "heard"});
    loop->set_exception_handler({});
    loop->set_warning_handler({});
    loop->call_exception_handler({.message = "by default"});
    loop->warn("a warning");
    loop->close();
    return reports.errors.size() == 1 ? 0 : 1;
  });
  CHECK(end.exit_code == 0);
  CHECK(end.errors == "by default\ncorun: warning: a warning\n");
}

TEST_CASE("109: SystemExit of main leaves run with its code, after the leftovers were cleaned up") {
  bool cleaned_up = false;
  auto leftover = [&]() -> Coro<> {
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
      cleaned_up = true;
      throw;
    }
  };
  auto main = [&]() -> Coro<> {
    static_cast<void>(corun::create_task(leftover()));
    co_await passes(2);
    throw corun::SystemExit(3);
  };
  int code = 0;
  Reports reports;
  try {
    corun::run(main(), tests::heard_by(reports));
  } catch (const corun::SystemExit& exit) {
    code = exit.code();
  }
  CHECK(code == 3);
  CHECK(cleaned_up);
  CHECK(reports.errors.empty());
  CHECK(corun::run_main(main()) == 3);
}

TEST_CASE("109: SystemExit of a child leaves run, main is cancelled, the child's error counts as unread") {
  Reports reports;
  bool main_cancelled = false;
  auto child = []() -> Coro<> {
    co_await corun::sleep(0s);
    throw corun::SystemExit(3);
  };
  auto main = [&]() -> Coro<> {
    static_cast<void>(corun::create_task(child()));
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
      main_cancelled = true;
      throw;
    }
  };
  int code = 0;
  try {
    corun::run(main(), tests::heard_by(reports));
  } catch (const corun::SystemExit& exit) {
    code = exit.code();
  }
  CHECK(code == 3);
  CHECK(main_cancelled);
  CHECK(reports.errors_with(never_retrieved) == 1);
}
