// SPDX-License-Identifier: MIT
#include "daemon/run/rows.hpp"

#include <cmath>

#include "daemon/job/kind.hpp"
#include "daemon/run/clock.hpp"

namespace corund::run {
namespace {

std::chrono::nanoseconds from_seconds(const Json& value) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(value.get<double>() * 1e9)));
}

job::State state_of(std::string_view text, job::State otherwise) { return job::parse_state(text).value_or(otherwise); }

}  // namespace

std::string options_text(const job::JobSpec& spec) {
  const job::SpecExtras& extras = spec.extras();
  if (!spec.timeout && !spec.grace && !spec.attached && extras.empty()) return {};  // most say nothing of this
  Json options = Json::object();
  if (spec.timeout) options["timeout"] = seconds(*spec.timeout);
  if (spec.grace) options["grace"] = seconds(*spec.grace);
  if (spec.attached) options["attached"] = true;
  if (extras.retry)
    options["retry"] = {{"max", extras.retry->max}, {"delay", seconds(extras.retry->delay)}, {"backoff", extras.retry->backoff}};
  for (const job::Ulid& id : extras.after) options["after"].push_back(id.to_string());
  if (!extras.key.empty()) options["key"] = extras.key;
  for (const auto& [name, value] : extras.labels) options["labels"][name] = value;
  return options.empty() ? std::string() : std::move(to_text(options).str());
}

void read_options(std::string_view text, job::JobSpec& spec) {
  if (text.empty()) return;
  const Json options = Json::parse(text);
  for (const auto& [name, value] : options.items()) {
    if (name == "timeout") {
      spec.timeout = from_seconds(value);
    } else if (name == "grace") {
      spec.grace = from_seconds(value);
    } else if (name == "attached") {
      spec.attached = value.get<bool>();
    } else if (name == "retry") {
      spec.make_extras().retry =
          job::RetryPolicy{value.at("max").get<int>(), from_seconds(value.at("delay")), value.at("backoff").get<double>()};
    } else if (name == "after") {
      for (const Json& id : value)
        if (auto parsed = job::Ulid::parse(id.get<std::string>())) spec.make_extras().after.push_back(*parsed);
    } else if (name == "key") {
      spec.make_extras().key = value.get<std::string>();
    } else if (name == "labels") {
      for (const auto& [label, content] : value.items()) spec.make_extras().labels.emplace_back(label, content.get<std::string>());
    }
  }
}

std::string place_text(const std::source_location& place) {
  return place.line() == 0 ? std::string() : std::string(place.file_name()) + ':' + std::to_string(place.line());
}

std::string usage_text(const job::Usage& usage, std::string_view build_id) {
  if (usage.empty() && build_id.empty()) return {};
  Json out = Json::object();
  if (usage.steps > 0) {
    out["loopSeconds"] = usage.loop_seconds;
    out["steps"] = usage.steps;
    out["longestStepSeconds"] = usage.longest_step_seconds;
    if (std::string at = place_text(usage.longest_step_at); !at.empty()) out["longestStepAt"] = std::move(at);
  }
  if (usage.thread_seconds > 0) out["threadSeconds"] = usage.thread_seconds;
  if (usage.cpu_seconds) out["cpuSeconds"] = *usage.cpu_seconds;
  if (usage.max_rss_kib) out["maxRssKiB"] = *usage.max_rss_kib;
  if (!build_id.empty()) out["buildId"] = build_id;
  return std::move(to_text(out).str());
}

job::Usage read_usage(std::string_view text) {
  job::Usage usage;
  if (text.empty()) return usage;
  const Json in = Json::parse(text);
  usage.loop_seconds = in.value("loopSeconds", 0.0);
  usage.steps = in.value("steps", std::uint64_t{0});
  usage.longest_step_seconds = in.value("longestStepSeconds", 0.0);
  usage.thread_seconds = in.value("threadSeconds", 0.0);
  if (in.contains("cpuSeconds")) usage.cpu_seconds = in["cpuSeconds"].get<double>();
  if (in.contains("maxRssKiB")) usage.max_rss_kib = in["maxRssKiB"].get<std::int64_t>();
  return usage;
}

std::string names_text(const std::vector<std::string>& names) {
  return names.empty() ? std::string() : std::move(to_text(Json(names)).str());
}

std::vector<std::string> read_names(std::string_view text) {
  return text.empty() ? std::vector<std::string>() : Json::parse(text).get<std::vector<std::string>>();
}

store::JobRow job_row(const job::Job& job, const std::string& options) {
  store::JobRow row;
  row.seq = job.seq;
  row.id = job.id_view();
  row.kind = job.spec.kind->name;
  row.args = job.spec.args.view();
  row.context = job.spec.context_text();
  row.group = job.spec.group;
  row.priority = job.spec.priority;
  row.owner_uid = job.spec.owner;
  row.submitted_us = job.submitted_us;
  row.eligible_us = job.eligible_us;
  row.options = options;
  return row;
}

void read_job(const store::JobRow& row, job::Job& job) {
  job.seq = row.seq;
  job.submitted_us = row.submitted_us;
  job.eligible_us = row.eligible_us;
  job::JobSpec& spec = job.spec;
  spec.args.assign(row.args);
  spec.group = row.group;
  spec.priority = row.priority;
  spec.owner = row.owner_uid;
  spec.ack = job::Ack::disk;
  if (row.context == "isolated") {
    spec.context = job::ContextChoice::isolated;
  } else if (row.context != "shared") {
    spec.context = job::ContextChoice::named;
    spec.make_extras().context_name = row.context;
  }
  read_options(row.options, spec);
}

store::AttemptRow attempt_row(const job::Job& job, const std::string& usage, std::optional<std::int64_t> next_us) {
  const job::Outcome& outcome = job.record().outcome;
  store::AttemptRow row;
  row.seq = job.seq;
  row.number = job.attempt;
  row.started_us = job.attempt_started_us;
  row.ended_us = now_us();
  row.state = job::name(outcome.state);
  row.error_type = outcome.error_type;
  row.error_message = outcome.error_message;
  row.next_us = next_us;
  row.usage = usage;
  return row;
}

job::Attempt read_attempt(const store::AttemptRow& row) {
  return {row.number,
          row.started_us,
          row.ended_us.value_or(0),
          state_of(row.state, job::State::lost),
          std::string(row.error_type),
          std::string(row.error_message),
          read_usage(row.usage)};
}

store::OutcomeRow outcome_row(const job::Job& job, std::int64_t ended_us, const std::string& leftovers) {
  const job::Record& record = job.record();
  store::OutcomeRow row;
  row.seq = job.seq;
  row.state = job::name(record.outcome.state);
  row.ended_us = ended_us;
  row.result = record.outcome.result.view();
  row.error_type = record.outcome.error_type;
  row.error_message = record.outcome.error_message;
  row.reason = record.outcome.reason;
  row.leftovers = leftovers;
  row.stdout_tail = record.stdout_tail;
  row.stderr_tail = record.stderr_tail;
  return row;
}

void read_outcome(const store::OutcomeRow& row, job::Record& record) {
  record.outcome.state = state_of(row.state, job::State::lost);
  record.outcome.result.assign(row.result);
  record.outcome.error_type = row.error_type;
  record.outcome.error_message = row.error_message;
  record.outcome.reason = row.reason;
  record.leftovers = read_names(row.leftovers);
  record.stdout_tail = row.stdout_tail;
  record.stderr_tail = row.stderr_tail;
}

}  // namespace corund::run
