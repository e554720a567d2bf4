// SPDX-License-Identifier: MIT
// The runner of every test binary: Catch2, and a reporter that writes one TAP line per test case, so that
// `meson test` counts test cases and their skips. Failures are printed as TAP comments with their place.
#define CATCH_CONFIG_RUNNER
#include "support/catch.hpp"

#include <csignal>
#include <cstdio>
#include <iostream>
#include <sstream>

namespace tests {
namespace {
std::string* skip_reason = nullptr;  // set while a test case has asked to be skipped
}

void skip(std::string reason) {
  delete skip_reason;
  skip_reason = new std::string(std::move(reason));
}

namespace {

class TapReporter : public Catch::StreamingReporterBase
#if __has_include(<catch2/catch_all.hpp>)
{
  std::ostream& out() { return m_stream; }
#else
                        <TapReporter>
{
  std::ostream& out() { return stream; }
  using StreamingReporterBase = Catch::StreamingReporterBase<TapReporter>;
#endif

 public:
  using StreamingReporterBase::StreamingReporterBase;
  static std::string getDescription() { return "one TAP line per test case"; }
  static std::set<Catch::Verbosity> getSupportedVerbosities() { return {Catch::Verbosity::Normal}; }

  void assertionStarting(const Catch::AssertionInfo&) override {}

#if __has_include(<catch2/catch_all.hpp>)
  void assertionEnded(const Catch::AssertionStats& stats) override { failure(stats); }
#else
  bool assertionEnded(const Catch::AssertionStats& stats) override {
    failure(stats);
    return true;
  }
#endif

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    ++count_;
    bool good = stats.totals.assertions.failed == 0 && stats.totals.testCases.failed == 0;
    std::string name = one_line(stats.testInfo
#if __has_include(<catch2/catch_all.hpp>)
                                    ->name
#else
                                    .name
#endif
    );
    out() << (good ? "ok " : "not ok ") << count_ << " - " << name;
    if (good && skip_reason) out() << " # SKIP " << one_line(*skip_reason);
    out() << '\n';
    delete skip_reason;
    skip_reason = nullptr;
    if (!good) out() << failures_.str();
    failures_.str({});
    out().flush();
  }

  void testRunEnded(const Catch::TestRunStats&) override { out() << "1.." << count_ << std::endl; }

 private:
  void failure(const Catch::AssertionStats& stats) {
    const auto& result = stats.assertionResult;
    if (result.isOk()) return;
    failures_ << "# " << result.getSourceInfo().file << ':' << result.getSourceInfo().line << ": "
              << one_line(result.getExpressionInMacro()) << '\n';
    if (result.hasExpandedExpression()) failures_ << "#   with: " << one_line(result.getExpandedExpression()) << '\n';
    if (result.hasMessage()) failures_ << "#   " << one_line(std::string(result.getMessage())) << '\n';
    for (const auto& info : stats.infoMessages) failures_ << "#   " << one_line(info.message) << '\n';
  }

  // TAP is made of lines, and '#' in a description would begin a directive.
  static std::string one_line(std::string text) {
    for (char& c : text)
      if (c == '\n' || c == '\r') c = ' ';
      else if (c == '#') c = '/';
    return text;
  }

  int count_ = 0;
  std::ostringstream failures_;
};

CATCH_REGISTER_REPORTER("tapcase", TapReporter)

}  // namespace
}  // namespace tests

int main(int argc, char* argv[]) {
  std::signal(SIGPIPE, SIG_IGN);
  return Catch::Session().run(argc, argv);
}
