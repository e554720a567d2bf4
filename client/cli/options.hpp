// SPDX-License-Identifier: MIT
// Room: the command line, taken apart and checked. One struct for all verbs: each reads the fields that its line in options.cpp fills.
#pragma once

#include "client/cli/arguments.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace corunctl {

enum class Verb {
  run, exec, submit, wait, watch, list, show, cancel, retry, remove, logs, stack, kinds, contexts, status,
  pause, resume, drain, reload, metrics, top, plot, call,
};

// What a submission may say beside its kind and args.
struct JobOptions {
  std::string context, group, key, ack;
  std::string timeout, grace, delay;  // durations as written
  std::optional<std::int64_t> priority;
  std::optional<std::int64_t> attempts;  // in all
  std::string retry_delay;
  std::optional<double> backoff;
  std::vector<std::string> after;
  std::vector<std::string> labels;  // name=value
};

// What list and remove choose by.
struct Filter {
  std::vector<std::string> states, kinds, groups, labels;
  std::string since, until;
  std::optional<std::int64_t> limit;
  bool newest_first = false;
};

struct Options {
  Verb verb = Verb::status;
  std::string socket;  // empty: the usual places
  bool json = false;
  JobOptions job;
  Filter filter;
  Command command;
  std::string kind;
  std::string name;                // of a method, a group, a context, a kind to show
  std::vector<std::string> words;  // args
  std::vector<std::string> ids;
  std::string reason;
  std::string timeout;  // of wait
  std::optional<std::int64_t> lines;
  bool detach = false;
  bool force = false;
  bool follow = false;
  bool more = false;
  bool oneway = false;
};

// Adds all verbs and options to a parser; they are read into `options`.
void describe(CLI::App& app, Options& options);

// The options; or nothing where all is said and done (--help, --version): exit with `code`. Prints help to stdout, what is wrong to stderr.
std::optional<Options> parse_options(int argc, const char* const* argv, int& code);

}  // namespace corunctl
