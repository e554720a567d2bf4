// SPDX-License-Identifier: MIT
// What a loop reports, kept for a test to look at. Holds no task or handle: what is reported may die as it
// would without the test.
#pragma once

#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tests {

// Must outlive the loop that it listens to: a loop still reports in its destructor.
struct Reports {
  struct Error {
    std::string message;
    std::exception_ptr exception;
    std::string task;  // its name; empty: none
    std::string generator;
    std::string where;
    bool handle = false;
  };

  void listen(corun::Loop& loop) {
    loop.set_exception_handler([this](corun::Loop&, const corun::ExceptionContext& context) {
      errors.push_back({context.message, context.exception,
                        context.task ? context.task->name() : std::string(), context.generator, context.where,
                        context.handle.has_value()});
    });
    loop.set_warning_handler([this](std::string_view text) { warnings.emplace_back(text); });
  }

  std::size_t warnings_with(std::string_view fragment) const {
    std::size_t count = 0;
    for (const auto& text : warnings) count += text.find(fragment) != text.npos;
    return count;
  }
  std::size_t errors_with(std::string_view fragment) const {
    std::size_t count = 0;
    for (const auto& error : errors) count += error.message.find(fragment) != error.message.npos;
    return count;
  }

  std::vector<Error> errors;
  std::vector<std::string> warnings;
};

// Options whose loop tells `reports`.
inline corun::RunnerOptions heard_by(Reports& reports) {
  corun::RunnerOptions options;
  options.loop_factory = [&reports] {
    auto loop = corun::new_event_loop();
    reports.listen(*loop);
    return loop;
  };
  return options;
}

// The same on the virtual clock.
inline corun::RunnerOptions virtual_time_heard_by(Reports& reports) {
  corun::RunnerOptions options;
  options.loop_factory = [&reports, make = corun::testing::virtual_time()] {
    auto loop = make();
    reports.listen(*loop);
    return loop;
  };
  return options;
}

inline corun::RunnerOptions virtual_time() {
  corun::RunnerOptions options;
  options.loop_factory = corun::testing::virtual_time();
  return options;
}

// The text of the E that f throws; empty where it throws none. Another exception passes.
template <class E, class F>
std::string text_of(F&& f) {
  try {
    f();
  } catch (const E& error) {
    if constexpr (requires { error.what(); })
      return error.what();
    else
      return error.message();
  }
  return {};
}

}  // namespace tests
