// SPDX-License-Identifier: MIT
// The events of a job tell its output line by line, with its time and between what else happened. They are in memory only: of a job that
// ran before the daemon started, or that has left memory, the tails of its two streams are what is left, line by line and without times.
#include "daemon/serve/methods/kept_log.hpp"

#include <string_view>
#include <utility>

#include "daemon/run/journal.hpp"

namespace corund::serve::methods {
namespace {

sd::LogEntry said(std::int64_t timestamp_us, sd::LogLevel level, std::string text) {
  return {timestamp_us, static_cast<int>(level), {}, std::move(text)};
}

// With the level that the journal gives the lines of that stream.
sd::LogEntry line(std::int64_t timestamp_us, Stream stream, std::string_view text) {
  const bool is_out = stream == Stream::out;
  return {timestamp_us, static_cast<int>(is_out ? sd::LogLevel::info : sd::LogLevel::notice), is_out ? "stdout" : "stderr", std::string(text)};
}

void add_lines(std::vector<sd::LogEntry>& to, Stream stream, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    to.push_back(line(0, stream, text.substr(0, end)));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
}

}  // namespace

KeptLog::KeptLog(job::JobRef job, std::shared_ptr<const run::Body> body) : job_(std::move(job)), body_(std::move(body)) {
  if (job_->is_over() && !record().events) take_tails();
}

void KeptLog::take_tails() {
  for (const job::Attempt& past : record().past) tails_.push_back(attempt(past));
  add_lines(tails_, Stream::out, record().stdout_tail);
  add_lines(tails_, Stream::err, record().stderr_tail);
}

sd::LogEntry KeptLog::attempt(const job::Attempt& attempt) const {
  return said(attempt.ended_us, sd::LogLevel::warning, run::attempt_text(*job_, attempt));
}

std::optional<sd::LogEntry> KeptLog::next() {
  if (!std::exchange(has_told_submission_, true)) return said(job_->submitted_us, sd::LogLevel::info, run::submitted_text(*job_));
  if (!has_told_start_ && job_->started_us) {
    has_told_start_ = true;
    return said(job_->started_us, sd::LogLevel::info, run::started_text(*job_));
  }
  if (auto entry = next_event()) return entry;
  if (tails_told_ < tails_.size()) return tails_[tails_told_++];
  if (!job_->is_over() || std::exchange(has_told_end_, true)) return std::nullopt;
  return said(job_->ended_us, run::ended_level(*job_), run::ended_text(*job_, record()));
}

std::optional<sd::LogEntry> KeptLog::next_event() {
  while (const job::Event* event = record().events ? record().events->from(next_event_) : nullptr) {
    if (const std::uint64_t missed = next_event_ - std::exchange(told_upto_, next_event_))
      return said(event->timestamp_us, sd::LogLevel::warning, std::to_string(missed) + " events are missing here: the latest ones are kept");
    told_upto_ = ++next_event_;
    switch (event->type) {
      case job::EventType::output: return line(event->timestamp_us, event->stream, event->text);
      case job::EventType::log: return sd::LogEntry{event->timestamp_us, event->level, {}, event->text};
      case job::EventType::retry: {
        const job::Attempt* last = nullptr;
        for (const job::Attempt& past : record().past)
          if (past.ended_us <= event->timestamp_us) last = &past;
        if (last) return attempt(*last);
        break;
      }
      case job::EventType::started: break;  // a retry has been told, and this is told by what it does
      case job::EventType::progress:
      case job::EventType::event: break;  // the journal has none of them either
    }
  }
  return std::nullopt;
}

}  // namespace corund::serve::methods
