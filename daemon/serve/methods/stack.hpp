// SPDX-License-Identifier: MIT
// io.corund.Jobs.Stack: where everything stands, as data and as text.
#pragma once

#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

void stack(Call& call);

}  // namespace corund::serve::methods
