// SPDX-License-Identifier: MIT
// The supervisor's other face: what a job says through its JobContext, and the child jobs it asks for.
#include "daemon/job/kind.hpp"
#include "daemon/run/clock.hpp"
#include "daemon/run/supervisor.hpp"

namespace corund::run {
namespace {

// Keeps the end of what is added, up to `limit` bytes. Cut in halves, so that a steady stream costs a copy once in `limit` bytes.
void add_to_tail(std::string& tail, std::string_view line, std::size_t limit) {
  if (limit == 0) return;
  if (line.size() >= limit) line.remove_prefix(line.size() - limit + 1);
  tail += line;
  tail += '\n';
  if (tail.size() > 2 * limit) tail.erase(0, tail.size() - limit);
}

}  // namespace

void Supervisor::trim_tails(job::Job& job) {
  for (std::string* tail : {&job.record().stdout_tail, &job.record().stderr_tail})
    if (tail->size() > options_.output_bytes) tail->erase(0, tail->size() - options_.output_bytes);
}

void Supervisor::add_event(job::Job& job, job::Event event) {
  event.timestamp_us = now_us();
  job.record().event_log().add(std::move(event));
  job.changed.notify();
}

void Supervisor::on_progress(job::Job& job, std::optional<double> fraction, std::string_view text) {
  std::optional<Progress>& kept = job.record().progress;
  Progress& progress = kept ? *kept : kept.emplace();
  progress.fraction = fraction;
  progress.text = text;
  progress.timestamp_us = now_us();
  job::Event event;
  event.type = job::EventType::progress;
  event.fraction = fraction;
  event.text = text;
  add_event(job, std::move(event));
}

void Supervisor::on_log(job::Job& job, int level, std::string_view text, const Labels& fields) {
  journal_.said(job, level, text, fields);
  job::Event event;
  event.type = job::EventType::log;
  event.level = level;
  event.text = text;
  add_event(job, std::move(event));
}

void Supervisor::on_emit(job::Job& job, JsonText data) {
  job::Event event;
  event.type = job::EventType::event;
  event.data = std::move(data);
  add_event(job, std::move(event));
}

void Supervisor::on_output(job::Job& job, Stream stream, std::string_view line, pid_t pid) {
  journal_.output(job, stream, line, pid);
  add_to_tail(stream == Stream::out ? job.record().stdout_tail : job.record().stderr_tail, line, options_.output_bytes);
  job::Event event;
  event.type = job::EventType::output;
  event.stream = stream;
  event.text = line;
  add_event(job, std::move(event));
}

void Supervisor::on_spawned(job::Job& job, pid_t pid) { ledger_.spawned(job, pid); }

corun::Coro<> Supervisor::child_life(job::JobRef child) {
  co_await attempt(child);
  gate_->leave_child(*child);
  conclude(*child);
}

corun::Coro<Json> Supervisor::run_child(job::JobRef parent, std::string kind_name, Json args) {
  const job::Kind* kind = registry_.find(kind_name);
  if (!kind) throw corun::LookupError("there is no kind '" + kind_name + "'");
  if (args.is_null()) args = Json::object();
  if (!args.is_object()) throw corun::ValueError("args of a job are a JSON object");
  JsonText text = to_text(args);
  if (kind->check)
    if (auto wrong = kind->check(text.view())) throw corun::ValueError("wrong argument for '" + kind_name + "': " + *wrong);
  if (parent->is_over() || !parent->running) throw corun::RuntimeError("the job has ended: it can have no child any more");

  job::Job& child = table_.add(now_us());
  child.spec.kind = kind;
  child.spec.args = std::move(text);
  child.spec.context = parent->spec.context;
  child.spec.priority = parent->spec.priority;
  child.spec.group = kind->group;
  if (!parent->spec.labels().empty()) child.spec.make_extras().labels = parent->spec.labels();
  if (parent->spec.context == job::ContextChoice::named)
    child.spec.make_extras().context_name = parent->spec.extras().context_name;
  child.spec.owner = parent->spec.owner;
  child.spec.attached = true;
  child.parent = parent->id;
  job::JobRef ref(child);
  table_.announce(child);
  journal_.submitted(child);
  co_await gate_->enter_child(parent, ref);
  if (!ref->is_over()) {
    start(child, child_life(ref));
    if (parent->running) child.running->deadline = parent->running->deadline;
  }

  std::exception_ptr asked;  // of us, while the child ran
  while (!ref->is_over()) {
    try {
      co_await ref->changed.wait();
    } catch (const corun::CancelledError& cancelled) {
      // The child's end is awaited all the same: nothing of a job outlives it. The second cancellation is passed on too: of us, for the child may have
      // one of its own already (the daemon's stop, a time limit). A parent that was cancelled twice before it was stepped hears of that once.
      const bool is_again = asked || (parent->cancellation && !parent->cancellation->escalated.empty());
      asked = std::current_exception();
      if (ref->is_over()) throw;
      request_cancel(*ref, cancelled.message(), is_again);
    }
    if (ref->running && ref->running->abandoned) {
      gate_->abandon_child(*ref);
      throw corun::CancelledError("a child job does not end");
    }
  }
  // Both may have the same time limit: who was asked to cancel says so, whatever stopped the child.
  if (asked && (ref->state == job::State::cancelled || ref->state == job::State::timed_out)) std::rethrow_exception(asked);
  switch (ref->state) {
    case job::State::succeeded:
      co_return ref->record().outcome.result.empty() ? Json::object() : Json::parse(ref->record().outcome.result.view());
    case job::State::cancelled: throw corun::CancelledError(ref->record().outcome.reason);
    case job::State::timed_out: throw corun::TimeoutError(ref->record().outcome.error_message);
    default: break;
  }
  throw JobFailure(ref->record().outcome.error_type, ref->record().outcome.error_message, ref->record().outcome.result);
}

}  // namespace corund::run
