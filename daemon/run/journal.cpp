// SPDX-License-Identifier: MIT
#include "daemon/run/journal.hpp"

#include <cmath>

#include "daemon/job/kind.hpp"
#include "daemon/run/clock.hpp"
#include "daemon/run/rows.hpp"
#include "daemon/sd/message_ids.hpp"

namespace corund::run {
namespace {

using sd::Field;
using sd::LogLevel;

bool is_bad(const job::Job& job) {
  return job.state == job::State::failed || job.state == job::State::timed_out || job.state == job::State::lost;
}

bool is_quiet(const job::Job& job) { return job.spec.attached && !job.spec.kind->journal_all; }

LogLevel level_of(int syslog) {
  if (syslog <= 3) return LogLevel::error;
  return syslog >= 7 ? LogLevel::debug : static_cast<LogLevel>(syslog);
}

std::string sentence(const job::Job& job, std::string_view what) {
  std::string text = job.spec.kind->name;
  text += ' ';
  text += what;
  return text;
}

// A label's name is a peer's text and never a field's name: what is user data stays a value.
std::string labels_text(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) text += (text.empty() ? "" : " ") + name + "=" + value;
  return text;
}

// A child job's records name its parent; those of others have no such field. Kept by the caller: a field is a view.
std::string parent_of(const job::Job& job) { return job.parent.empty() ? std::string() : job.parent.to_string(); }

// What was measured of an attempt; nothing was, nothing is said.
Field steps_of(const job::Usage& usage) {
  return usage.steps ? Field("CORUND_STEPS", usage.steps) : Field("CORUND_STEPS", "");
}
Field longest_step_of(const job::Usage& usage) {
  return usage.steps ? Field("CORUND_LONGEST_STEP_USEC", std::llround(1e6 * usage.longest_step_seconds)) : Field("CORUND_LONGEST_STEP_USEC", "");
}

}  // namespace

std::string submitted_text(const job::Job& job) { return sentence(job, "submitted"); }
std::string started_text(const job::Job& job) { return sentence(job, "started"); }

std::string attempt_text(const job::Job& job, const job::Attempt& attempt) {
  std::string what = "attempt " + std::to_string(attempt.number) + " " + std::string(job::name(attempt.state));
  if (attempt.state == job::State::cancelled) what += " by the daemon's stop";  // of any other cancellation the job ends
  return sentence(job, attempt.error_message.empty() ? what : what + ": " + attempt.error_message);
}

std::string ended_text(const job::Job& job, const job::Record& record) {
  std::string what = job.state == job::State::timed_out ? "timed out" : std::string(job::name(job.state));
  if (is_bad(job) && !record.outcome.error_message.empty()) what += ": " + record.outcome.error_message;
  if (job.state == job::State::cancelled && !record.outcome.reason.empty()) what += ": " + record.outcome.reason;
  return sentence(job, what);
}

sd::LogLevel ended_level(const job::Job& job) noexcept { return is_bad(job) ? LogLevel::warning : LogLevel::info; }

bool Journal::has_told(const job::Job& job) const noexcept {
  if (!job.is_over()) return !is_quiet(job) && log_.wants(LogLevel::info);
  if (job.state == job::State::succeeded && is_quiet(job)) return false;
  return log_.wants(ended_level(job));
}

// Most submissions differ from one before them by their id alone.
const sd::RecordForm* Journal::form_of(const job::Job& job) {
  if (!job.parent.empty() || !job.spec.labels().empty()) return nullptr;
  for (const SubmittedForm& form : submitted_forms_)
    if (form.kind == job.spec.kind && form.state == job.state && form.owner == job.spec.owner && form.group == job.spec.group) return &form.record;
  const Field fields[] = {Field("CORUND_JOB_ID", job.id_view()), Field("CORUND_KIND", job.spec.kind->name), Field("CORUND_STATE", job::name(job.state)),
                          Field("CORUND_OWNER_UID", job.spec.owner), Field("CORUND_GROUP", job.spec.group)};
  if (submitted_forms_.size() == forms_max) submitted_forms_.erase(submitted_forms_.begin());
  submitted_forms_.push_back({job.spec.kind, job.state, job.spec.owner, job.spec.group,
                              sd::RecordForm(LogLevel::info, submitted_text(job), sd::message_ids::job_submitted, fields, "CORUND_JOB_ID")});
  return &submitted_forms_.back().record;
}

