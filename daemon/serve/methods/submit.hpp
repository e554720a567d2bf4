// SPDX-License-Identifier: MIT
// io.corund.Jobs.Run and Submit: from the parameters of a call to a job.
#pragma once

#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

void run(Call& call);
void submit(Call& call);

}  // namespace corund::serve::methods
