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
#include <source_location>
#include <string>
#include <utility>
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
  bool is_stop = false;     // by the daemon's stop
  bool was_begun = false;   // its kind's code had begun, in an attempt before this one perhaps
  std::string function;     // where its main task was suspended at that moment; empty where that is not known
  std::string file;
  int line = 0;
  std::string escalated;    // how; empty: it was not
  corun::time_point ended;  // of the job, once it is over
};

// What was measured of an attempt. seconds; unset where nothing was measured.
struct Usage {
  double loop_seconds = 0;
  std::uint64_t steps = 0;
  double longest_step_seconds = 0;
  std::source_location longest_step_at = {};  // the await at which it went on; line 0: its first step. Not read back from the store
  double thread_seconds = 0;
  std::optional<double> cpu_seconds;
  std::optional<std::int64_t> max_rss_kib;

  bool empty() const noexcept { return steps == 0 && thread_seconds == 0 && !cpu_seconds && !max_rss_kib; }
};

// An attempt that ended and was not the last.
struct Attempt {
  int number = 0;
  std::int64_t started_us = 0;
  std::int64_t ended_us = 0;
  State state = State::failed;
  std::string error_type;
  std::string error_message;
  Usage usage;
};

// What a job gathers from its first start on: its latest attempt's outcome, usage and output, and the attempts before.
struct Record {
  Outcome outcome;  // once the attempt is over
  std::vector<Attempt> past;
  std::optional<Progress> progress;
  std::unique_ptr<EventLog> events;  // made by the first event
  std::optional<std::uint64_t> caller_next;  // the first event that the caller who reads along has not been sent; unset: none does
  Signal caller_read;                        // that has grown, or nobody reads along any more
  std::vector<std::string> leftovers;
  Usage usage;
  std::string stdout_tail;
  std::string stderr_tail;

  EventLog& event_log();
  // Bytes of its strings and events, for the bound on what is kept.
  std::size_t bytes() const noexcept;
  // Keeps the memory that the next job will want.
  void reset() noexcept;
};

// What exists only from the start of an attempt to its end.
struct Running {
  std::optional<corun::AnyTask> main;  // from its first step on: an earlier cancellation could not be delivered
  std::optional<corun::AnyTask> starting;  // the same task before that, while the disk is told that it begins
  std::shared_ptr<corun::TaskScope> scope;
  std::optional<corun::Context> context;
  std::optional<corun::time_point> deadline;
  std::optional<corun::TimerHandle> timeout_timer;
  std::optional<corun::TimerHandle> grace_timer;
  bool body_done = false;  // its kind has returned; what is left is to clear up after it
  bool settled = false;    // its outcome is known; what is left is to write it down
  bool stop_asked = false; // somebody wanted it cancelled after that: no further attempt
  bool timed_out = false;
  bool is_accounted = false;  // its steps are measured; not those of attached coroutine jobs, which may be many
  bool abandoned = false;  // cancelled, escalated, and still there: nobody waits for it any more

  void reset() noexcept { *this = Running(); }
};

// Why a job that is not running and not over is not running.
// disk: its submission, or its end, is on the way there. refused: the disk did not take it; it was never accepted. stop: the daemon stops,
// and the next one will run it.
enum class Wait : std::uint8_t { none, disk, refused, kind, dependency, time, room, stop };

// Times are microseconds since the epoch, 0 where it has not come to that. Kept small: a million of them may wait in a queue.
struct Job : AllLink, QueueLink {
  Ulid id;
  Ulid::Text id_text{};
  State state = State::queued;
  Wait wait = Wait::none;
  JobSpec spec;
  std::chrono::nanoseconds grace{};  // resolved: the submission's, the kind's or the configuration's
  std::int64_t submitted_us = 0;
  std::int64_t eligible_us = 0;
  std::int64_t started_us = 0;  // its first attempt; the latest one's is attempt_started_us
  std::int64_t attempt_started_us = 0;
  std::int64_t ended_us = 0;
  std::int64_t seq = 0;  // its row in the store; 0: it has none
  int attempt = 0;
  unsigned watchers = 0;
  Ulid parent;  // of a child job; empty: none
  std::unique_ptr<Running> running;
  std::unique_ptr<Cancellation> cancellation;
  Signal changed;

  std::string_view id_view() const noexcept { return {id_text.data(), id_text.size()}; }
  bool is_over() const noexcept { return job::is_over(state); }
  // Nothing becomes of it any more: it is over, or was never accepted.
  bool is_settled() const noexcept { return is_over() || wait == Wait::refused; }
  bool is_durable() const noexcept { return seq != 0; }
  // Its args and record are on disk only: Ledger::body_of brings them.
  bool is_shelved() const noexcept { return is_shelved_; }
  // Its end is on disk, so that its body may be dropped from memory.
  bool is_end_stored = false;
  // Asserts that the table of states allows it.
  void become(State next) noexcept;

  // Made where there is none yet.
  Record& record();
  // An empty one where there is none.
  const Record& record() const noexcept;
  const Record& peek() const noexcept { return std::as_const(*this).record(); }
  Running& make_running();
  // Bytes of its args, extras and record, for the bound on what is kept.
  std::size_t bytes() const noexcept;

 private:
  friend class Table;
  friend class JobRef;
  void reset() noexcept;

  std::unique_ptr<Record> record_;
  Table* table_ = nullptr;
  Job* next_in_bucket_ = nullptr;
  std::size_t kept_bytes_ = 0;
  unsigned pins_ = 0;
  bool dropped_ = false;  // out of the table, waiting for its last pin
  bool is_shelved_ = false;
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

// Returns when the job is settled. Cancellation: safe; the job is not touched.
corun::Coro<> ended(JobRef job);

}  // namespace corund::job
