// SPDX-License-Identifier: MIT
// The job: accepted work and all that is known about it, from its submission until its record is dropped. Who changes it: the
// table makes and drops it, run/ moves it through its states, its own kind speaks into it through JobContext. Lists that it stands in
// belong to the table (all jobs) and to run/groups (those that wait).
#pragma once

#include <corun/corun.hpp>
#include <corun/base/intrusive_list.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/job/events.hpp"
#include "daemon/job/outcome.hpp"
#include "daemon/job/signal.hpp"
#include "daemon/job/spec.hpp"
#include "daemon/job/state.hpp"
#include "daemon/job/ulid.hpp"

namespace corund::job {

class Table;

// All jobs, in the order of their ids, and the cursors that walk them.
struct AllLink : corun::ListLink {
  bool is_job = false;
};
struct QueueLink : corun::ListLink {};  // a group's queue while it waits, the running ones, the table's ended jobs

// How somebody asked it to stop, what was seen then, and what became of it.
struct Cancellation {
  std::string reason;
  corun::time_point asked;
  bool was_begun = false;   // its kind's code had begun
  std::string function;     // where its main task was suspended at that moment; empty where that is not known
  std::string file;
  int line = 0;
  std::string escalated;    // how; empty: it was not
  corun::time_point ended;  // of the job, once it is over
};

// What the events of its life were made of. seconds; unset where nothing was measured.
struct Usage {
  double loop_seconds = 0;
  std::uint64_t steps = 0;
  double longest_step_seconds = 0;
  double thread_seconds = 0;
  std::optional<double> cpu_seconds;
  std::optional<std::int64_t> max_rss_kib;
};

// What exists only from start to end.
struct Running {
  std::optional<corun::AnyTask> main;  // from its first step on: an earlier cancellation could not be delivered
  std::shared_ptr<corun::TaskScope> scope;
  std::optional<corun::time_point> deadline;
  std::optional<corun::TimerHandle> timeout_timer;
  std::optional<corun::TimerHandle> grace_timer;
  bool body_done = false;  // its kind has returned; what is left is to clear up after it
  bool timed_out = false;
  bool is_accounted = false;  // its steps are measured; not those of attached coroutine jobs, which may be many
  bool abandoned = false;  // cancelled, escalated, and still there: nobody waits for it any more
};

// Times are microseconds since the epoch, 0 where it has not come to that.
struct Job : AllLink, QueueLink {
  Ulid id;
  Ulid::Text id_text{};
  State state = State::queued;
  JobSpec spec;
  std::chrono::nanoseconds grace{};  // resolved: the submission's, the kind's or the configuration's
  std::int64_t submitted_us = 0;
  std::int64_t started_us = 0;
  std::int64_t ended_us = 0;
  int attempt = 0;
  std::optional<Ulid> parent;  // child jobs run in their parent's place
  Outcome outcome;             // once it is over
  std::optional<Progress> progress;
  std::unique_ptr<EventLog> events;  // made by the first event
  std::vector<std::string> leftovers;
  Usage usage;
  std::string stdout_tail;
  std::string stderr_tail;
  std::optional<Running> running;
  std::optional<Cancellation> cancellation;
  Signal changed;
  unsigned watchers = 0;

  std::string_view id_view() const noexcept { return {id_text.data(), id_text.size()}; }
  bool is_over() const noexcept { return job::is_over(state); }
  // Asserts that the table of states allows it.
  void become(State next) noexcept;
  EventLog& event_log();
  // Bytes of its strings and events, for the bound on what is kept.
  std::size_t bytes() const noexcept;

 private:
  friend class Table;
  friend class JobRef;
  void reset() noexcept;

  Table* table_ = nullptr;
  Job* next_in_bucket_ = nullptr;
  unsigned pins_ = 0;
  bool dropped_ = false;  // out of the table, waiting for its last pin
  std::size_t kept_bytes_ = 0;
};

// Holds a job in memory across suspensions, also when the table drops its record meanwhile. Cheap, not thread-safe.
// Lifetime: none may outlive the table.
class JobRef {
 public:
  JobRef() noexcept = default;
  explicit JobRef(Job& job) noexcept : job_(&job) { ++job_->pins_; }
  JobRef(const JobRef& other) noexcept : job_(other.job_) {
    if (job_) ++job_->pins_;
  }
  JobRef(JobRef&& other) noexcept : job_(std::exchange(other.job_, nullptr)) {}
  JobRef& operator=(JobRef other) noexcept {
    std::swap(job_, other.job_);
    return *this;
  }
  ~JobRef() { release(); }

  Job* operator->() const noexcept { return job_; }
  Job& operator*() const noexcept { return *job_; }
  explicit operator bool() const noexcept { return job_ != nullptr; }
  void release() noexcept;

 private:
  Job* job_ = nullptr;
};

// Returns when the job is over. Cancellation: safe; the job is not touched.
corun::Coro<> ended(JobRef job);

}  // namespace corund::job
