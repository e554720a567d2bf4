// SPDX-License-Identifier: MIT
// What a submission says: the parameters of Run and Submit, and each element of SubmitMany's, become a JobSpec.
#pragma once

#include <cstddef>
#include <string>

#include "daemon/job/spec.hpp"
#include "daemon/wire/object.hpp"

namespace corund::serve::methods {

struct SubmissionRules {
  std::size_t args_bytes = 0;  // the longest `args`
  bool has_disk = false;       // there is something that `ack: "disk"` can promise
};

// Fills the spec and the kind's name; what is wrong, the reader knows. False: the args are longer than they may be, which is an error of its own.
[[nodiscard]] bool read_options(wire::ObjectReader& in, job::JobSpec& spec, std::string& kind, const SubmissionRules& rules);
// A value of type Ack; null leaves it.
void read_ack(wire::ObjectReader& in, job::Ack& ack, const SubmissionRules& rules);

}  // namespace corund::serve::methods