void Journal::submitted(const job::Job& job) {
  if (is_quiet(job) || !log_.wants(LogLevel::info)) return;
  if (const sd::RecordForm* form = form_of(job)) {
    log_.write(*form, job.id_view());
    return;
  }
  const std::string parent = parent_of(job);
  log_.write(LogLevel::info, submitted_text(job), sd::message_ids::job_submitted,
             {Field("CORUND_JOB_ID", job.id_view()), Field("CORUND_PARENT_ID", parent), Field("CORUND_KIND", job.spec.kind->name),
              Field("CORUND_STATE", job::name(job.state)), Field("CORUND_OWNER_UID", job.spec.owner),
              Field("CORUND_GROUP", job.spec.group), Field("CORUND_LABELS", labels_text(job.spec.labels()))});
}

void Journal::started(const job::Job& job) {
  if (is_quiet(job) || !log_.wants(LogLevel::info)) return;
  const std::string parent = parent_of(job);
  log_.write(LogLevel::info, started_text(job), sd::message_ids::job_started,
             {Field("CORUND_JOB_ID", job.id_view()), Field("CORUND_PARENT_ID", parent), Field("CORUND_KIND", job.spec.kind->name),
              Field("CORUND_STATE", job::name(job.state)), Field("CORUND_LABELS", labels_text(job.spec.labels()))});
}

bool Journal::take_from_rate(std::int64_t now_us) {
  std::int64_t second = now_us / 1'000'000;
  if (second != second_) {
    second_ = second;
    written_in_second_ = 0;
  }
  return written_in_second_++ < attached_rate_;
}

void Journal::tell_dropped(const job::Job& job, OutputLimit& limit) {
  const std::uint64_t count = limit.take_dropped();
  if (count == 0) return;
  const std::string parent = parent_of(job);
  log_.write(LogLevel::warning,
             sentence(job, "wrote faster than the log takes it: " + std::to_string(count) + (count == 1 ? " line is" : " lines are") + " left out here"),
             sd::message_ids::output_dropped,
             {Field("CORUND_JOB_ID", job.id_view()), Field("CORUND_PARENT_ID", parent), Field("CORUND_KIND", job.spec.kind->name), Field("CORUND_COUNT", count)});
}

void Journal::end_output(const job::Job& job) {
  const auto output = outputs_.find(job.id);
  if (output == outputs_.end()) return;
  tell_dropped(job, output->second);
  outputs_.erase(output);
}

void Journal::ended(const job::Job& job) {
  end_output(job);
  const LogLevel level = ended_level(job);
  if (!log_.wants(level)) return;
  if (job.state == job::State::succeeded && is_quiet(job) && !take_from_rate(job.ended_us)) {
    if (counted_++ == 0) corun::get_running_loop().call_later(std::chrono::seconds(1), [this] { sum_up(); });
    ++sums_[job.spec.kind];
    return;
  }
  std::string leftovers;
  for (const auto& name : job.record().leftovers) leftovers += (leftovers.empty() ? "" : " ") + name;
  const job::Usage& usage = job.record().usage;
  const std::string longest_at = place_text(usage.longest_step_at);
  const std::string parent = parent_of(job);
  log_.write(level, ended_text(job, job.record()), is_bad(job) ? sd::message_ids::job_failed : sd::message_ids::job_ended,
             {Field("CORUND_JOB_ID", job.id_view()), Field("CORUND_PARENT_ID", parent), Field("CORUND_KIND", job.spec.kind->name),
              Field("CORUND_STATE", job::name(job.state)), Field("CORUND_ERROR", job.record().outcome.error_type),
              Field("CORUND_OWNER_UID", job.spec.owner), Field("CORUND_LEFTOVERS", leftovers),
              Field("CORUND_DURATION_USEC", job.started_us ? job.ended_us - job.started_us : 0), steps_of(usage), longest_step_of(usage),
              Field("CORUND_LONGEST_STEP_AT", longest_at), Field("CORUND_BUILD_ID", job.spec.kind->build_id),
              Field("CORUND_LABELS", labels_text(job.spec.labels()))});
}

void Journal::retried(const job::Job& job) {
  end_output(job);
  const job::Attempt& last = job.record().past.back();
  const std::string longest_at = place_text(last.usage.longest_step_at);
  const std::string parent = parent_of(job);
  log_.write(LogLevel::warning, attempt_text(job, last), sd::message_ids::job_retried,
             {Field("CORUND_JOB_ID", job.id_view()), Field("CORUND_PARENT_ID", parent), Field("CORUND_KIND", job.spec.kind->name),
              Field("CORUND_STATE", job::name(last.state)), Field("CORUND_ERROR", last.error_type),
              Field("CORUND_ATTEMPT", last.number), Field("CORUND_OWNER_UID", job.spec.owner), steps_of(last.usage), longest_step_of(last.usage),
              Field("CORUND_LONGEST_STEP_AT", longest_at), Field("CORUND_BUILD_ID", job.spec.kind->build_id),
              Field("CORUND_LABELS", labels_text(job.spec.labels()))});
}

