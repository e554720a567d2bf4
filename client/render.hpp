// SPDX-License-Identifier: MIT
// Room: how things look to people: times, states, records, events. Colours, headings and aligned columns on a terminal only; elsewhere fields with tabs
// between them. Nothing here decides what to ask for.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace corunctl {

using Json = nlohmann::ordered_json;  // members in the order in which the daemon sent them

// Whether standard output, resp. standard error, is a terminal; colours also need that NO_COLOR is not set and TERM is not "dumb".
bool is_terminal();
bool is_error_terminal();

// One object of the wire on a line of its own, on standard output.
void print_wire(std::string_view json);

// Local time, "2026-11-20 10:00:01"; "-" for 0.
std::string time_text(std::int64_t usec);

// "42ms", "3.2s", "5min 3s", "2h 10min", "3d 4h".
std::string duration_text(double seconds);

// "1.5 MiB".
std::string bytes_text(double bytes);

// A job's state, coloured on a terminal, and padded to `width`.
std::string state_text(const std::string& state, std::size_t width = 0);

// Text of a job for a terminal: its control characters but tab and newline made visible, so that no record can play with the screen.
std::string safe_text(std::string_view text);

// Why a job ended as it did; empty where there is nothing to say. Of one that was cancelled the reason, which names the job that it came after where that
// is why; of any other its error's message.
std::string end_reason(const Json& job);

// A value as a person writes it: strings as they are, the rest as JSON; "-" for null.
std::string value_text(const Json& value);

struct Column {
  const char* heading;
  std::size_t width;  // on a terminal; longer cells push
};

// Lines of cells, printed as they come.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void row(const std::vector<std::string>& cells);

 private:
  std::vector<Column> columns_;
  bool headed_ = false;
};

// All that a job's record says, as "name: value" lines.
void print_job(const Json& job);

// One line of what happened to a job.
void print_event(const Json& event);

}  // namespace corunctl
