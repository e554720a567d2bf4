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

void write_usage(JsonWriter& out, const job::Usage& usage) {
  if (usage.steps > 0) {
    out.key("loopSeconds").number(usage.loop_seconds);
    out.key("steps").unsigned_integer(usage.steps);
    out.key("longestStepSeconds").number(usage.longest_step_seconds);
  }
  if (usage.thread_seconds > 0) out.key("threadSeconds").number(usage.thread_seconds);
  if (usage.cpu_seconds) out.key("cpuSeconds").number(*usage.cpu_seconds);
  if (usage.max_rss_kib) out.key("maxRssKiB").integer(*usage.max_rss_kib);
}

void write_past_attempt(JsonWriter& out, const job::Attempt& attempt) {
  out.begin_object().key("number").integer(attempt.number).key("startedUSec").integer(attempt.started_us);
  out.key("endedUSec").integer(attempt.ended_us).key("state").string(job::name(attempt.state));
  optional_string(out, "errorType", attempt.error_type);
  optional_string(out, "errorMessage", attempt.error_message);
  write_usage(out, attempt.usage);
  out.end_object();
}

void write_latest_attempt(JsonWriter& out, const job::Job& job, const job::Record& record) {
  out.begin_object().key("number").integer(job.attempt).key("startedUSec").integer(job.attempt_started_us);
  if (job.is_over()) {
    out.key("endedUSec").integer(job.ended_us).key("state").string(job::name(job.state));
    optional_string(out, "errorType", record.outcome.error_type);
    optional_string(out, "errorMessage", record.outcome.error_message);
    write_usage(out, record.usage);
  }
  out.end_object();
}

void write_outcome_members(JsonWriter& out, const job::Outcome& outcome) {
  if (!outcome.result.empty()) out.key("result").raw(outcome.result.view());
  optional_string(out, "errorType", outcome.error_type);
  optional_string(out, "errorMessage", outcome.error_message);
  optional_string(out, "cancelReason", outcome.reason);
}

std::string waiting_for(const Host& host, const job::Job& job) {
  switch (job.wait) {
    case job::Wait::disk: return "its record to be on disk";
    case job::Wait::kind: return "kind " + job.spec.kind->name + ", which is not there";
    case job::Wait::dependency: return "job " + host.admission.waits_for(job).to_string();
    case job::Wait::time: return "its time";
    case job::Wait::stop: return "the next start of the daemon";
    case job::Wait::room: break;
    case job::Wait::none:
    case job::Wait::refused: return {};
  }
  const run::Groups& groups = host.admission.groups();
  const run::Group* group = groups.find(job.spec.group);
  if (groups.all_paused()) return "an administrator: all groups are paused";
  if (group && group->paused()) return "an administrator: group " + job.spec.group + " is paused";
  return "room in group " + job.spec.group;
}

void write_retry_policy(JsonWriter& out, const job::RetryPolicy& policy) {
  out.begin_object().key("max").integer(policy.max).key("delay").number(run::seconds(policy.delay));
  out.key("backoff").number(policy.backoff).end_object();
}

// Whether the latest attempt stands among those before it: the job waits for another one.
bool is_latest_past(const job::Job& job, const job::Record& record) {
  return !record.past.empty() && record.past.back().number == job.attempt;
}

void write_progress(JsonWriter& out, const std::optional<double>& fraction, std::string_view text, std::int64_t timestamp_us) {
  out.begin_object();
  if (fraction) out.key("fraction").number(*fraction);
  optional_string(out, "text", text);
  out.key("timestampUSec").integer(timestamp_us).end_object();
}

void write_refusal(std::string& out, const Host& host, wire::Terminator terminator) {
  wire::append_error(out, wire::errors::StoreFull{std::string(host.admission.refused_because())}, terminator);
}

}  // namespace

