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

constexpr Method table[] = {
    {"io.corund.Jobs.Run", methods::run},
    {"io.corund.Jobs.Submit", methods::submit},
    {"io.corund.Jobs.SubmitMany", methods::submit_many},
    {"io.corund.Jobs.Wait", methods::wait},
    {"io.corund.Jobs.Watch", methods::watch, true},
    {"io.corund.Jobs.Show", methods::show},
    {"io.corund.Jobs.List", methods::list, true},
    {"io.corund.Jobs.Cancel", methods::cancel},
    {"io.corund.Jobs.Retry", methods::retry},
    {"io.corund.Jobs.Remove", methods::remove},
    {"io.corund.Jobs.Logs", methods::logs, true},
    {"io.corund.Jobs.Stack", methods::stack},
    {"io.corund.Jobs.ListKinds", methods::list_kinds},
    {"io.corund.Jobs.ListContexts", methods::list_contexts},
    {"io.corund.Jobs.DropContext", methods::drop_context},
    {"io.corund.Daemon.Status", methods::status},
    {"io.corund.Daemon.Pause", methods::pause},
    {"io.corund.Daemon.Resume", methods::resume},
    {"io.corund.Daemon.SetGroup", methods::set_group},
    {"io.corund.Daemon.Drain", methods::drain},
    {"io.corund.Daemon.Reload", methods::reload},
    {"io.corund.Daemon.Metrics", methods::metrics},
    {"io.corund.Daemon.SetLogLevel", methods::set_log_level},
    {"io.corund.Daemon.Subscribe", methods::subscribe, true},
    {"io.systemd.service.Ping", methods::ping},
    {"io.systemd.service.Reload", methods::reload_service},
    {"io.systemd.service.SetLogLevel", methods::set_log_level},
    {"io.systemd.service.GetEnvironment", methods::get_environment},
    {"org.varlink.service.GetInfo", methods::get_info},
    {"org.varlink.service.GetInterfaceDescription", methods::get_interface_description},
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
  if (request.upgrade()) return call.invalid("upgrade");
  if (method->requires_more && !request.more()) return call.error(wire::errors::ExpectedMore{});
  method->answer(call);
}

}  // namespace corund::serve
