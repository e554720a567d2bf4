// SPDX-License-Identifier: MIT
// Facts 128 and 129: task groups.
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::ExceptionGroup;
using corun::Future;
using corun::RuntimeError;
using corun::Task;
using corun::TaskGroup;
using tests::Reports;
using tests::text_of;

namespace {

using Log = std::vector<std::string>;

Coro<> fail_after(std::chrono::seconds delay, std::string text) {
  co_await corun::sleep(delay);
  throw std::domain_error(text);
}

// Waits for ever, cleans up for a second when cancelled.
Coro<> clean_up(Log& log, std::string name) {
  bool cancelled = false;
  try {
    co_await Future<>();
  } catch (const CancelledError&) {
    cancelled = true;
  }
  if (!cancelled) co_return;
  co_await corun::sleep(1s);
  log.push_back(name);
  throw CancelledError();
}

std::vector<std::string> texts(const ExceptionGroup& group) {
  std::vector<std::string> all;
  for (const auto& error : group.exceptions()) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      all.push_back(e.what());
    }
  }
  return all;
}

// What a group of this body throws; empty where it throws no ExceptionGroup.
struct Failure {
  std::string what;
  std::vector<std::string> errors;
};

template <class Body>
Coro<Failure> failure_of(Body& body) {
  Failure failure;
  try {
    co_await corun::task_group([&](TaskGroup& group) { return body(group); });
  } catch (const ExceptionGroup& group) {
    failure = {group.what(), texts(group)};
  }
  co_return failure;
}

template <class F>
auto on_virtual_time(F main) {
  return corun::run(main(), tests::virtual_time());
}

}  // namespace

TEST_CASE("128: a group waits for its children and gives the body's result") {
  on_virtual_time([]() -> Coro<> {
    Log log;
    auto child = [&](std::chrono::seconds delay) -> Coro<> {
      co_await corun::sleep(delay);
      log.push_back("child");
    };
    auto body = [&](TaskGroup& group) -> Coro<int> {
      group.create_task(child(2s));
      group.create_task(child(1s));
      log.push_back("body");
      co_return 4;
    };
    int value = co_await corun::task_group(body);
    CHECK(value == 4);
    CHECK(log == Log{"body", "child", "child"});
  });
}

TEST_CASE("128: the first child that fails cancels its siblings and the body; all are waited for") {
  on_virtual_time([]() -> Coro<> {
    Log log;
    auto body = [&](TaskGroup& group) -> Coro<> {
      group.create_task(clean_up(log, "sibling"));
      group.create_task(fail_after(1s, "E"));
      co_await clean_up(log, "body");
    };
    auto failure = co_await failure_of(body);
    CHECK(failure.what == "unhandled errors in a TaskGroup (1 sub-exception)");
    CHECK(failure.errors == std::vector<std::string>{"E"});
    CHECK(log.size() == 2);
    CHECK(corun::current_task().cancelling() == 0);
    co_await corun::sleep(1s);
  });
}

TEST_CASE("128: every error is in the group, the body's last") {
  on_virtual_time([]() -> Coro<> {
    auto fails_when_cancelled = []() -> Coro<> {
      try {
        co_await Future<>();
      } catch (const CancelledError&) {
        throw std::domain_error("second");
      }
    };
    auto body = [&](TaskGroup& group) -> Coro<> {
      group.create_task(fail_after(1s, "first"));
      group.create_task(fails_when_cancelled());
      try {
        co_await Future<>();
      } catch (const CancelledError&) {
        throw std::domain_error("body");
      }
    };
    auto failure = co_await failure_of(body);
    CHECK(failure.what == "unhandled errors in a TaskGroup (3 sub-exceptions)");
    CHECK(failure.errors == std::vector<std::string>{"first", "second", "body"});
  });
}

TEST_CASE("128: a body that fails cancels the children and joins the group") {
  on_virtual_time([]() -> Coro<> {
    Log log;
    auto body = [&](TaskGroup& group) -> Coro<> {
      group.create_task(clean_up(log, "child"));
      co_await corun::sleep(1s);
      throw std::domain_error("body");
    };
    auto failure = co_await failure_of(body);
    CHECK(failure.errors == std::vector<std::string>{"body"});
    CHECK(log == Log{"child"});
  });
}

