// SPDX-License-Identifier: MIT
// A kind: a named coroutine that jobs are made of. Every kind, built in or from a plugin, is one of these; the typed forms that
// plugin.md shows are wrapped into it by <corund/plugin.hpp>.
#pragma once

#include <chrono>
#include <corun/coro/coro.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/job/json.hpp"

namespace corund {

class JobContext;

// What a kind says about itself beside its name. Views, numbers and durations only; what it views is copied at once.
struct KindOptions {
  std::string_view summary = {};
  std::string_view args_schema = {};    // JSON Schema, draft 7
  std::string_view result_schema = {};
  std::optional<std::chrono::nanoseconds> timeout = {};  // where the submission says nothing
  std::optional<std::chrono::nanoseconds> grace = {};
  std::string_view group = "default";
  bool journal_all = false;  // attached jobs too leave submitted, started and ended records
};

}  // namespace corund

namespace corund::job {

// args: the text of an object; lives, and so does the context, until the coroutine has ended.
using KindBody = std::function<corun::Coro<JsonText>(JobContext&, std::string_view args)>;

// The path of the first argument that is wrong ("args.width"; "args" where it is no single one), or nothing.
using ArgsCheck = std::function<std::optional<std::string>(std::string_view args)>;

struct Kind {
  std::string name;
  KindBody body;
  ArgsCheck check;  // empty: any object will do
  std::string summary;
  std::string args_schema;
  std::string result_schema;
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<std::chrono::nanoseconds> grace;
  std::string group = "default";
  bool journal_all = false;
  std::string origin = "built in";  // or the plugin's file
  std::string build_id;
};

// A kind of this name and body that says of itself what the options say.
Kind make_kind(std::string_view name, KindBody body, ArgsCheck check, const KindOptions& options);

}  // namespace corund::job
