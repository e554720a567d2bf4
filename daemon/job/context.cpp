// SPDX-License-Identifier: MIT
#include "daemon/job/context.hpp"

#include <algorithm>

#include "daemon/job/job.hpp"

namespace corund {

std::string_view JobContext::id() const noexcept { return job_.id_view(); }
int JobContext::attempt() const noexcept { return job_.attempt; }
std::optional<corun::time_point> JobContext::deadline() const noexcept {
  return job_.running ? job_.running->deadline : std::nullopt;
}
std::chrono::nanoseconds JobContext::grace() const noexcept { return job_.grace; }
bool JobContext::is_escalated() const noexcept { return job_.cancellation && !job_.cancellation->escalated.empty(); }
uid_t JobContext::peer_uid() const noexcept { return job_.spec.owner; }
const Labels& JobContext::labels() const noexcept { return job_.spec.labels(); }
std::shared_ptr<corun::TaskScope> JobContext::scope() const noexcept {
  return job_.running ? job_.running->scope : nullptr;
}

JsonText JobContext::spare_text() noexcept {
  JsonText text = std::exchange(job_.record().outcome.result, JsonText());
  text.clear();
  return text;
}

void JobContext::progress(std::optional<double> fraction, std::string_view text) { host_.on_progress(job_, fraction, text); }
void JobContext::log(int level, std::string_view text, const Labels& fields) {
  host_.on_log(job_, std::clamp(level, 0, 7), text, fields);
}
void JobContext::emit(const Json& data) {
  if (!data.is_object()) throw corun::ValueError("an event's data is a JSON object");
  host_.on_emit(job_, to_text(data));
}
corun::Coro<Json> JobContext::run(std::string kind, Json args) {
  return host_.run_child(job::JobRef(job_), std::move(kind), std::move(args));
}
void JobContext::output(Stream stream, std::string_view line, pid_t pid) {
  host_.on_output(job_, stream, line, pid);
}

void JobContext::wrote(Stream stream, std::string_view tail) {
  job::Record& record = job_.record();
  (stream == Stream::out ? record.stdout_tail : record.stderr_tail) = tail;
}

void JobContext::spawned(pid_t pid) { host_.on_spawned(job_, pid); }

bool JobContext::is_ahead_of_caller() const noexcept {
  const job::Record& record = job_.peek();
  return record.caller_next && record.events && record.events->is_filling(*record.caller_next);
}

corun::Coro<> JobContext::caller_catches_up() {
  while (is_ahead_of_caller()) co_await job_.record().caller_read.wait();
}

void JobContext::used(double cpu_seconds, std::int64_t max_rss_kib) {
  job::Usage& usage = job_.record().usage;
  usage.cpu_seconds = usage.cpu_seconds.value_or(0) + cpu_seconds;
  usage.max_rss_kib = std::max(usage.max_rss_kib.value_or(0), max_rss_kib);
}

}  // namespace corund
