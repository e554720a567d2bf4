// SPDX-License-Identifier: MIT
#include "client/cli/arguments.hpp"

#include "client/failure.hpp"
#include "daemon/wire/frame.hpp"
#include "daemon/wire/json.hpp"
#include "daemon/wire/writer.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <map>

namespace corunctl {

namespace wire = corund::wire;

namespace {

std::string_view trimmed(std::string_view text) {
  std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

// Set for us by whoever started us, for nobody else.
bool is_private_variable(std::string_view name) {
  for (std::string_view ours : {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID",
                                "INVOCATION_ID", "JOURNAL_STREAM", "_"})
    if (name == ours) return true;
  return false;
}

std::string read_standard_input() {
  std::string text;
  char piece[65536];
  while (true) {
    ssize_t got = ::read(STDIN_FILENO, piece, sizeof piece);
    if (got == 0) return text;
    if (got > 0) text.append(piece, static_cast<std::size_t>(got));
    else if (errno != EINTR) throw Failure(std::string("reading standard input: ") + std::strerror(errno));
  }
}

std::map<std::string, std::string> environment_of(const Command& command) {
  std::map<std::string, std::string> variables;
  for (char** at = environ; command.whole_environment && *at != nullptr; ++at) {
    std::string_view entry(*at);
    std::size_t equals = entry.find('=');
    if (equals == 0 || equals == std::string_view::npos || !is_utf8(entry)) continue;
    if (!is_private_variable(entry.substr(0, equals))) variables[std::string(entry.substr(0, equals))] = entry.substr(equals + 1);
  }
  for (const std::string& entry : command.env) {
    std::size_t equals = entry.find('=');
    std::string name = entry.substr(0, equals);
    const char* inherited = equals == std::string::npos ? ::getenv(name.c_str()) : nullptr;
    if (name.empty()) throw Failure("--env wants NAME=VALUE or NAME, not '" + entry + "'");
    if (!is_utf8(entry)) throw Failure("--env " + name + ": its value is not UTF-8, and JSON cannot carry it");
    if (equals != std::string::npos) variables[name] = entry.substr(equals + 1);
    else if (inherited != nullptr) variables[name] = inherited;
  }
  return variables;
}

}  // namespace

bool is_json(std::string_view text) {
  text = trimmed(text);
  if (text.empty()) return false;
  std::string frame = "{\"\":";
  frame.append(text).append("}").push_back('\0');
  wire::FrameScanner scanner({.frame_bytes_max = frame.size(), .depth_max = wire::frame_depth_cap});
  if (scanner.feed(frame).status != wire::ScanStatus::frame) return false;
  wire::JsonCursor cursor(scanner.frame().text);
  return cursor.next() && cursor.value().size() == text.size();  // one value, and nothing slipped in behind it
}

bool is_utf8(std::string_view text) {
  std::string written;
  wire::append_string(written, text);
  return wire::decode_string(written) == text;
}

std::pair<std::string, std::string> split_pair(const std::string& word, std::string_view what) {
  std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0) throw Failure("'" + word + "': " + std::string(what) + " is written name=value");
  return {word.substr(0, equals), word.substr(equals + 1)};
}

std::string args_from(const std::vector<std::string>& words) {
  if (words.size() == 1 && trimmed(words[0]).starts_with('{')) {
    if (!is_json(words[0])) throw Failure("the args are not valid JSON: " + words[0] + "\nQuote them for the shell: '{\"x\": 1}', or write x=1");
    return std::string(trimmed(words[0]));
  }
  std::string out;
  wire::JsonWriter writer(out);
  writer.begin_object();
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto [name, value] = split_pair(words[i], "an argument");
    for (std::size_t earlier = 0; earlier < i; ++earlier)
      if (words[earlier].starts_with(name + "=")) throw Failure("'" + name + "' is given twice");
    if (!is_utf8(words[i])) throw Failure("the argument '" + name + "' is not UTF-8, and JSON cannot carry it");
    writer.string_key(name);
    if (is_json(value)) writer.raw(trimmed(value));
    else writer.string(value);
  }
  writer.end_object();
  return out;
}

double seconds_from(const std::string& text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit = trimmed({end, static_cast<std::size_t>(text.data() + text.size() - end)});
  struct Unit {
    std::string_view name;
    double seconds;
  };
  static constexpr Unit units[] = {{"", 1},     {"s", 1},    {"sec", 1},   {"ms", 1e-3}, {"us", 1e-6}, {"m", 60},
                                   {"min", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}};
  const Unit* found = std::find_if(std::begin(units), std::end(units), [&](const Unit& each) { return each.name == unit; });
  if (error != std::errc{} || found == std::end(units) || number < 0)
    throw Failure("'" + text + "' is no duration: write seconds, or a number with ms, s, min, h or d");
  return number * found->seconds;
}

std::int64_t moment_from(const std::string& text) {
  if (text.starts_with('@')) return static_cast<std::int64_t>(seconds_from(text.substr(1)) * 1e6);
  auto now = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
  return now.count() - static_cast<std::int64_t>(seconds_from(text) * 1e6);
}

std::string exec_args(const Command& command) {
  std::string out;
  wire::JsonWriter writer(out);
  writer.begin_object();
  writer.key("argv").begin_array();
  for (const std::string& word : command.argv) {
    if (!is_utf8(word)) throw Failure("an argument of the command is not UTF-8, and JSON cannot carry it: " + word);
    writer.string(word);
  }
  writer.end_array();
  std::error_code error;
  std::string directory = command.directory ? std::filesystem::absolute(*command.directory).string() : std::filesystem::current_path(error).string();
  if (!directory.empty()) {
    if (!is_utf8(directory)) throw Failure("the directory's name is not UTF-8, and JSON cannot carry it: " + directory);
    writer.key("cwd").string(directory);
  }
  writer.key("env").begin_object();
  for (const auto& [name, value] : environment_of(command)) writer.string_key(name).string(value);
  writer.end_object();
  if (command.with_stdin) {
    std::string input = read_standard_input();
    if (!is_utf8(input)) throw Failure("standard input is not UTF-8 without NUL, and JSON cannot carry it: put it into a file");
    writer.key("stdin").string(input);
  }
  writer.end_object();
  return out;
}

}  // namespace corunctl
