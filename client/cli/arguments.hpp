// SPDX-License-Identifier: MIT
// Room: from words on a command line to JSON: a kind's args, durations, a command with its surroundings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corunctl {

// One JSON object as it is, or any number of key=value: the value as JSON where it is JSON, else as a string. A dotted key is no path: it is the key.
// Errors: Failure.
std::string args_from(const std::vector<std::string>& words);

// "name=value" in two. Errors: Failure where there is no '='; `what` names it.
std::pair<std::string, std::string> split_pair(const std::string& word, std::string_view what);

// Seconds of "90", "1.5", "200ms", "5min", "2h", "7d". Errors: Failure.
double seconds_from(const std::string& text);

// Microseconds since the epoch of "@1700000000" (seconds), or of a duration before now. Errors: Failure.
std::int64_t moment_from(const std::string& text);

// Whether it is one complete JSON value that the wire may carry.
bool is_json(std::string_view text);

// Whether it is UTF-8 without NUL, so that JSON can carry it unchanged.
bool is_utf8(std::string_view text);

struct Command {
  std::vector<std::string> argv;
  std::vector<std::string> env;           // NAME=VALUE on top of the caller's, or NAME for the caller's value
  bool whole_environment = true;          // the caller's environment goes along
  std::optional<std::string> directory;   // unset: the caller's
  bool with_stdin = false;                // standard input goes along, read to its end
};

// The args of an exec job: the command, the directory, the environment. Variables of ours that would mislead a child of the daemon (NOTIFY_SOCKET and
// its kin) stay here. Errors: Failure for what JSON cannot carry.
std::string exec_args(const Command& command);

}  // namespace corunctl
