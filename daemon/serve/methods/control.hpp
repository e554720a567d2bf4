// SPDX-License-Identifier: MIT
// What changes the course of things: Cancel, Remove and the named contexts of io.corund.Jobs; Pause, Resume, SetGroup and Drain of io.corund.Daemon.
// Each acts when the call comes; Cancel, Remove and Drain answer when it is over.
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
