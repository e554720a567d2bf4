// SPDX-License-Identifier: MIT
// io.systemd.service: what tools of systemd's ask any service, without knowing what it is. SetLogLevel is methods/administer's. Source: the
// interface as systemd's own services have it.
//
// systemd lets root and the service's own user do what is not Ping. Here it is for administrators, as io.corund.Daemon's methods are: where the
// daemon is the system's, jobs run as its user, and must not get by one interface what the other one refuses.
#pragma once

#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

void ping(Call& call);
// Answers faults with io.corund.Daemon.BadConfiguration: an errno would say less, and to a caller that knows neither name an error is an error.
void reload_service(Call& call);
void get_environment(Call& call);

}  // namespace corund::serve::methods
