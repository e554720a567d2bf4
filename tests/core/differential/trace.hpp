// SPDX-License-Identifier: MIT
// What the C++ half of the differential test tells, and the coroutines that its scenarios share. Its Python
// counterpart is trace.py.
#pragma once

#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace differential {

// A failure of a scenario's own.
struct Oops : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One scenario: a function of the same name in scenarios.py says the same lines.
struct Scenario {
  const char* name;
  std::function<void()> run;
};
std::vector<Scenario> task_scenarios();
std::vector<Scenario> context_scenarios();
std::vector<Scenario> group_scenarios();
std::vector<Scenario> combinator_scenarios();
std::vector<Scenario> runner_scenarios();
std::vector<Scenario> signal_scenarios();
std::vector<Scenario> sync_scenarios();
// Wrappers around bodies around events: one line each.
std::vector<std::string> combinations();

void say_line(const std::string& line);
std::vector<std::string> take_lines();

template <class... Words>
void say(const Words&... words) {
  std::ostringstream text;
  const char* space = "";
  text << std::boolalpha;
  ((text << space << words, space = " "), ...);
  say_line(text.str());
}

// Type and, where the text is part of the promise, text.
std::string kind(const std::exception_ptr& error);
inline std::string kind_now() { return kind(std::current_exception()); }

// A loop on the virtual clock whose reports are said.
std::unique_ptr<corun::Loop> new_loop();
corun::RunnerOptions options();

// Awaits and says how it ended. Swallows everything.
template <class A>
corun::Coro<> told(std::string who, A awaitable) {
  try {
    if constexpr (std::is_void_v<corun::await_result_t<A>>) {
      co_await std::move(awaitable);
      say(who, "returned");
    } else {
      auto value = co_await std::move(awaitable);
      say(who, "returned", value);
    }
  } catch (...) {
    say(who, "threw", kind_now());
  }
}

using Seconds = std::chrono::duration<double>;
inline corun::Coro<> sleep(double seconds) { return corun::sleep(Seconds(seconds)); }

corun::Coro<> sleeper(std::string who, double seconds);
corun::Coro<int> sleeper(std::string who, double seconds, int value);
corun::Coro<> failing(std::string who, double seconds);
// Swallows a cancellation, and takes its time afterwards.
corun::Coro<> stubborn(std::string who, double seconds, double more);
corun::Coro<int> stubborn(std::string who, double seconds, double more, int value);
// Awaits in its clean-up.
corun::Coro<> cleaning(std::string who, double seconds, double more);
// Answers a cancellation with a failure.
corun::Coro<> spiteful(std::string who, double seconds);

// Calls f and says how it ended.
template <class F>
void attempt(const char* what, F f) {
  try {
    if constexpr (std::is_void_v<decltype(f())>) {
      f();
      say(what, "returned");
    } else {
      auto value = f();
      say(what, "returned", value);
    }
  } catch (...) {
    say(what, "threw", kind_now());
  }
}

// A whole run: what leaves it, and what is reported on the way, is said.
template <class A>
void run(A&& main, corun::RunnerOptions with = options()) {
  try {
    if constexpr (std::is_void_v<corun::await_result_t<A>>) {
      corun::run(std::forward<A>(main), std::move(with));
      say("run returned");
    } else {
      auto value = corun::run(std::forward<A>(main), std::move(with));
      say("run returned", value);
    }
  } catch (...) {
    say("run threw", kind_now());
  }
}

}  // namespace differential

// A row of a table of scenarios: NAME is a coroutine without parameters, run as main; or a plain function.
#define DIFFERENTIAL_MAIN(name)                \
  ::differential::Scenario {                   \
#name, [] { ::differential::run(name()); } \
  }
#define DIFFERENTIAL_PLAIN(name) \
  ::differential::Scenario {     \
#name, [] { name(); }        \
  }
