// SPDX-License-Identifier: MIT
// The options that the durable store brings (delay, retry, after, key, and ack "disk") are refused by name until it is there: an
// option that is not acted on must not be taken. Null is the same as leaving one out, for these too.
#include "daemon/serve/methods/submit.hpp"

#include <cmath>

#include "daemon/job/kind.hpp"
#include "daemon/serve/methods/record.hpp"
#include "daemon/serve/methods/watch.hpp"
#include "daemon/wire/object.hpp"

namespace corund::serve::methods {
namespace {

constexpr double seconds_max = 1e9;  // some thirty years
constexpr std::size_t name_bytes_max = 128;
constexpr std::size_t labels_max = 64;
constexpr std::size_t label_bytes_max = 1024;

void read_seconds(wire::ObjectReader& in, std::optional<std::chrono::nanoseconds>& out) {
  std::optional<double> seconds;
  if (in.read(seconds, 0.0, seconds_max) && seconds)
    out = std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(*seconds * 1e9)));
}

void read_context(wire::ObjectReader& in, job::JobSpec& spec) {
  std::optional<std::string> context;
  if (!in.read(context) || !context || *context == "shared") return;
  if (context->empty() || context->size() > name_bytes_max) return void(in.fail());
  spec.context = *context == "isolated" ? job::ContextChoice::isolated : job::ContextChoice::named;
  if (spec.context == job::ContextChoice::named) spec.context_name = std::move(*context);
}

void read_labels(wire::ObjectReader& in, job::JobSpec& spec) {
  in.read_object([&](wire::ObjectReader& labels) {
    while (labels.next()) {
      std::string value;
      if (!labels.read(value)) return;
      if (spec.labels.size() == labels_max || labels.key().size() > name_bytes_max || value.size() > label_bytes_max)
        return void(labels.fail());
      spec.labels.emplace_back(labels.key(), std::move(value));
    }
  });
}

// The whole of the parameters but the kind, which is given as its name. What is wrong, the reader knows.
void read_options(wire::ObjectReader& in, job::JobSpec& spec, std::string& kind, std::size_t args_max) {
  while (in.next()) {
    const std::string_view key = in.key();
    if (key == "kind") {
      in.read(kind);
    } else if (key == "args") {
      std::string_view args;
      if (!in.read_object_text(args)) return;
      if (args.size() > args_max) return void(in.fail());
      spec.args.assign(args);
    } else if (key == "context") {
      read_context(in, spec);
    } else if (key == "timeout") {
      read_seconds(in, spec.timeout);
    } else if (key == "grace") {
      read_seconds(in, spec.grace);
    } else if (key == "priority") {
      std::optional<std::int64_t> priority;
      if (in.read(priority, std::int64_t{job::priority_min}, std::int64_t{job::priority_max}) && priority)
        spec.priority = static_cast<int>(*priority);
    } else if (key == "group") {
      std::optional<std::string> group;
      if (in.read(group) && group) {
        if (group->empty() || group->size() > name_bytes_max) return void(in.fail());
        spec.group = std::move(*group);
      }
    } else if (key == "labels") {
      read_labels(in, spec);
    } else if (key == "ack") {
      std::size_t choice = 0;
      if (!in.is_null() && in.read_choice(choice, {"memory", "disk"}) && choice == 1) in.fail();
    } else if (key == "delay" || key == "retry" || key == "after" || key == "key") {
      if (!in.is_null()) in.fail();
    } else {
      in.fail();
    }
  }
  if (kind.empty()) in.fail("kind");
}

void refuse(Call& call, const run::Refusal& refusal) {
  switch (refusal.why) {
    case run::Refusal::Why::draining: return call.error(wire::errors::Draining{});
    case run::Refusal::Why::queue_full:
      return call.error(wire::errors::QueueFull{static_cast<std::int64_t>(refusal.value), refusal.retry_after});
    case run::Refusal::Why::limit_reached: break;
  }
  call.error(wire::errors::LimitReached{std::string(refusal.limit), static_cast<std::int64_t>(refusal.value)});
}

// The job that the call asks for, queued or running already; or the call is answered with what is wrong.
job::JobRef accept(Call& call, bool is_attached) {
  auto opened = call.host.admission.open(call.now_us);
  if (!opened) {
    refuse(call, opened.error());
    return {};
  }
  job::Job& job = **opened;
  job.spec.owner = call.peer.uid;
  job.spec.attached = is_attached;
  job.spec.args.assign("{}");
  auto give_up = [&](const auto& error) {
    call.host.admission.discard(job);
    call.error(error);
    return job::JobRef();
  };

  wire::ObjectReader in(call.request.parameters());
  std::string kind;
  read_options(in, job.spec, kind, call.host.config.limits.args_bytes);
  if (!in.ok()) return give_up(wire::errors::InvalidParameter{in.wrong()});
  job.spec.kind = call.host.registry.find(kind);
  if (!job.spec.kind) return give_up(wire::errors::KindNotFound{kind});
  if (job.spec.kind->check)
    if (auto wrong = job.spec.kind->check(job.spec.args.view()))
      return give_up(wire::errors::InvalidParameter{std::move(*wrong)});

  auto admitted = call.host.admission.admit(job);
  if (!admitted) {
    refuse(call, admitted.error());
    return {};
  }
  return std::move(*admitted);
}

}  // namespace

void run(Call& call) {
  job::JobRef job = accept(call, true);
  if (!job) return;
  if (call.request.more())
    call.answer_later(run_events(call.sink(), job), job);
  else
    call.answer_with_outcome(std::move(job));
}

void submit(Call& call) {
  job::JobRef job = accept(call, false);
  if (!job) return;
  call.reply([&](wire::JsonWriter& out) { out.key("id").string(job->id_view()).key("ack").string("memory"); });
}

}  // namespace corund::serve::methods
