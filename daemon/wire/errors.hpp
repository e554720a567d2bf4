// SPDX-License-Identifier: MIT
// Room: the named errors of the interfaces, each a struct with its name and its parameters. The names are stable; tests compare them
// with the .varlink files. Who raises which, and when, is for serve/methods.
#pragma once

#include "daemon/wire/frame.hpp"
#include "daemon/wire/writer.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corund::wire::errors {

// An error with its type taken off, for carrying through a coroutine: `name` has static storage, `parameters` is JSON text of an object.
struct AnyError {
  std::string_view name;
  std::string parameters = "{}";
};

// Writes an error's parameters as an object.
template <class E>
std::string parameters_of(const E& error) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object();
  error.write(writer);
  writer.end_object();
  return text;
}

template <class E>
AnyError any(const E& error) {
  return {E::name, parameters_of(error)};
}

// Each: `name`, the parameters in the interface's order, and write(), which writes them as members of an object already begun.

// org.varlink.service
struct InterfaceNotFound {
  static constexpr std::string_view name = "org.varlink.service.InterfaceNotFound";
  std::string interface;
  void write(JsonWriter& out) const;
};
struct MethodNotFound {
  static constexpr std::string_view name = "org.varlink.service.MethodNotFound";
  std::string method;  // its full name
  void write(JsonWriter& out) const;
};
struct MethodNotImplemented {
  static constexpr std::string_view name = "org.varlink.service.MethodNotImplemented";
  std::string method;  // its full name
  void write(JsonWriter& out) const;
};
struct InvalidParameter {
  static constexpr std::string_view name = "org.varlink.service.InvalidParameter";
  std::string parameter;  // its path
  void write(JsonWriter& out) const;
};
struct PermissionDenied {
  static constexpr std::string_view name = "org.varlink.service.PermissionDenied";
  void write(JsonWriter& out) const;
};
struct ExpectedMore {
  static constexpr std::string_view name = "org.varlink.service.ExpectedMore";
  void write(JsonWriter& out) const;
};

// io.systemd.service
struct InconsistentEnvironment {
  static constexpr std::string_view name = "io.systemd.service.InconsistentEnvironment";
  void write(JsonWriter& out) const;
};

// io.corund.Jobs
struct KindNotFound {
  static constexpr std::string_view name = "io.corund.Jobs.KindNotFound";
  std::string kind;
  void write(JsonWriter& out) const;
};
struct JobNotFound {
  static constexpr std::string_view name = "io.corund.Jobs.JobNotFound";
  std::string id;
  void write(JsonWriter& out) const;
};
struct ContextNotFound {
  static constexpr std::string_view name = "io.corund.Jobs.ContextNotFound";
  std::string context;  // the wire's `name`
  void write(JsonWriter& out) const;
};
struct JobFailed {
  static constexpr std::string_view name = "io.corund.Jobs.JobFailed";
  std::string id;
  std::string type;
  std::string message;
  std::string result = {};  // JSON text of an object, sanitized when written; empty: none
  void write(JsonWriter& out) const;
};
struct JobCancelled {
  static constexpr std::string_view name = "io.corund.Jobs.JobCancelled";
  std::string id;
  std::optional<std::string> reason = {};
  void write(JsonWriter& out) const;
};
struct JobTimedOut {
  static constexpr std::string_view name = "io.corund.Jobs.JobTimedOut";
  std::string id;
  double timeout = 0;  // seconds
  void write(JsonWriter& out) const;
};
struct JobLost {
  static constexpr std::string_view name = "io.corund.Jobs.JobLost";
  std::string id;
  void write(JsonWriter& out) const;
};
struct DependencyFailed {
  static constexpr std::string_view name = "io.corund.Jobs.DependencyFailed";
  std::string id;
  std::string dependency;
  void write(JsonWriter& out) const;
};
struct WaitTimedOut {
  static constexpr std::string_view name = "io.corund.Jobs.WaitTimedOut";
  std::string id;
  void write(JsonWriter& out) const;
};
struct NotEnded {
  static constexpr std::string_view name = "io.corund.Jobs.NotEnded";
  std::string id;
  void write(JsonWriter& out) const;
};
struct QueueFull {
  static constexpr std::string_view name = "io.corund.Jobs.QueueFull";
  std::int64_t limit = 0;
  double retry_after = 0;  // seconds
  void write(JsonWriter& out) const;
};
struct LimitReached {
  static constexpr std::string_view name = "io.corund.Jobs.LimitReached";
  std::string limit;  // its configuration key
  std::int64_t value = 0;
  void write(JsonWriter& out) const;
};
struct StoreFull {
  static constexpr std::string_view name = "io.corund.Jobs.StoreFull";
  std::string message;
  void write(JsonWriter& out) const;
};
struct Draining {
  static constexpr std::string_view name = "io.corund.Jobs.Draining";
  void write(JsonWriter& out) const;
};

// io.corund.Daemon
struct BadFrame {
  static constexpr std::string_view name = "io.corund.Daemon.BadFrame";
  FrameFault fault;
  void write(JsonWriter& out) const;
};
struct ConfigurationFault {
  std::string file;
  std::int64_t line = 0;
  std::string key;
  std::string reason;
};
struct BadConfiguration {
  static constexpr std::string_view name = "io.corund.Daemon.BadConfiguration";
  std::vector<ConfigurationFault> faults;
  void write(JsonWriter& out) const;
};
struct GroupNotFound {
  static constexpr std::string_view name = "io.corund.Daemon.GroupNotFound";
  std::string group;  // the wire's `name`
  void write(JsonWriter& out) const;
};

}  // namespace corund::wire::errors
