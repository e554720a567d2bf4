// SPDX-License-Identifier: MIT
// What is told while it happens: io.corund.Jobs.Watch, Wait, and the events of a Run that asked for more.
#pragma once

#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

void watch(Call& call);
void wait(Call& call);

// A job that the disk refused while somebody asked after it was never there. Errors: MethodError.
void throw_if_refused(const job::Job& job);
// The answer of Wait and Show: the record, wherever its parts are.
corun::Coro<> tell_job(ReplySink sink, Host& host, job::JobRef job);
// The answer of a Run with `more`: events, then the outcome.
corun::Coro<> run_events(ReplySink sink, Host& host, job::JobRef job);

}  // namespace corund::serve::methods
