// SPDX-License-Identifier: MIT
// Each entry is a reply with `continues`, told as soon as it is known; the last reply is empty.
//
// What the daemon has just written may still be on its way into the journal: through the log's queue, its thread, journald. Nothing says when
// that is through but the entry itself; so the entry that is known to be the latest is waited for, as long as this way can take.
#include "daemon/serve/methods/logs.hpp"

#include <unistd.h>

#include <algorithm>
#include <deque>

#include "daemon/run/clock.hpp"
#include "daemon/sd/journal_reader.hpp"
#include "daemon/serve/methods/kept_log.hpp"
#include "daemon/serve/methods/watch.hpp"
#include "daemon/wire/object.hpp"

namespace corund::serve::methods {
namespace {

constexpr std::chrono::nanoseconds journal_lag_max = std::chrono::seconds(2);
constexpr std::size_t entries_in_a_row = 64;  // before the peer has to have room for them

struct Wanted {
  bool follow = false;
  std::optional<std::int64_t> lines;  // the last so many of those so far; unset: all of them
};

class Answering {
 public:
  explicit Answering(Host& host) : host_(host) {
    const std::size_t limit = host.config.limits.log_readers;
    if (host.log_readers >= limit) throw MethodError::of(wire::errors::LimitReached{"limits.log_readers", static_cast<std::int64_t>(limit)});
    ++host.log_readers;
  }
  ~Answering() { --host_.log_readers; }
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;

 private:
  Host& host_;
};

void write_entry(ReplySink& sink, const sd::LogEntry& entry) {
  sink.reply(
      [&](wire::JsonWriter& out) {
        if (entry.timestamp_us > 0) out.key("timestampUSec").integer(entry.timestamp_us);
        out.key("level").integer(entry.level).key("stream").string(entry.stream.empty() ? "daemon" : entry.stream);
        out.key("text").string(entry.text);
      },
      true);
}

// How long from now the journal may lack what is known to have been written of the job.
std::chrono::nanoseconds lag_of(const Host& host, const job::Job& job) {
  if (!host.journal.has_told(job)) return {};
  const std::int64_t written_us = job.is_over() ? job.ended_us : std::max(job.attempt_started_us, job.submitted_us);
  const std::chrono::nanoseconds passed = std::chrono::microseconds(run::now_us() - written_us);
  return std::clamp(journal_lag_max - passed, std::chrono::nanoseconds(0), journal_lag_max);
}

sd::JournalQuery query_for(const Host& host, const job::Job& job, const Wanted& wanted) {
  sd::JournalQuery query;
  query.job_id = job.id_view();
  query.writer = ::getuid();
  if (wanted.lines) query.lines = static_cast<std::uint64_t>(*wanted.lines);
  query.follow = wanted.follow;
  query.job_is_over = job.is_over();
  query.lag = lag_of(host, job);
  return query;
}

corun::Coro<> tell_reader_the_end(sd::JournalReader* reader, const Host& host, job::JobRef job) {
  while (!is_settled(host, *job)) co_await job->changed.wait();
  reader->job_ended(journal_lag_max);
}

corun::Coro<> tell_read(ReplySink sink, sd::JournalReader* reader) {
  for (;;) {
    auto entries = co_await reader->next();
    if (entries.empty()) co_return;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      write_entry(sink, entries[i]);
      if ((i + 1) % entries_in_a_row == 0) co_await sink.flush();
    }
    co_await sink.flush();
  }
}

corun::Coro<> end_reading(sd::JournalReader* reader, std::optional<corun::Task<>> ending) {
  if (ending) {
    ending->cancel();
    std::vector<corun::Task<>> tasks(1, *ending);
    (void)co_await corun::wait(std::move(tasks));
  }
  co_await reader->close();
}

// False: the journal has nothing of the job, and nothing was told.
corun::Coro<bool> tell_from_journal(ReplySink sink, Host& host, job::JobRef job, Wanted wanted) {
  sd::JournalReader reader(corun::get_running_loop(), query_for(host, *job, wanted));
  std::optional<corun::Task<>> ending;
  if (wanted.follow && !is_settled(host, *job)) ending = corun::create_task(tell_reader_the_end(&reader, host, job), {.name = "logs: end of the job"});
  co_await corun::with_cleanup([&]() -> corun::Coro<> { return tell_read(sink, &reader); },
                               [&]() -> corun::Coro<> { return end_reading(&reader, ending); });
  const std::string failure = reader.failure();
  if (!failure.empty()) {
    host.journal.log().write(sd::LogLevel::warning, failure, {}, {sd::Field("CORUND_JOB_ID", job->id_view())});
    if (reader.has_found()) write_entry(sink, {run::now_us(), static_cast<int>(sd::LogLevel::warning), {}, failure});
  }
  co_return reader.has_found();
}

corun::Coro<> tell_from_record(ReplySink sink, Host& host, job::JobRef job, Wanted wanted) {
  auto body = co_await host.ledger.body_of(job);
  KeptLog log(job, std::move(body));
  std::deque<sd::LogEntry> so_far;
  while (auto entry = log.next()) {
    so_far.push_back(std::move(*entry));
    if (wanted.lines && so_far.size() > static_cast<std::size_t>(*wanted.lines)) so_far.pop_front();
  }
  for (std::size_t told = 0; !so_far.empty();) {
    write_entry(sink, so_far.front());
    so_far.pop_front();
    if (++told % entries_in_a_row == 0) co_await sink.flush();
  }
  while (wanted.follow) {
    co_await sink.flush();
    const bool has_settled = is_settled(host, *job);
    std::size_t told = 0;
    for (; told < entries_in_a_row; ++told) {
      auto entry = log.next();
      if (!entry) break;
      write_entry(sink, *entry);
    }
    if (told > 0) continue;  // while the peer was waited for, more may have happened
    if (has_settled) break;
    co_await job->changed.wait();
  }
}

corun::Coro<> tell_logs(ReplySink sink, Host& host, job::JobRef job, Wanted wanted) {
  Answering answering(host);
  bool is_told = false;
  // The one place where it is decided which of the two it is: the journal where the daemon's log goes there and the journal has something of the
  // job; else the record.
  if (host.logs_to_journal) is_told = co_await tell_from_journal(sink, host, job, wanted);
  if (!is_told) co_await tell_from_record(sink, host, job, wanted);
  if (wanted.follow) throw_if_not_over(host, *job);
  else throw_if_refused(*job);
  sink.reply([](wire::JsonWriter&) {});
}

}  // namespace

void logs(Call& call) {
  std::string id;
  Wanted wanted;
  wire::ObjectReader in(call.request.parameters());
  while (in.next())
    if (in.key() == "id")
      in.read(id);
    else if (in.key() == "follow")
      in.is_null() || in.read(wanted.follow);
    else if (in.key() == "lines")
      in.read(wanted.lines, std::int64_t{0});
    else
      in.fail();
  job::Job* job = call.find_job(in, id);
  if (!job) return;
  call.answer_later(tell_logs(call.sink(), call.host, job::JobRef(*job), wanted));
}

}  // namespace corund::serve::methods
