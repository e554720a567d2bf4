// SPDX-License-Identifier: MIT
// What is told while it happens: io.corund.Jobs.Watch, Wait, and the events of a Run that asked for more.
#pragma once

#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

void watch(Call& call);
void wait(Call& call);

// A job that the disk refused while somebody asked after it was never there. Errors: MethodError.
void throw_if_refused(const job::Job& job);

// Returns when the job is over or nothing becomes of it in this process any more. Errors: JobNotFound where the disk has refused it, Draining
// where the next daemon will run it.
corun::Coro<> settled(const Host& host, job::JobRef job);
// Whether settled() would return.
bool is_settled(const Host& host, const job::Job& job) noexcept;
// Throws as settled() does.
void throw_if_not_over(const Host& host, const job::Job& job);
// The answer of Wait and Show: the record, wherever its parts are.
corun::Coro<> tell_job(ReplySink sink, Host& host, job::JobRef job);
// The answer of a Run with `more`: events, then the outcome.
corun::Coro<> run_events(ReplySink sink, Host& host, job::JobRef job);

}  // namespace corund::serve::methods
