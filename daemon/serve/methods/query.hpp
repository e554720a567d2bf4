// SPDX-License-Identifier: MIT
// Questions that change nothing: io.corund.Jobs.Show, List, ListKinds and io.corund.Daemon.Status.
#pragma once

#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

void show(Call& call);
void list(Call& call);
void list_kinds(Call& call);
void status(Call& call);

}  // namespace corund::serve::methods
