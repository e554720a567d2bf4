// SPDX-License-Identifier: MIT
#include "daemon/wire/reply.hpp"

#include <algorithm>

namespace corund::wire {

namespace {

constexpr std::string_view parameters_head = "{\"parameters\":";
constexpr std::string_view error_head = "{\"error\":\"";
constexpr std::string_view error_parameters = "\",\"parameters\":";

// Ends the reply that began at `start`. Where frames end in newlines there may be none inside: what a caller wrote over several lines comes back
// in one. In valid JSON a newline byte is nothing but white space.
void end_frame(std::string& out, std::size_t start, Terminator terminator, bool continues) {
  if (terminator == Terminator::newline)
    std::replace(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), '\n', ' ');
  if (continues) out.append(",\"continues\":true");
  const char tail[] = {'}', static_cast<char>(terminator)};
  out.append(tail, sizeof tail);
}

}  // namespace

void append_reply(std::string& out, std::string_view parameters, Terminator terminator, bool continues) {
  std::size_t start = out.size();
  out.append(parameters_head).append(parameters);
  end_frame(out, start, terminator, continues);
}

void append_error(std::string& out, std::string_view name, std::string_view parameters, Terminator terminator) {
  std::size_t start = out.size();
  out.append(error_head).append(name).append(error_parameters).append(parameters);
  end_frame(out, start, terminator, false);
}

ReplyBuilder::ReplyBuilder(std::string& out, Terminator terminator, bool continues)
    : writer_(out), start_(out.size()), terminator_(terminator), continues_(continues) {
  out.append(parameters_head);
  writer_.begin_object();
}

ReplyBuilder::ReplyBuilder(ErrorTag, std::string& out, std::string_view name, Terminator terminator)
    : writer_(out), start_(out.size()), terminator_(terminator), continues_(false) {
  out.append(error_head).append(name).append(error_parameters);
  writer_.begin_object();
}

ReplyBuilder ReplyBuilder::error(std::string& out, std::string_view name, Terminator terminator) {
  return ReplyBuilder(ErrorTag{}, out, name, terminator);
}

void ReplyBuilder::finish() {
  writer_.end_object();
  end_frame(writer_.buffer(), start_, terminator_, continues_);
}

}  // namespace corund::wire
