// SPDX-License-Identifier: MIT
// Room: what an error reply means to a person, and to a script: the words, what to do next, the exit code.
#pragma once

#include "client/connection.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace corunctl {

// A sentence or two. `answer` is an error.
std::string explain(const Answer& answer);

// The exit code for it: a command's own, 128 and the signal, or one of exit_code. `answer` may be no error: success.
int exit_code_of(const Answer& answer);

// The same for a job's record (JSON text of the interface's Job) that has ended.
int exit_code_of_job(std::string_view job);

// An error answer on its way to main, which says it to people, and with --json to programs.
class Refusal : public Failure {
 public:
  explicit Refusal(Answer answer) : Failure(explain(answer), exit_code_of(answer)), answer_(std::move(answer)) {}
  const Answer& answer() const noexcept { return answer_; }

 private:
  Answer answer_;
};

// Throws Refusal where `answer` is an error.
void require_success(const Answer& answer);

// {"error":...,"parameters":...} of an error answer, as it came over the wire.
std::string wire_error(const Answer& answer);

}  // namespace corunctl
