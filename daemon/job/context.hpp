// SPDX-License-Identifier: MIT
// What a kind sees of its job, and all it sees. What is done with what it says is the business of whoever runs jobs (JobHost).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <corun/corun.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/job/events.hpp"
#include "daemon/job/spec.hpp"

namespace corund {

namespace job {
struct Job;
class JobRef;
class JobHost;
}  // namespace job

// One attempt of one job, seen from inside. Lifetime: as long as the job's main task; tasks that outlive it must not use it.
// Threads: the loop's only.
class JobContext {
 public:
  JobContext(job::Job& job, job::JobHost& host) noexcept : job_(job), host_(host) {}
  JobContext(const JobContext&) = delete;
  JobContext& operator=(const JobContext&) = delete;

  std::string_view id() const noexcept;
  int attempt() const noexcept;
  // When the job's timeout will cancel it.
  std::optional<corun::time_point> deadline() const noexcept;
  // How long the job has from its cancellation to a second one, which is the last (a command: SIGTERM, then SIGKILL).
  std::chrono::nanoseconds grace() const noexcept;
  // Whether its second cancellation has been asked for. For who answers the first one gently: both may come as one CancelledError, where the
  // second was asked for before the first was delivered (a Cancel by force).
  bool is_escalated() const noexcept;
  uid_t peer_uid() const noexcept;
  const Labels& labels() const noexcept;
  std::shared_ptr<corun::TaskScope> scope() const noexcept;

  // An empty text whose memory was used before: for a kind of text to text to return its result in.
  JsonText spare_text() noexcept;

  // Where the work stands, for watchers and the record: fraction of 1, and a few words.
  void progress(std::optional<double> fraction, std::string_view text = {});
  // A record in the journal with the job's fields and these, and an event for watchers. level as syslog's, 0 to 7.
  void log(int level, std::string_view text, const Labels& fields = {});
  // An event of the kind's own for watchers. Errors: corun::ValueError where data is no object.
  void emit(const Json& data);

  // A job of its own that belongs to this one: it has its labels, ends by its deadline at the latest and is cancelled with the await. It
  // counts in the group of its own kind: it takes over the place that this job holds there, if it does and no other child has it, and
  // waits for one otherwise, ahead of jobs that nobody waits for. Errors: what Runner.run would raise: JobFailure, CancelledError, TimeoutError;
  // corun::LookupError for a kind that is not there, corun::ValueError for wrong args.
  corun::Coro<Json> run(std::string kind, Json args);

  // For commands: a piece of output without its line end, for the journal, watchers and the tail that the record keeps; bytes as they came.
  // pid: whose it is, so that the journal can say more about that process; 0: not known.
  void output(Stream stream, std::string_view line, pid_t pid = 0);
  // For commands: the end of all that was written, exactly; it takes the place of what was kept of the pieces.
  void wrote(Stream stream, std::string_view tail);
  // For commands: whether the caller who reads along is so far behind that more output would push out what it has not been sent; and
  // to wait until it has caught up or is gone. Cancellation: of the wait only.
  bool is_ahead_of_caller() const noexcept;
  corun::Coro<> caller_catches_up();
  // For commands: this process, the leader of its group, belongs to the job: one that outlives the daemon is ended by the next.
  void spawned(pid_t pid);
  // For commands: what they used, added to the record.
  void used(double cpu_seconds, std::int64_t max_rss_kib);

 private:
  job::Job& job_;
  job::JobHost& host_;
};

namespace job {

// What runs jobs, as JobContext sees it.
class JobHost {
 public:
  virtual void on_progress(Job& job, std::optional<double> fraction, std::string_view text) = 0;
  virtual void on_log(Job& job, int level, std::string_view text, const Labels& fields) = 0;
  virtual void on_emit(Job& job, JsonText data) = 0;
  virtual void on_output(Job& job, Stream stream, std::string_view line, pid_t pid) = 0;
  virtual void on_spawned(Job& job, pid_t pid) = 0;
  virtual corun::Coro<Json> run_child(JobRef parent, std::string kind, Json args) = 0;

 protected:
  ~JobHost() = default;
};

}  // namespace job
}  // namespace corund
