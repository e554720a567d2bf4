// SPDX-License-Identifier: MIT
// A job's cancellation is the Runner's signal rule on a small scale. The first request is a cancel() of its main task; one whose
// first step has not come yet is only noted, because a task that is cancelled before its first step never runs, and then nobody would
// move the job to its end. When the grace is over, or by force, cancel() comes a second time: it interrupts the clean-up at its
// await. Whatever still stands a moment later is reported with its await stack, and nobody waits for it any more; its record stays
// `running`, since that is what it does.
//
// Not done: a task that watches each job's task. The job's own task runs attempt(), so that an end needs no second task and no callback.
#include "daemon/run/supervisor.hpp"

#include "daemon/job/kind.hpp"
#include "daemon/run/clock.hpp"

namespace corund::run {
namespace {

corun::ScopeOptions scope_options(bool accounting) {
  corun::ScopeOptions options;
  options.on_exit = corun::OnExit::fail_scope;
  options.accounting = accounting;
  return options;
}

// The job's own task is always one of the scope's.
bool has_leftovers(corun::TaskScope& scope) {
  auto& tasks = scope.core().tasks;
  auto second = tasks.begin();
  return ++second != tasks.end();
}

// A kind of text to text vouches for JSON, not for an object.
bool is_object_or_nothing(std::string_view text) {
  std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos || text[first] == '{';
}

// The innermost frame that is not libcorun's own: that a job sleeps says less than where in its code it does.
const corun::FrameInfo* telling_frame(const corun::CallGraph& graph) {
  for (const auto& frame : graph.frames)
    if (frame.file.find("/corun/") == std::string::npos) return &frame;
  return graph.frames.empty() ? nullptr : &graph.frames.front();
}

void fail(job::Outcome& outcome, std::string_view type, std::string_view message) {
  outcome.reset();
  outcome.state = job::State::failed;
  outcome.error_type = type;
  outcome.error_message = message;
}

}  // namespace

CancelResult cancel_result(const job::Job& job) noexcept {
  if (!job.is_over()) return CancelResult::running;
  if (!job.cancellation) return CancelResult::already_ended;
  if (!job.cancellation->was_begun) return CancelResult::not_started;
  bool is_unwound = job.state == job::State::cancelled || job.state == job::State::timed_out;
  return is_unwound ? CancelResult::unwound : CancelResult::swallowed;
}

double cancel_seconds(const job::Job& job) {
  if (!job.cancellation) return 0;
  return seconds((job.is_over() ? job.cancellation->ended : corun::get_running_loop().time()) - job.cancellation->asked);
}

Supervisor::Supervisor(job::Table& table, const job::Registry& registry, Contexts& contexts, Journal& journal,
                       Ledger& ledger, SupervisorOptions options)
    : table_(table), registry_(registry), contexts_(contexts), journal_(journal), ledger_(ledger), options_(options) {}

void Supervisor::start(job::Job& job, corun::Coro<> life, bool eagerly) {
  job.grace = job.spec.grace ? *job.spec.grace : job.spec.kind->grace.value_or(options_.grace);
  job::Running& running = job.make_running();
  running.is_accounted = !job.spec.attached || job.spec.kind->journal_all || !job.parent.empty();
  running.scope = corun::TaskScope::create(std::string(job.id_view()), scope_options(running.is_accounted));
  running.context = contexts_.enter(job.spec);
  corun::TaskOptions options;
  options.context = &*running.context;
  options.scope = running.scope.get();
  options.eager_start = eagerly;
  ++job.attempt;
  job.wait = job::Wait::none;
  table_.change(job, job::State::running, now_us());
  running_.push_back(job);
  ++running_count_;
  journal_.started(job);
  if (job.attempt > 1) {
    job::Event event;
    event.type = job::EventType::started;
    add_event(job, std::move(event));
  }
  job.changed.notify();
  // Nobody holds the handle: attempt() is the task's whole life and says itself how it ended. Eagerly, that may be behind us here.
  (void)corun::create_task(std::move(life), options);
}

corun::Coro<> Supervisor::attempt(job::JobRef job) {
  job::Running& running = *job->running;
  running.main = corun::current_task();
  JobContext context(*job, *this);
  std::exception_ptr error;
  if (job->cancellation) {
    error = std::make_exception_ptr(corun::CancelledError(job->cancellation->reason));
  } else {
    arm_timeout(*job);
    corun::get_running_loop().step_probe().enters(job->spec.kind->name.c_str());  // for who looks at a loop that hangs: kinds are for ever
    try {
      JsonText result = co_await job->spec.kind->body(context, job->spec.args.view());
      job->record().outcome.result = std::move(result);
    } catch (...) {
      error = std::current_exception();
    }
  }
  running.body_done = true;
  if (has_leftovers(*running.scope)) co_await clear_leftovers(*job);
  if (running.timeout_timer) running.timeout_timer->cancel();
  if (running.grace_timer) running.grace_timer->cancel();
  settle(*job, error);
  trim_tails(*job);
  running.settled = true;
  if (!running.is_accounted) co_return;
  // A step is measured when it is over: in the next pass all but this one are.
  try {
    co_await corun::sleep(std::chrono::seconds(0));
  } catch (const corun::CancelledError&) {
    // The loop closes.
  }
  account(*job, *running.scope);
}

void Supervisor::leave(job::Job& job) {
  if (job.running->abandoned) --abandoned_;
  static_cast<job::QueueLink&>(job).unlink();
  --running_count_;
  contexts_.leave(job.spec, *job.running->context);
}

void Supervisor::conclude(job::Job& job) {
  leave(job);
  table_.change(job, job.record().outcome.state, now_us());
  journal_.ended(job);
  job.changed.notify();
  ended_.notify();
}

void Supervisor::keep_attempt(job::Job& job) {
  job::Record& record = job.record();
  const job::Outcome& outcome = record.outcome;
  record.past.push_back({job.attempt, job.attempt_started_us, now_us(), outcome.state, outcome.error_type, outcome.error_message,
                         record.usage});
  record.outcome.reset();
  record.usage = job::Usage();
  record.progress.reset();
  record.stdout_tail.clear();
  record.stderr_tail.clear();
  job.cancellation.reset();
  job::Event event;
  event.type = job::EventType::retry;
  add_event(job, std::move(event));
  journal_.retried(job);
}

void Supervisor::withdraw(job::Job& job, job::State next) {
  leave(job);
  table_.change(job, next, now_us());
  job.changed.notify();
  ended_.notify();
}

void Supervisor::arm_timeout(job::Job& job) {
  job::Running& running = *job.running;
  std::optional<std::chrono::nanoseconds> timeout = job.spec.timeout ? job.spec.timeout : job.spec.kind->timeout;
  corun::Loop& loop = corun::get_running_loop();
  if (timeout) {
    corun::time_point at = loop.time() + *timeout;
    if (!running.deadline || at < *running.deadline) running.deadline = at;  // a child's is its parent's at the latest
  }
  if (!running.deadline) return;
  running.timeout_timer = loop.call_at(*running.deadline, [this, ref = job::JobRef(job)] {
    if (!ref->running || ref->running->body_done || ref->cancellation) return;
    ref->running->timed_out = true;
    begin_cancel(*ref, "its time is over");
  });
}

void Supervisor::request_cancel(job::Job& job, std::string_view reason, bool force) {
  if (!job.running) return;
  job.running->stop_asked = true;  // whatever else ends this attempt, no other one follows
  if (job.running->settled) return;
  if (!job.cancellation) begin_cancel(job, reason);
  if (force) escalate(job, "cancelled again, by force");
}

void Supervisor::request_stop(job::Job& job) {
  if (!job.running || job.running->settled || job.cancellation) return;
  begin_cancel(job, "the daemon stops");
  job.cancellation->is_stop = true;
}

void Supervisor::begin_cancel(job::Job& job, std::string_view reason) {
  job::Running& running = *job.running;
  job.cancellation = std::make_unique<job::Cancellation>();
  job::Cancellation& cancellation = *job.cancellation;
  cancellation.reason = reason;
  corun::Loop& loop = corun::get_running_loop();
  cancellation.asked = loop.time();
  cancellation.was_begun = running.main.has_value();
  if (running.starting) running.starting->cancel(cancellation.reason);
  if (!running.main) return;
  const corun::CallGraph graph = corun::capture_call_graph(*running.main);
  if (const corun::FrameInfo* frame = telling_frame(graph)) {
    cancellation.function = frame->function;
    cancellation.file = frame->file;
    cancellation.line = static_cast<int>(frame->line);
  }
  running.main->cancel(cancellation.reason);
  running.grace_timer = loop.call_later(job.grace, [this, ref = job::JobRef(job)] {
    if (ref->running && !ref->running->settled) escalate(*ref, "cancelled again, its grace being over");
  });
}

void Supervisor::escalate(job::Job& job, std::string_view how) {
  job::Running& running = *job.running;
  if (!running.main) return;
  running.main->cancel(job.cancellation->reason);
  if (!job.cancellation->escalated.empty()) return;  // asked for again: one that still stands may give in
  job.cancellation->escalated = how;
  if (running.grace_timer) running.grace_timer->cancel();
  running.grace_timer = corun::get_running_loop().call_later(last_wait, [this, ref = job::JobRef(job)] {
    if (ref->running && !ref->running->settled) abandon(*ref);
  });
}

void Supervisor::abandon(job::Job& job) {
  if (job.running->abandoned) return;
  job.running->abandoned = true;
  ++abandoned_;
  journal_.abandoned(job, corun::format_call_graph(corun::capture_call_graph(*job.running->main)));
  job.changed.notify();
  ended_.notify();
}

// Tasks that the job started and left behind are its own: cancelled with it, named in its record, and waited for as long as its
// grace; those that their clean-up starts meanwhile too.
corun::Coro<> Supervisor::clear_leftovers(job::Job& job) {
  struct Batch {
    std::size_t left;
    job::Signal done;
  };
  corun::AnyTask self = corun::current_task();
  corun::Loop& loop = corun::get_running_loop();
  std::shared_ptr<corun::TaskScope> scope = job.running->scope;
  corun::time_point until = loop.time() + job.grace;
  bool is_last = false;
  for (;;) {
    std::vector<corun::AnyTask> tasks = scope->tasks();
    std::erase(tasks, self);
    if (tasks.empty()) co_return;
    auto batch = std::make_shared<Batch>(tasks.size());  // the tasks' callbacks may outlive this call
    for (auto& task : tasks) {
      if (!is_last && job.record().leftovers.size() < leftovers_max) job.record().leftovers.push_back(task.name());
      task.add_done_callback([batch](const corun::AnyTask&) {
        if (--batch->left == 0) batch->done.notify();
      });
      task.cancel("its job has ended");
    }
    auto timer = loop.call_at(until, [batch] { batch->done.notify(); });
    while (batch->left > 0 && loop.time() < until) {
      try {
        co_await batch->done.wait();
      } catch (const corun::CancelledError&) {
        if (!is_last) until = loop.time();  // the job is cancelled while it clears up: it does that already, so only faster
      }
    }
    timer.cancel();
    if (batch->left == 0) continue;
    if (is_last) break;
    is_last = true;
    until = loop.time() + last_wait;
  }
  for (auto& task : scope->tasks())
    if (!(task == self)) journal_.abandoned(job, corun::format_call_graph(corun::capture_call_graph(task)));
}

void Supervisor::settle(job::Job& job, const std::exception_ptr& error) {
  job::Running& running = *job.running;
  job::Outcome& outcome = job.record().outcome;
  if (std::exception_ptr exit = running.scope->exit_error()) {
    job::describe_failure(exit, outcome);
  } else if (error) {
    job::describe_failure(error, outcome);
    if (outcome.state == job::State::cancelled && job.cancellation) outcome.reason = job.cancellation->reason;
    if (outcome.state == job::State::cancelled && running.timed_out) {
      outcome.state = job::State::timed_out;
      outcome.error_type = "TimeoutError";
      outcome.error_message = outcome.reason;
    }
  } else if (!is_object_or_nothing(outcome.result.view())) {
    fail(outcome, "TypeError", "the kind returned JSON that is no object");
  } else {
    outcome.state = job::State::succeeded;
  }
  if (job.cancellation) job.cancellation->ended = corun::get_running_loop().time();
}

void Supervisor::account(job::Job& job, const corun::TaskScope& scope) {
  const corun::ScopeStats stats = scope.stats();
  job::Usage& usage = job.record().usage;
  usage.steps += stats.steps;
  usage.loop_seconds += stats.loop_seconds;
  if (stats.longest_step_seconds > usage.longest_step_seconds) {
    usage.longest_step_seconds = stats.longest_step_seconds;
    usage.longest_step_at = stats.longest_step_at;
  }
  usage.thread_seconds += stats.thread_seconds;
}

}  // namespace corund::run
