// SPDX-License-Identifier: MIT
// io.corund.Jobs.Run, Submit, SubmitMany and Retry: from the parameters of a call to a job.
#pragma once

#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

void run(Call& call);
void submit(Call& call);
void submit_many(Call& call);
void retry(Call& call);

}  // namespace corund::serve::methods
