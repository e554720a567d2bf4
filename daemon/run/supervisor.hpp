// SPDX-License-Identifier: MIT
// One job from its start to its outcome: its task, its scope and context, its time limit, its cancellation, what it leaves behind, and what
// it says meanwhile. One of the three places where exceptions end. When a job starts is admission's to say; who waits for the outcome
// waits at the job itself.
#pragma once

#include <chrono>
#include <corun/corun.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "daemon/job/context.hpp"
#include "daemon/job/registry.hpp"
#include "daemon/job/table.hpp"
#include "daemon/run/contexts.hpp"
#include "daemon/run/journal.hpp"
#include "daemon/run/ledger.hpp"

namespace corund::run {

// What became of a cancellation, as io.corund.Jobs.Cancel tells it.
enum class CancelResult : std::uint8_t { unwound, swallowed, running, not_started, already_ended };

// Of a job that was asked to stop: seconds are counted from the request to its end, or to this moment.
CancelResult cancel_result(const job::Job& job) noexcept;
double cancel_seconds(const job::Job& job);

struct SupervisorOptions {
  std::chrono::nanoseconds grace = std::chrono::seconds(10);  // where neither the job nor its kind says
  std::size_t output_bytes = 64 * 1024;                       // kept of each of a job's two streams
};

// Where child jobs find their places, as the supervisor sees it: admission.
class ChildGate {
 public:
  // Returns when the child has a place, or is over: somebody cancelled it while it waited. Cancellation: the child is over, cancelled.
  virtual corun::Coro<> enter_child(job::JobRef parent, job::JobRef child) = 0;
  // It needs its place no more. Nothing, where it has none.
  virtual void leave_child(const job::Job& child) = 0;
  // Its parent goes on without it.
  virtual void abandon_child(const job::Job& child) = 0;

 protected:
  ~ChildGate() = default;
};

class Supervisor final : public job::JobHost {
 public:
  // How long after the second cancellation a job may still take before nobody waits for it.
  static constexpr std::chrono::nanoseconds last_wait = std::chrono::seconds(1);
  // Names of left behind tasks that a record keeps.
  static constexpr std::size_t leftovers_max = 100;

  Supervisor(job::Table& table, const job::Registry& registry, Contexts& contexts, Journal& journal, Ledger& ledger,
             SupervisorOptions options = {});

  // Makes the job's task, which is to run `life`; the job is running from here on. life awaits attempt(), and then calls conclude() or
  // withdraw(). Eagerly: up to its first suspension before this returns, so the job may be over by then; not from a step that runs in the
  // job's own context.
  void start(job::Job& job, corun::Coro<> life, bool eagerly = false);
  // Runs the job's kind once and settles the outcome of that; the job is still running. From then on it cannot be cancelled. Throws nothing.
  corun::Coro<> attempt(job::JobRef job);
  // The job is over, as its outcome says; who waits for it is told.
  void conclude(job::Job& job);
  // The attempt that is over joins those before it, to make room for another one's outcome.
  void keep_attempt(job::Job& job);
  // The attempt is over and the job is not: it waits again, in state `next`.
  void withdraw(job::Job& job, job::State next);

  // Before any job has a child. Lifetime: as long as jobs run.
  void set_gate(ChildGate& gate) noexcept { gate_ = &gate; }
  // For jobs that start from now on, and for output from now on.
  void set_options(SupervisorOptions options) noexcept { options_ = options; }

  // Asks a running job to stop; does not wait. A second call changes nothing unless it is forced: that is the second cancellation at once, and
  // each one after that another.
  void request_cancel(job::Job& job, std::string_view reason, bool force = false);
  // The same, because the daemon stops.
  void request_stop(job::Job& job);

  // Jobs that run, in the order of their starts, children too.
  const corun::IntrusiveList<job::Job, job::QueueLink>& running() const noexcept { return running_; }
  // How many of them are still waited for.
  std::size_t awaited() const noexcept { return running_count_ - abandoned_; }
  // Notified whenever one of them ends or is given up.
  job::Signal& ended() noexcept { return ended_; }

  void on_progress(job::Job& job, std::optional<double> fraction, std::string_view text) override;
  void on_log(job::Job& job, int level, std::string_view text, const Labels& fields) override;
  void on_emit(job::Job& job, JsonText data) override;
  void on_output(job::Job& job, Stream stream, std::string_view line, pid_t pid) override;
  void on_spawned(job::Job& job, pid_t pid) override;
  corun::Coro<Json> run_child(job::JobRef parent, std::string kind, Json args) override;

 private:
  void arm_timeout(job::Job& job);
  void begin_cancel(job::Job& job, std::string_view reason);
  void escalate(job::Job& job, std::string_view how);
  void abandon(job::Job& job);
  corun::Coro<> clear_leftovers(job::Job& job);
  void settle(job::Job& job, const std::exception_ptr& error);
  void leave(job::Job& job);
  static void account(job::Job& job, const corun::TaskScope& scope);
  corun::Coro<> child_life(job::JobRef child);
  void trim_tails(job::Job& job);
  void add_event(job::Job& job, job::Event event);

  job::Table& table_;
  const job::Registry& registry_;
  Contexts& contexts_;
  Journal& journal_;
  Ledger& ledger_;
  SupervisorOptions options_;
  ChildGate* gate_ = nullptr;
  corun::IntrusiveList<job::Job, job::QueueLink> running_;
  std::size_t running_count_ = 0;
  std::size_t abandoned_ = 0;
  job::Signal ended_;
};

}  // namespace corund::run
