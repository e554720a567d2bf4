// SPDX-License-Identifier: MIT
// How a job ended: what Runner.run would have returned or raised, in a form that can be kept and told.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

#include "daemon/job/json.hpp"
#include "daemon/job/state.hpp"

namespace corund {

// What a kind throws to fail its job with a type of its own and, where there is one, a result (a command's exit, say).
// Any other exception fails the job too, under its own C++ type and text.
class JobFailure : public std::runtime_error {
 public:
  JobFailure(std::string type, const std::string& message, JsonText result = {})
      : std::runtime_error(message), type_(std::move(type)), result_(std::move(result)) {}
  const std::string& type() const noexcept { return type_; }
  const JsonText& result() const noexcept { return result_; }

 private:
  std::string type_;
  JsonText result_;
};

}  // namespace corund

namespace corund::job {

// error_type of a job that was cancelled because one that it comes after did not succeed; error_message is that one's id.
inline constexpr std::string_view dependency_failed = "DependencyFailed";

// state is one that is over. succeeded: result. failed: error_type, error_message, perhaps a result. cancelled: reason.
// timed_out and lost: error_message where there is something to say.
struct Outcome {
  State state = State::lost;
  JsonText result;
  std::string error_type;
  std::string error_message;
  std::string reason;

  // Keeps the strings' memory.
  void reset() noexcept;
};

// Writes into `outcome` what an exception that left a job's code means: cancelled for CancelledError (its message becomes the
// reason), failed for everything else, also for what is no std::exception. Types are named as C++ spells them, without corun:: and
// std:: internals' inline namespaces; int and the like are named with their value where it can be read.
void describe_failure(const std::exception_ptr& error, Outcome& outcome);

}  // namespace corund::job
