// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/stack.hpp"

#include <unordered_set>

#include "daemon/wire/object.hpp"

namespace corund::serve::methods {
namespace {

void write_task(wire::JsonWriter& out, std::string_view id, const corun::CallGraph& graph) {
  out.begin_object();
  if (!id.empty()) out.key("id").string(id);
  out.key("task").string(graph.name).key("state").string(graph.state).key("frames").begin_array();
  for (const auto& frame : graph.frames)
    out.begin_object().key("function").string(frame.function).key("file").string(frame.file).key("line").integer(frame.line).end_object();
  out.end_array().key("awaitedBy").begin_array();
  for (const auto& waiter : graph.awaited_by) out.string(waiter.name);
  out.end_array().end_object();
}

}  // namespace

void stack(Call& call) {
  std::optional<std::string> id;
  wire::ObjectReader in(call.request.parameters());
  while (in.next())
    if (in.key() == "id")
      in.read(id);
    else
      in.fail();
  if (!in.ok()) return call.invalid(in.wrong());
  std::vector<job::Job*> jobs;
  if (id) {
    job::Job* job = call.find_job(*id);
    if (!job) return;
    jobs.push_back(job);
  } else {
    for (job::Job& job : call.host.supervisor.running())
      if (call.host.access.may_see(call.peer, job)) jobs.push_back(&job);
  }
  call.reply([&](wire::JsonWriter& out) {
    std::string text;
    std::unordered_set<const void*> told;
    auto tell = [&](std::string_view job_id, const corun::AnyTask& task) {
      corun::CallGraph graph = corun::capture_call_graph(task);
      write_task(out, job_id, graph);
      if (!job_id.empty()) text.append("job ").append(job_id).append("\n");
      text += corun::format_call_graph(graph);
      if (!text.ends_with('\n')) text += '\n';
    };
    out.key("tasks").begin_array();
    for (job::Job* job : jobs)
      if (job->running)
        for (const auto& task : job->running->scope->tasks()) {
          tell(job->id_view(), task);
          told.insert(&task.core());
        }
    if (!id && call.host.access.is_admin(call.peer))
      for (const auto& task : corun::all_tasks())
        if (!told.contains(&task.core())) tell({}, task);
    out.end_array().key("text").string(text);
  });
}

}  // namespace corund::serve::methods
