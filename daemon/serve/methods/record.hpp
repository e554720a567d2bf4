// SPDX-License-Identifier: MIT
// Jobs as the wire has them: the record, the outcome, the events. Writing only; what to write is the methods' choice.
#pragma once

#include <string>

#include "daemon/job/events.hpp"
#include "daemon/job/job.hpp"
#include "daemon/serve/host.hpp"
#include "daemon/wire/frame.hpp"
#include "daemon/wire/writer.hpp"

namespace corund::serve {

// Type Job of io.corund.Jobs, as an object. body: what is not in memory of a shelved job; null: all is.
void write_job(wire::JsonWriter& out, const Host& host, const job::Job& job, const run::Body* body);

// Whether it is decided that a submission was taken, and the complete reply of Submit that says so.
bool is_acknowledged(const job::Job& job) noexcept;
void write_acknowledgement(std::string& out, const Host& host, const job::Job& job, wire::Terminator terminator);

// The complete last reply of Run, for a job that is settled: its result, or the error that its state is.
void write_outcome(std::string& out, const Host& host, const job::Job& job, wire::Terminator terminator, const run::Body* body = nullptr);

// Type Event, as an object: one that the job's log kept; one that its record tells of ("queued", "started", "ended").
void write_event(wire::JsonWriter& out, const job::Job& job, const job::Event& event);
void write_event(wire::JsonWriter& out, const job::Job& job, std::string_view type, job::State state, std::int64_t timestamp_us);

}  // namespace corund::serve
