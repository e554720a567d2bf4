// SPDX-License-Identifier: MIT
#include "daemon/job/spec.hpp"

namespace corund::job {

void JobSpec::reset() noexcept {
  kind = nullptr;
  args.clear();
  context = ContextChoice::shared;
  context_name.clear();
  timeout.reset();
  grace.reset();
  priority = 0;
  group.clear();
  labels.clear();
  attached = false;
  ack = Ack::memory;
  owner = 0;
}

std::string_view JobSpec::context_text() const noexcept {
  switch (context) {
    case ContextChoice::shared: return "shared";
    case ContextChoice::isolated: return "isolated";
    case ContextChoice::named: break;
  }
  return context_name;
}

}  // namespace corund::job