void Journal::abandoned(const job::Job& job, std::string_view stack) {
  std::string message = sentence(job, "is cancelled and does not end; nobody waits for it any more. It is at:\n");
  message += stack;
  const std::string parent = parent_of(job);
  log_.write(LogLevel::warning, message, sd::message_ids::job_abandoned,
             {Field("CORUND_JOB_ID", job.id_view()), Field("CORUND_PARENT_ID", parent), Field("CORUND_KIND", job.spec.kind->name),
              Field("CORUND_STATE", job::name(job.state))});
}

void Journal::left_at_stop(const job::Job& job, std::string_view why, bool has_next) {
  const std::string parent = parent_of(job);
  const std::string what = has_next ? "attempt " + std::to_string(job.attempt) + " lost: " : "lost: ";
  log_.write(LogLevel::warning, sentence(job, what + std::string(why)), has_next ? sd::message_ids::job_retried : sd::message_ids::job_failed,
             {Field("CORUND_JOB_ID", job.id_view()), Field("CORUND_PARENT_ID", parent), Field("CORUND_KIND", job.spec.kind->name),
              Field("CORUND_STATE", job::name(job::State::lost)), Field("CORUND_ERROR", "Lost"), Field("CORUND_ATTEMPT", job.attempt),
              Field("CORUND_OWNER_UID", job.spec.owner), Field("CORUND_LABELS", labels_text(job.spec.labels()))});
}

void Journal::said(const job::Job& job, int level, std::string_view text, const Labels& fields) {
  if (!log_.wants(level_of(level))) return;
  const std::string parent = parent_of(job);
  log_.write(level_of(level), text, {},
             {Field("CORUND_JOB_ID", job.id_view()), Field("CORUND_PARENT_ID", parent), Field("CORUND_KIND", job.spec.kind->name),
              Field("CORUND_FIELDS", labels_text(fields)), Field("CORUND_LABELS", labels_text(job.spec.labels()))});
}

void Journal::output(const job::Job& job, Stream stream, std::string_view line, pid_t pid) {
  LogLevel level = stream == Stream::out ? LogLevel::info : LogLevel::notice;
  if (!log_.wants(level)) return;
  OutputLimit& limit = outputs_.try_emplace(job.id, output_rate_).first->second;
  if (!limit.take(line.size(), now_us())) return;
  tell_dropped(job, limit);
  const std::string parent = parent_of(job);
  log_.write(level, line, {},
             {Field("CORUND_JOB_ID", job.id_view()), Field("CORUND_PARENT_ID", parent), Field("CORUND_KIND", job.spec.kind->name),
              Field("CORUND_STREAM", stream == Stream::out ? "stdout" : "stderr"),
              pid > 0 ? Field("OBJECT_PID", pid) : Field("OBJECT_PID", "")});
}

void Journal::recovered(std::size_t waiting, std::size_t lost) {
  log_.write(lost ? LogLevel::warning : LogLevel::info,
             "taken over: " + std::to_string(waiting) + " jobs that wait, " + std::to_string(lost) + " that are lost",
             sd::message_ids::jobs_recovered, {Field("CORUND_COUNT", waiting), Field("CORUND_LOST", lost)});
}

void Journal::store_failing(std::string_view why) {
  if (std::exchange(is_store_failing_, true)) return;
  log_.write(LogLevel::error, "the store cannot be written, durable submissions are refused: " + std::string(why),
             sd::message_ids::store_failing, {Field("CORUND_ERROR", why)});
}

void Journal::store_works() {
  if (!std::exchange(is_store_failing_, false)) return;
  log_.write(LogLevel::notice, "the store is written again", sd::message_ids::store_recovered, {});
}

void Journal::sum_up() {
  if (counted_ == 0) return;
  counted_ = 0;
  for (auto& [kind, count] : sums_) {
    if (count == 0) continue;
    log_.write(LogLevel::info, kind->name + ": " + std::to_string(count) + " more attached jobs succeeded",
               sd::message_ids::jobs_summed_up, {Field("CORUND_KIND", kind->name), Field("CORUND_COUNT", count)});
    count = 0;
  }
}

}  // namespace corund::run
