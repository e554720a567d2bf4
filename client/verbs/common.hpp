// SPDX-License-Identifier: MIT
// Room: what several verbs begin with.
#pragma once

#include "client/cli/options.hpp"
#include "client/connection.hpp"
#include "client/render.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace corunctl::verbs {

// Connected to where --socket says, or to the first of the usual places that listens. Errors: Failure.
Connection connect(const Options& options);

// "io.corund.Jobs.Run" for "Run"; the Daemon's for daemon_method().
std::string jobs_method(const char* name);
std::string daemon_method(const char* name);

// {"id": id}
std::string id_parameters(const std::string& id);

// The parameters of List that choose these jobs; "{}" where all are. Errors: Failure.
std::string filter_parameters(const Filter& filter);

// A job as a line of a table: id, kind, state, group, when it was submitted, how long it took, and what a person would ask next. In list.cpp.
std::vector<std::string> job_cells(const Json& job);

// The parameters of Run and Submit that the options say.
std::string submission(const Options& options);

// One call and its answer's parameters; nothing where --json has printed them. Errors: Refusal.
std::optional<Json> ask(Connection& connection, const Options& options, const std::string& method, const std::string& parameters);
// The same on a connection of its own.
std::optional<Json> ask(const Options& options, const std::string& method, const std::string& parameters = "{}");

// The answers to a call with `more`, the last one included: printed with --json, else given to `body`. Errors: Refusal.
void each_reply(Connection& connection, const Options& options, const std::function<void(const Json&)>& body);

}  // namespace corunctl::verbs
