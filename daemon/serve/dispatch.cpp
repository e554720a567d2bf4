// SPDX-License-Identifier: MIT
#include "daemon/serve/dispatch.hpp"

#include <unordered_map>

#include "daemon/serve/methods/administer.hpp"
#include "daemon/serve/methods/control.hpp"
#include "daemon/serve/methods/logs.hpp"
#include "daemon/serve/methods/metrics.hpp"
#include "daemon/serve/methods/query.hpp"
#include "daemon/serve/methods/service.hpp"
#include "daemon/serve/methods/stack.hpp"
#include "daemon/serve/methods/submit.hpp"
#include "daemon/serve/methods/subscribe.hpp"
#include "daemon/serve/methods/systemd_service.hpp"
#include "daemon/serve/methods/watch.hpp"
#include "daemon/wire/interfaces.hpp"

namespace corund::serve {
namespace {

// Which of them a call is about, and whose jobs, is asked by the methods: may_see(), may_end(), may_submit() of a kind.
constexpr Method table[] = {
    {"io.corund.Jobs.Run", Need::submit, methods::run},
    {"io.corund.Jobs.Submit", Need::submit, methods::submit},
    {"io.corund.Jobs.SubmitMany", Need::submit, methods::submit_many},
    {"io.corund.Jobs.Wait", Need::role, methods::wait},
    {"io.corund.Jobs.Watch", Need::role, methods::watch, true},
    {"io.corund.Jobs.Show", Need::role, methods::show},
    {"io.corund.Jobs.List", Need::role, methods::list, true},
    {"io.corund.Jobs.Cancel", Need::submit, methods::cancel},
    {"io.corund.Jobs.Retry", Need::submit, methods::retry},
    {"io.corund.Jobs.Remove", Need::submit, methods::remove},
    {"io.corund.Jobs.Logs", Need::role, methods::logs, true},
    {"io.corund.Jobs.Stack", Need::role, methods::stack},
    {"io.corund.Jobs.ListKinds", Need::role, methods::list_kinds},
    {"io.corund.Jobs.ListContexts", Need::role, methods::list_contexts},
    {"io.corund.Jobs.DropContext", Need::submit, methods::drop_context},
    {"io.corund.Daemon.Status", Need::role, methods::status},
    {"io.corund.Daemon.Pause", Need::admin, methods::pause},
    {"io.corund.Daemon.Resume", Need::admin, methods::resume},
    {"io.corund.Daemon.SetGroup", Need::admin, methods::set_group},
    {"io.corund.Daemon.Drain", Need::admin, methods::drain},
    {"io.corund.Daemon.Reload", Need::admin, methods::reload},
    {"io.corund.Daemon.Metrics", Need::role, methods::metrics},
    {"io.corund.Daemon.SetLogLevel", Need::admin, methods::set_log_level},
    {"io.corund.Daemon.Subscribe", Need::role, methods::subscribe, true},
    {"io.systemd.service.Ping", Need::nothing, methods::ping},
    {"io.systemd.service.Reload", Need::admin, methods::reload_service},
    {"io.systemd.service.SetLogLevel", Need::admin, methods::set_log_level},
    {"io.systemd.service.GetEnvironment", Need::admin, methods::get_environment},
    {"org.varlink.service.GetInfo", Need::nothing, methods::get_info},
    {"org.varlink.service.GetInterfaceDescription", Need::nothing, methods::get_interface_description},
};

const Method* find(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, const Method*> map;
    for (const Method& method : table) map.emplace(method.name, &method);
    return map;
  }();
  auto at = by_name.find(name);
  return at == by_name.end() ? nullptr : at->second;
}

bool is_interface(std::string_view name) {
  return name == wire::service_interface || !wire::interface_description(name).empty();
}

}  // namespace

std::span<const Method> method_table() noexcept { return table; }

void dispatch(Call& call) {
  const wire::Request& request = call.request;
  const Method* method = find(request.method());
  if (!method) {
    if (!is_interface(request.interface_name()))
      return call.error(wire::errors::InterfaceNotFound{std::string(request.interface_name())});
    return call.error(wire::errors::MethodNotFound{std::string(request.method())});
  }
  if (!call.host.access.allows(call.peer, method->need)) return call.error(wire::errors::PermissionDenied{});
  if (request.upgrade()) return call.invalid("upgrade");
  if (method->requires_more && !request.more()) return call.error(wire::errors::ExpectedMore{});
  method->answer(call);
}

}  // namespace corund::serve
