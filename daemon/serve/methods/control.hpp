// SPDX-License-Identifier: MIT
// What changes the course of things: io.corund.Jobs.Cancel and io.corund.Daemon.Drain. Both act when the call comes, and answer when it is over.
#pragma once

#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

void cancel(Call& call);
void remove(Call& call);
void pause(Call& call);
void resume(Call& call);
void set_group(Call& call);
void list_contexts(Call& call);
void drop_context(Call& call);
void drain(Call& call);

}  // namespace corund::serve::methods
