// SPDX-License-Identifier: MIT
// Room: how corunctl ends when it does not end well: a text for people, which says what to do next, and an exit code for scripts.
#pragma once

#include <stdexcept>
#include <string>

namespace corunctl {

namespace exit_code {
inline constexpr int success = 0;
inline constexpr int failed = 1;       // a job failed that was no command; or a verb did not reach what it was for
inline constexpr int timed_out = 124;  // as timeout(1)
inline constexpr int refused = 125;    // the daemon could not be reached or refused; a wrong command line
inline constexpr int signalled = 128;  // and the signal's number
inline constexpr int cancelled = 130;  // as after Ctrl-C
}  // namespace exit_code

// Travels up to main, which prints "corunctl: " and what(), and exits with code().
class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& text, int code = exit_code::refused) : std::runtime_error(text), code_(code) {}
  int code() const noexcept { return code_; }

 private:
  int code_;
};

}  // namespace corunctl