TEST_CASE("128: a child that is cancelled is no error") {
  on_virtual_time([]() -> Coro<> {
    auto body = [](TaskGroup& group) -> Coro<int> {
      auto child = group.create_task([]() -> Coro<> { co_await Future<>(); });
      co_await corun::sleep(1s);
      child.cancel();
      co_await corun::sleep(1s);
      co_return 2;
    };
    int value = co_await corun::task_group(body);
    CHECK(value == 2);
  });
}

TEST_CASE("128: a cancellation from outside wins only where no child failed") {
  for (bool child_fails : {false, true}) {
    on_virtual_time([child_fails]() -> Coro<> {
      auto child = [child_fails]() -> Coro<> {
        try {
          co_await Future<>();
        } catch (const CancelledError&) {
          if (child_fails) throw std::domain_error("E");
          throw;
        }
      };
      auto body = [&](TaskGroup& group) -> Coro<> {
        group.create_task(child());
        co_await Future<>();
      };
      bool grouped = false;
      bool cancelled = false;
      bool cancelled_again = false;
      int cancelling = -1;
      auto parent = [&]() -> Coro<> {
        try {
          co_await corun::task_group(body);
        } catch (const ExceptionGroup&) {
          grouped = true;
        } catch (const CancelledError&) {
          cancelled = true;
        }
        cancelling = corun::current_task().cancelling();
        try {
          co_await corun::sleep(1s);
        } catch (const CancelledError&) {
          cancelled_again = true;
        }
      };
      auto task = corun::create_task(parent());
      co_await corun::sleep(1s);
      task.cancel();
      co_await corun::sleep(3s);
      CHECK(task.done());
      CHECK(grouped == child_fails);
      CHECK(cancelled == !child_fails);
      CHECK(cancelling == 1);                 // the count is left as it was found
      CHECK(cancelled_again == child_fails);  // the request that the errors displaced is armed anew
    });
  }
}

TEST_CASE("129: creating in a group that is over, or being shut down, closes the coroutine and throws") {
  Reports reports;
  auto main = []() -> Coro<> {
    TaskGroup* kept = nullptr;
    std::string shutting_down, finished;
    auto late = [&](TaskGroup& group) -> Coro<> {
      try {
        co_await Future<>();
      } catch (const CancelledError&) {
        shutting_down = text_of<RuntimeError>([&] { group.create_task(fail_after(1s, "never")); });
        throw;
      }
    };
    auto body = [&](TaskGroup& group) -> Coro<> {
      kept = &group;
      group.create_task(late(group));
      group.create_task(fail_after(1s, "E"));
      co_return;
    };
    auto failure = co_await failure_of(body);
    CHECK(failure.errors.size() == 1);
    CHECK(shutting_down == "TaskGroup is shutting down");
    static_cast<void>(kept);
  };
  corun::run(main(), tests::virtual_time_heard_by(reports));
  CHECK(reports.warnings.empty());  // no coroutine "was never awaited"
  CHECK(reports.errors.empty());
}

TEST_CASE("129: a group whose body and children are over refuses a child made by its last callback") {
  Reports reports;
  std::string text;
  auto main = [&]() -> Coro<> {
    auto body = [&](TaskGroup& group) -> Coro<> {
      auto child = group.create_task([]() -> Coro<> { co_await corun::sleep(1s); });
      // Runs after the group has looked at its last child, and before the parent goes on.
      child.add_done_callback([&](const Task<>&) {
        text = text_of<RuntimeError>([&] { group.create_task(fail_after(1s, "never")); });
      });
      co_return;
    };
    co_await corun::task_group(body);
  };
  corun::run(main(), tests::virtual_time_heard_by(reports));
  CHECK(text == "TaskGroup is finished");
  CHECK(reports.warnings.empty());
}

TEST_CASE("129: SystemExit and KeyboardInterrupt of the body or a child leave the group bare") {
  for (bool in_body : {true, false}) {
    auto exit = []() -> Coro<> {
      co_await corun::sleep(1s);
      throw corun::SystemExit(6);
    };
    Log log;
    auto body = [&](TaskGroup& group) -> Coro<> {
      group.create_task(clean_up(log, "sibling"));
      if (in_body)
        co_await exit();
      else
        group.create_task(exit());
      co_await Future<>();
    };
    auto main = [&]() -> Coro<> { co_await corun::task_group(body); };
    int code = 0;
    Reports reports;
    try {
      corun::run(main(), tests::virtual_time_heard_by(reports));
    } catch (const corun::SystemExit& error) {
      code = error.code();
    }
    CHECK(code == 6);
    CHECK(log == Log{"sibling"});
  }
}
