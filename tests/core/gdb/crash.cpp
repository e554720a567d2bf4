// SPDX-License-Identifier: MIT
// Dies with tasks in several states, for the debugger's test.
#include <corun/corun.hpp>
#include <cstdlib>

using namespace std::chrono_literals;

corun::Coro<> innermost() { co_await corun::sleep(1h); }
corun::Coro<> outermost() { co_await innermost(); }
corun::Coro<> waits_for_a_future(corun::Future<> future) { co_await future; }

corun::Coro<> main_() {
  corun::Future<> never;
  auto scope = corun::TaskScope::create("job-7");
  auto a = corun::create_task(outermost(), {.name = "sleeper"});
  auto b = corun::create_task(waits_for_a_future(never), {.name = "scoped", .scope = scope.get()});
  co_await corun::sleep(1ms);
  auto c = corun::create_task(outermost(), {.name = "unborn"});
  std::abort();
}

int main() { return corun::run_main(main_()); }
