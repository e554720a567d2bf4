// SPDX-License-Identifier: MIT
#include "daemon/wire/errors.hpp"

namespace corund::wire::errors {

void InterfaceNotFound::write(JsonWriter& out) const { out.key("interface").string(interface); }
void MethodNotFound::write(JsonWriter& out) const { out.key("method").string(method); }
void MethodNotImplemented::write(JsonWriter& out) const { out.key("method").string(method); }
void InvalidParameter::write(JsonWriter& out) const { out.key("parameter").string(parameter); }
void PermissionDenied::write(JsonWriter&) const {}
void ExpectedMore::write(JsonWriter&) const {}

void InconsistentEnvironment::write(JsonWriter&) const {}

void KindNotFound::write(JsonWriter& out) const { out.key("kind").string(kind); }
void JobNotFound::write(JsonWriter& out) const { out.key("id").string(id); }
void ContextNotFound::write(JsonWriter& out) const { out.key("name").string(context); }

void JobFailed::write(JsonWriter& out) const {
  out.key("id").string(id);
  out.key("type").string(type);
  out.key("message").string(message);
  if (!result.empty()) out.key("result").foreign(result);
}

void JobCancelled::write(JsonWriter& out) const {
  out.key("id").string(id);
  if (reason) out.key("reason").string(*reason);
}

void JobTimedOut::write(JsonWriter& out) const {
  out.key("id").string(id);
  out.key("timeout").number(timeout);
}

void JobLost::write(JsonWriter& out) const { out.key("id").string(id); }

void DependencyFailed::write(JsonWriter& out) const {
  out.key("id").string(id);
  out.key("dependency").string(dependency);
}

void WaitTimedOut::write(JsonWriter& out) const { out.key("id").string(id); }
void NotEnded::write(JsonWriter& out) const { out.key("id").string(id); }

void QueueFull::write(JsonWriter& out) const {
  out.key("limit").integer(limit);
  out.key("retryAfter").number(retry_after);
}

void LimitReached::write(JsonWriter& out) const {
  out.key("limit").string(limit);
  out.key("value").integer(value);
}

void StoreFull::write(JsonWriter& out) const { out.key("message").string(message); }
void Draining::write(JsonWriter&) const {}

void BadFrame::write(JsonWriter& out) const {
  out.key("offset").unsigned_integer(fault.offset);
  out.key("reason").string(text_of(fault));
}

void BadConfiguration::write(JsonWriter& out) const {
  out.key("faults").begin_array();
  for (const ConfigurationFault& fault : faults) {
    out.begin_object();
    out.key("file").string(fault.file);
    out.key("line").integer(fault.line);
    out.key("key").string(fault.key);
    out.key("reason").string(fault.reason);
    out.end_object();
  }
  out.end_array();
}

void GroupNotFound::write(JsonWriter& out) const { out.key("name").string(group); }

}  // namespace corund::wire::errors
