// SPDX-License-Identifier: MIT
#include "client/render.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>

namespace corunctl {

namespace {

bool wants_colours() {
  const char* term = ::getenv("TERM");
  return ::getenv("NO_COLOR") == nullptr && term != nullptr && std::string_view(term) != "dumb";
}

std::string coloured(const std::string& text, const char* code) {
  if (!is_terminal() || !wants_colours()) return text;
  return std::string("\033[") + code + "m" + text + "\033[0m";
}

const char* colour_of(std::string_view state) {
  if (state == "succeeded") return "32";
  if (state == "running") return "36";
  if (state == "failed" || state == "timedOut" || state == "lost") return "31";
  if (state == "cancelled") return "33";
  return "2";
}

std::string printed(const char* format, double value) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string padded(std::string text, std::size_t width) {
  std::size_t shown = 0;
  for (char byte : text) shown += (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
  if (shown < width) text.append(width - shown, ' ');
  return text;
}

// Names by which a record's members are shown; what is not here is shown by its own.
std::string label_of(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> labels[] = {
      {"submittedUSec", "submitted"}, {"eligibleUSec", "eligible"}, {"startedUSec", "started"},
      {"endedUSec", "ended"},         {"waitingFor", "waiting for"}, {"ownerUid", "owner"},
      {"errorType", "error"},         {"errorMessage", "message"},   {"cancelReason", "cancel reason"},
      {"stdoutTail", "stdout"},       {"stderrTail", "stderr"},
  };
  for (auto [from, to] : labels)
    if (from == name) return std::string(to);
  return std::string(name);
}

void print_line(const std::string& label, const std::string& value) {
  std::cout << coloured(padded(label + ":", 15), "2") << ' ' << value << '\n';
}

void print_block(const std::string& label, const std::string& text) {
  std::cout << coloured(label + ":", "2") << '\n';
  std::string_view left = text;
  while (!left.empty()) {
    std::size_t end = left.find('\n');
    std::cout << "    " << safe_text(left.substr(0, end)) << '\n';
    left = end == std::string_view::npos ? std::string_view{} : left.substr(end + 1);
  }
}

// "#1 failed after 3.2s: ExitStatus: exit status 3 (0.01s of loop in 14 steps, longest 0.2ms)"
std::string attempt_text(const Json& attempt) {
  std::string text = "#" + value_text(attempt.value("number", Json()));
  std::int64_t started = attempt.value("startedUSec", std::int64_t{0});
  auto ended = attempt.value("endedUSec", Json());
  text += ended.is_number() ? " " + state_text(value_text(attempt.value("state", Json()))) + " after " +
                                  duration_text(static_cast<double>(ended.get<std::int64_t>() - started) / 1e6)
                            : " running since " + time_text(started);
  if (auto type = attempt.value("errorType", Json()); type.is_string())
    text += ": " + safe_text(type.get<std::string>()) + ": " + safe_text(value_text(attempt.value("errorMessage", Json())));
  std::string used;
  auto add = [&](const char* name, const char* words) {
    auto value = attempt.value(name, Json());
    if (value.is_number() && value.get<double>() > 0) used += (used.empty() ? "" : ", ") + duration_text(value.get<double>()) + words;
  };
  add("loopSeconds", " on the loop");
  add("longestStepSeconds", " longest step");
  add("threadSeconds", " in threads");
  add("cpuSeconds", " of CPU");
  if (auto memory = attempt.value("maxRssKiB", Json()); memory.is_number())
    used += (used.empty() ? "" : ", ") + bytes_text(memory.get<double>() * 1024) + " of memory";
  return used.empty() ? text : text + " (" + used + ")";
}

bool is_empty(const Json& value) {
  return value.is_null() || ((value.is_array() || value.is_object() || value.is_string()) && value.size() == 0);
}

void print_member(const std::string& name, const Json& value) {
  if (is_empty(value)) return;
  if (name.ends_with("USec")) {
    print_line(label_of(name), time_text(value.get<std::int64_t>()));
  } else if (name == "state") {
    print_line(name, state_text(value.get<std::string>()));
  } else if (name == "timeout" || name == "grace") {
    print_line(name, duration_text(value.get<double>()));
  } else if (name == "attempts") {
    for (const Json& attempt : value) print_line("attempt", attempt_text(attempt));
  } else if (name == "progress") {
    auto fraction = value.value("fraction", Json());
    std::string text = fraction.is_number() ? printed("%.0f%% ", fraction.get<double>() * 100) : "";
    print_line(name, text + safe_text(value_text(value.value("text", Json("")))));
  } else if (name == "stdoutTail" || name == "stderrTail") {
    print_block(label_of(name), value.get<std::string>());
  } else if (name == "labels") {
    for (const auto& [label, text] : value.items()) print_line("label", safe_text(label) + "=" + safe_text(value_text(text)));
  } else {
    print_line(label_of(name), safe_text(value_text(value)));
  }
}

}  // namespace

bool is_terminal() {
  static const bool answer = ::isatty(STDOUT_FILENO) == 1;
  return answer;
}

bool is_error_terminal() {
  static const bool answer = ::isatty(STDERR_FILENO) == 1;
  return answer;
}

void print_wire(std::string_view json) {
  std::string line(json);
  for (char& byte : line)
    if (byte == '\n' || byte == '\r') byte = ' ';  // white space between tokens; within strings they are escaped
  std::cout << line << std::endl;
}

std::string time_text(std::int64_t usec) {
  if (usec == 0) return "-";
  std::time_t seconds = usec / 1'000'000;
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[32];
  std::strftime(text, sizeof text, "%F %T", &local);
  return text;
}

std::string duration_text(double seconds) {
  if (seconds < 1e-3) return printed("%.0fus", seconds * 1e6);
  if (seconds < 1) return printed("%.0fms", seconds * 1e3);
  if (seconds < 60) return printed("%.3gs", seconds);
  auto whole = static_cast<long long>(seconds);
  auto two = [](long long big, const char* big_unit, long long small, const char* small_unit) {
    std::string text = std::to_string(big) + big_unit;
    return small == 0 ? text : text + " " + std::to_string(small) + small_unit;
  };
  if (whole < 3600) return two(whole / 60, "min", whole % 60, "s");
  if (whole < 86400) return two(whole / 3600, "h", whole % 3600 / 60, "min");
  return two(whole / 86400, "d", whole % 86400 / 3600, "h");
}

std::string bytes_text(double bytes) {
  static constexpr std::array units = {" B", " KiB", " MiB", " GiB", " TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
  return printed(unit == 0 || bytes >= 100 ? "%.0f" : "%.1f", bytes) + units[unit];
}

std::string state_text(const std::string& state, std::size_t width) {
  return coloured(padded(safe_text(state), width), colour_of(state));
}

std::string safe_text(std::string_view text) {
  std::string safe;
  for (char byte : text) {
    auto code = static_cast<unsigned char>(byte);
    if (code == 0x7f || (code < 0x20 && byte != '\t' && byte != '\n')) {
      safe += '^';
      safe += static_cast<char>(code ^ 0x40);
    } else {
      safe += byte;
    }
  }
  return safe;
}

std::string end_reason(const Json& job) {
  for (const char* name : {"cancelReason", "errorMessage"}) {
    if (name == std::string_view("cancelReason") && job.value("state", std::string()) != "cancelled") continue;
    if (Json text = job.value(name, Json()); text.is_string()) return text.get<std::string>();
  }
  return {};
}

std::string value_text(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Table::row(const std::vector<std::string>& cells) {
  if (is_terminal() && !headed_) {
    headed_ = true;
    std::string headings;
    for (const Column& column : columns_) headings += padded(column.heading, column.width) + "  ";
    std::cout << coloured(headings, "1") << '\n';
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    bool last = i + 1 == cells.size();
    if (!is_terminal()) std::cout << cells[i] << (last ? "" : "\t");
    else if (last) std::cout << cells[i];
    else if (columns_[i].heading == std::string_view("STATE")) std::cout << state_text(cells[i], columns_[i].width) << "  ";
    else std::cout << padded(cells[i], columns_[i].width) << "  ";
  }
  std::cout << '\n';
}

void print_job(const Json& job) {
  Json submitted = job.value("submittedUSec", Json());
  for (const auto& [name, value] : job.items())
    if (name != "eligibleUSec" || value != submitted) print_member(name, value);  // from the first moment: no news
}

void print_event(const Json& event) {
  std::int64_t usec = event.value("timestampUSec", std::int64_t{0});
  std::string type = value_text(event.value("type", Json("?")));
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03d", static_cast<int>(usec / 1000 % 1000));
  std::string line = coloured(time_text(usec) + fraction, "2") + "  ";
  auto text = [&](const char* name) { return safe_text(value_text(event.value(name, Json("")))); };
  if (type == "output") {
    line += text("stream") + ": " + text("text");
  } else if (type == "progress") {
    auto progress = event.value("progress", Json::object());
    auto share = progress.value("fraction", Json());
    line += "progress " + (share.is_number() ? printed("%.0f%% ", share.get<double>() * 100) : "") + safe_text(value_text(progress.value("text", Json(""))));
  } else if (type == "log") {
    line += "log <" + text("level") + "> " + text("text");
  } else if (type == "event") {
    line += "event " + value_text(event.value("data", Json()));
  } else if (type == "ended") {
    line += "ended: " + state_text(value_text(event.value("state", Json())));
  } else {
    line += type;
  }
  std::cout << line << std::endl;
}

}  // namespace corunctl
