// SPDX-License-Identifier: MIT
// Facts 137, 139 and 140, as far as they are libcorun's: whose work it is. The daemon's own tests prove them
// for jobs.
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::Coro;
using corun::Future;
using corun::OnExit;
using corun::TaskScope;
using tests::Reports;

namespace {

Coro<> passes(int count) {
  for (int pass = 0; pass < count; ++pass) co_await corun::sleep(0s);
}

}  // namespace

TEST_CASE("137: in a scope that fails by itself, SystemExit and KeyboardInterrupt do not leave the loop") {
  Reports reports;
  auto exits = []() -> Coro<> {
    co_await corun::sleep(0s);
    throw corun::SystemExit(3);
  };
  auto interrupts = []() -> Coro<> {
    co_await corun::sleep(0s);
    throw corun::KeyboardInterrupt(2);
  };
  auto main = [&]() -> Coro<> {
    auto first = TaskScope::create("first job", {.on_exit = OnExit::fail_scope});
    auto second = TaskScope::create("second job", {.on_exit = OnExit::fail_scope});
    auto bystander = corun::create_task(passes(5));
    auto exiting = corun::create_task(exits(), {.scope = first.get()});
    auto interrupted = corun::create_task(interrupts(), {.scope = second.get()});
    co_await bystander;
    CHECK_THROWS_AS(exiting.result(), corun::SystemExit);
    CHECK_THROWS_AS(interrupted.result(), corun::KeyboardInterrupt);
  };
  corun::run(main(), tests::heard_by(reports));
  CHECK(reports.errors.empty());
}

TEST_CASE("139: a scope is inherited by what its work starts, its leftovers are cancelled alone") {
  auto main = []() -> Coro<> {
    auto scope = TaskScope::create("job");
    std::vector<std::string> seen;
    auto note = [&](const char* where) {
      auto now = corun::current_scope();
      seen.push_back(std::string(where) + (now == scope ? "" : " lost its scope"));
    };
    auto left = [&]() -> Coro<> {
      note("child");
      co_await Future<>();
    };
    auto job = [&]() -> Coro<> {
      note("job");
      static_cast<void>(corun::create_task(left()));
      corun::get_running_loop().call_soon([&] { note("callback"); });
      co_await corun::to_thread([] {});
      note("after a thread");
    };
    auto others = corun::create_task(passes(1000));
    co_await corun::create_task(job(), {.scope = scope.get()});
    CHECK(seen == std::vector<std::string>{"job", "child", "callback", "after a thread"});
    CHECK(corun::current_scope() == nullptr);
    auto tasks = scope->tasks();
    CHECK(tasks.size() == 1);
    scope->cancel_all("the job is over");
    co_await passes(2);
    CHECK(scope->empty());
    CHECK(tasks[0].cancelled());
    CHECK(others.cancelling() == 0);
  };
  corun::run(main());
}

TEST_CASE("140: the exception handler is the loop's, steps and time are counted for each scope") {
  std::vector<std::string> whose;
  std::weak_ptr<TaskScope> is_held;
  auto main = [&]() -> Coro<> {
    corun::get_running_loop().set_exception_handler([&](corun::Loop&, const corun::ExceptionContext& context) {
      auto scope = corun::current_scope();
      whose.push_back(context.message + ": " + (scope ? scope->label() : std::string("nobody's")));
    });
    auto first = TaskScope::create("first", {.accounting = true});
    auto second = TaskScope::create("second", {.accounting = true});
    auto fail = []() -> Coro<> {
      co_await corun::sleep(0s);
      throw std::domain_error("E");
    };
    co_await corun::create_task(passes(10), {.scope = first.get()});
    co_await corun::create_task(passes(3), {.scope = second.get()});
    CHECK(first->stats().steps == 11);
    CHECK(second->stats().steps == 4);
    CHECK(first->stats().loop_seconds > 0);
    static_cast<void>(corun::create_task(fail(), {.scope = first.get()}));
    static_cast<void>(corun::create_task(fail(), {.scope = second.get()}));
    static_cast<void>(corun::create_task(fail()));
    co_await passes(4);
    // A handle that is kept keeps the scope for the report, and no longer.
    is_held = first;
    {
      auto kept = corun::create_task(fail(), {.scope = first.get()});
      co_await passes(4);
      first.reset();
      CHECK_FALSE(is_held.expired());
    }
    CHECK(is_held.expired());
  };
  corun::run(main());
  const std::string said = "Task exception was never retrieved: ";
  CHECK(whose == std::vector<std::string>{said + "first", said + "second", said + "nobody's", said + "first"});
}
