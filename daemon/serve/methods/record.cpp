// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/record.hpp"

#include "daemon/job/kind.hpp"
#include "daemon/run/clock.hpp"
#include "daemon/wire/errors.hpp"
#include "daemon/wire/reply.hpp"

namespace corund::serve {
namespace {

using wire::JsonWriter;

void optional_string(JsonWriter& out, std::string_view key, std::string_view value) {
  if (!value.empty()) out.key(key).string(value);
}
void optional_seconds(JsonWriter& out, std::string_view key, const std::optional<std::chrono::nanoseconds>& value) {
  if (value) out.key(key).number(run::seconds(*value));
}
void write_labels(JsonWriter& out, const Labels& labels) {
  out.begin_object();
  for (const auto& [name, value] : labels) out.string_key(name).string(value);
  out.end_object();
}

void write_attempt(JsonWriter& out, const job::Job& job) {
  out.begin_object().key("number").integer(job.attempt).key("startedUSec").integer(job.started_us);
  if (job.is_over()) {
    out.key("endedUSec").integer(job.ended_us).key("state").string(job::name(job.state));
    optional_string(out, "errorType", job.outcome.error_type);
    optional_string(out, "errorMessage", job.outcome.error_message);
    if (job.usage.steps > 0) {
      out.key("loopSeconds").number(job.usage.loop_seconds);
      out.key("steps").unsigned_integer(job.usage.steps);
      out.key("longestStepSeconds").number(job.usage.longest_step_seconds);
    }
    if (job.usage.thread_seconds > 0) out.key("threadSeconds").number(job.usage.thread_seconds);
    if (job.usage.cpu_seconds) out.key("cpuSeconds").number(*job.usage.cpu_seconds);
    if (job.usage.max_rss_kib) out.key("maxRssKiB").integer(*job.usage.max_rss_kib);
  }
  out.end_object();
}

void write_outcome_members(JsonWriter& out, const job::Job& job) {
  if (!job.outcome.result.empty()) out.key("result").raw(job.outcome.result.view());
  optional_string(out, "errorType", job.outcome.error_type);
  optional_string(out, "errorMessage", job.outcome.error_message);
  optional_string(out, "cancelReason", job.outcome.reason);
}

void write_progress(JsonWriter& out, const std::optional<double>& fraction, std::string_view text, std::int64_t timestamp_us) {
  out.begin_object();
  if (fraction) out.key("fraction").number(*fraction);
  optional_string(out, "text", text);
  out.key("timestampUSec").integer(timestamp_us).end_object();
}

}  // namespace

void write_job(JsonWriter& out, const job::Job& job) {
  out.begin_object().key("id").string(job.id_view()).key("kind").string(job.spec.kind->name);
  out.key("state").string(job::name(job.state));
  if (job.state == job::State::queued) out.key("waitingFor").string("room in group " + job.spec.group);
  out.key("args").raw(job.spec.args.view());
  out.key("context").string(job.spec.context_text()).key("group").string(job.spec.group);
  out.key("priority").integer(job.spec.priority).key("labels");
  write_labels(out, job.spec.labels);
  out.key("after").begin_array().end_array();
  optional_seconds(out, "timeout", job.spec.timeout ? job.spec.timeout : job.spec.kind->timeout);
  optional_seconds(out, "grace", job.spec.grace ? job.spec.grace : job.spec.kind->grace);
  out.key("attached").boolean(job.spec.attached);
  out.key("ack").string(job.spec.ack == job::Ack::disk ? "disk" : "memory");
  out.key("ownerUid").integer(job.spec.owner);
  out.key("submittedUSec").integer(job.submitted_us).key("eligibleUSec").integer(job.submitted_us);
  if (job.started_us) out.key("startedUSec").integer(job.started_us);
  if (job.is_over()) out.key("endedUSec").integer(job.ended_us);
  if (job.progress) {
    out.key("progress");
    write_progress(out, job.progress->fraction, job.progress->text, job.progress->timestamp_us);
  }
  if (job.is_over()) write_outcome_members(out, job);
  out.key("leftovers").begin_array();
  for (const auto& name : job.leftovers) out.string(name);
  out.end_array().key("attempts").begin_array();
  if (job.attempt > 0) write_attempt(out, job);
  out.end_array();
  optional_string(out, "stdoutTail", job.stdout_tail);
  optional_string(out, "stderrTail", job.stderr_tail);
  out.end_object();
}

void write_outcome(std::string& out, const job::Job& job, wire::Terminator terminator) {
  namespace errors = wire::errors;
  switch (job.state) {
    case job::State::succeeded: {
      wire::ReplyBuilder reply(out, terminator);
      JsonWriter& members = reply.parameters();
      members.key("id").string(job.id_view()).key("state").string("succeeded");
      if (!job.outcome.result.empty()) {
        members.key("result");
        // The kind vouched for its text; what nlohmann wrote was made clean when it was written.
        members.raw(job.outcome.result.view());
      }
      return reply.finish();
    }
    case job::State::cancelled:
      return wire::append_error(out, errors::JobCancelled{std::string(job.id_view()), job.outcome.reason}, terminator);
    case job::State::timed_out: {
      auto timeout = job.spec.timeout ? job.spec.timeout : job.spec.kind->timeout;
      double seconds = timeout ? run::seconds(*timeout) : static_cast<double>(job.ended_us - job.started_us) * 1e-6;
      return wire::append_error(out, errors::JobTimedOut{std::string(job.id_view()), seconds}, terminator);
    }
    case job::State::failed:
      return wire::append_error(out,
                                errors::JobFailed{std::string(job.id_view()), job.outcome.error_type,
                                                  job.outcome.error_message, std::string(job.outcome.result.view())},
                                terminator);
    default: return wire::append_error(out, errors::JobLost{std::string(job.id_view())}, terminator);
  }
}

void write_event(JsonWriter& out, const job::Job& job, const job::Event& event) {
  constexpr std::string_view types[] = {"output", "progress", "log", "event"};
  out.begin_object().key("type").string(types[static_cast<std::size_t>(event.type)]);
  out.key("id").string(job.id_view()).key("timestampUSec").integer(event.timestamp_us);
  switch (event.type) {
    case job::EventType::output:
      out.key("stream").string(event.stream == Stream::out ? "stdout" : "stderr").key("text").string(event.text);
      break;
    case job::EventType::progress:
      out.key("progress");
      write_progress(out, event.fraction, event.text, event.timestamp_us);
      break;
    case job::EventType::log: out.key("level").integer(event.level).key("text").string(event.text); break;
    case job::EventType::event: out.key("data").raw(event.data.view()); break;
  }
  out.end_object();
}

void write_event(JsonWriter& out, const job::Job& job, std::string_view type, job::State state, std::int64_t timestamp_us) {
  out.begin_object().key("type").string(type).key("id").string(job.id_view());
  out.key("timestampUSec").integer(timestamp_us).key("state").string(job::name(state)).end_object();
}

}  // namespace corund::serve