void write_job(JsonWriter& out, const Host& host, const job::Job& job, const run::Body* body) {
  const job::Record& record = body ? body->record : job.record();
  const std::string waits = waiting_for(host, job);
  out.begin_object().key("id").string(job.id_view()).key("kind").string(job.spec.kind->name);
  out.key("state").string(job::name(job.state));
  optional_string(out, "waitingFor", waits);
  out.key("args").raw((body ? body->args : job.spec.args).view());
  out.key("context").string(job.spec.context_text()).key("group").string(job.spec.group);
  out.key("priority").integer(job.spec.priority).key("labels");
  write_labels(out, job.spec.labels());
  optional_string(out, "key", job.spec.extras().key);
  out.key("after").begin_array();
  for (const job::Ulid& id : job.spec.extras().after) out.string(id.to_string());
  out.end_array();
  optional_seconds(out, "timeout", job.spec.timeout ? job.spec.timeout : job.spec.kind->timeout);
  optional_seconds(out, "grace", job.spec.grace ? job.spec.grace : job.spec.kind->grace);
  if (const auto& retry = job.spec.extras().retry) write_retry_policy(out.key("retry"), *retry);
  out.key("attached").boolean(job.spec.attached);
  out.key("ack").string(job.spec.ack == job::Ack::disk ? "disk" : "memory");
  out.key("ownerUid").integer(job.spec.owner);
  out.key("submittedUSec").integer(job.submitted_us).key("eligibleUSec").integer(job.eligible_us);
  if (job.started_us) out.key("startedUSec").integer(job.started_us);
  if (job.is_over()) out.key("endedUSec").integer(job.ended_us);
  if (record.progress) {
    out.key("progress");
    write_progress(out, record.progress->fraction, record.progress->text, record.progress->timestamp_us);
  }
  if (job.is_over()) write_outcome_members(out, record.outcome);
  out.key("leftovers").begin_array();
  for (const auto& name : record.leftovers) out.string(name);
  out.end_array().key("attempts").begin_array();
  for (const auto& attempt : record.past) write_past_attempt(out, attempt);
  if (job.attempt > 0 && !is_latest_past(job, record)) write_latest_attempt(out, job, record);
  out.end_array();
  optional_string(out, "stdoutTail", record.stdout_tail);
  optional_string(out, "stderrTail", record.stderr_tail);
  out.end_object();
}

bool is_acknowledged(const job::Job& job) noexcept { return job.wait != job::Wait::disk || job.is_over(); }

void write_acknowledgement(std::string& out, const Host& host, const job::Job& job, wire::Terminator terminator) {
  if (job.wait == job::Wait::refused) return write_refusal(out, host, terminator);
  // The reply to each submission, always the same but for the id, which needs no escapes.
  wire::ReplyBuilder reply(out, terminator);
  reply.parameters().buffer().append(R"("id":")").append(job.id_view()).append(job.is_durable() ? R"(","ack":"disk")" : R"(","ack":"memory")");
  reply.finish();
}

void write_outcome(std::string& out, const Host& host, const job::Job& job, wire::Terminator terminator, const run::Body* body) {
  namespace errors = wire::errors;
  if (job.wait == job::Wait::refused) return write_refusal(out, host, terminator);
  const job::Outcome& outcome = body ? body->record.outcome : job.record().outcome;
  switch (job.state) {
    case job::State::succeeded: {
      wire::ReplyBuilder reply(out, terminator);
      JsonWriter& members = reply.parameters();
      members.key("id").string(job.id_view()).key("state").string("succeeded");
      if (!outcome.result.empty()) {
        members.key("result");
        // The kind vouched for its text; what nlohmann wrote was made clean when it was written.
        members.raw(outcome.result.view());
      }
      return reply.finish();
    }
    case job::State::cancelled:
      if (outcome.error_type == job::dependency_failed)
        return wire::append_error(out, errors::DependencyFailed{std::string(job.id_view()), outcome.error_message}, terminator);
      return wire::append_error(out, errors::JobCancelled{std::string(job.id_view()), outcome.reason}, terminator);
    case job::State::timed_out: {
      auto timeout = job.spec.timeout ? job.spec.timeout : job.spec.kind->timeout;
      double seconds = timeout ? run::seconds(*timeout) : static_cast<double>(job.ended_us - job.started_us) * 1e-6;
      return wire::append_error(out, errors::JobTimedOut{std::string(job.id_view()), seconds}, terminator);
    }
    case job::State::failed:
      return wire::append_error(out,
                                errors::JobFailed{std::string(job.id_view()), outcome.error_type,
                                                  outcome.error_message, std::string(outcome.result.view())},
                                terminator);
    default: return wire::append_error(out, errors::JobLost{std::string(job.id_view())}, terminator);
  }
}

void write_event(JsonWriter& out, const job::Job& job, const job::Event& event) {
  constexpr std::string_view types[] = {"output", "progress", "log", "event", "retry", "started"};
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
    case job::EventType::retry: out.key("state").string(job::name(job::State::delayed)); break;
    case job::EventType::started: out.key("state").string(job::name(job::State::running)); break;
  }
  out.end_object();
}

void write_event(JsonWriter& out, const job::Job& job, std::string_view type, job::State state, std::int64_t timestamp_us) {
  out.begin_object().key("type").string(type).key("id").string(job.id_view());
  out.key("timestampUSec").integer(timestamp_us).key("state").string(job::name(state)).end_object();
}

}  // namespace corund::serve
