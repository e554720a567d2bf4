// SPDX-License-Identifier: MIT
#include "daemon/wire/call.hpp"

#include "daemon/wire/json.hpp"
#include "daemon/wire/writer.hpp"

namespace corund::wire {

void append_call(std::string& out, std::string_view method, std::string_view parameters, CallFlags flags, Terminator terminator) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.key("method").string(method);
  writer.key("parameters").raw(parameters);
  if (flags.more) writer.key("more").boolean(true);
  if (flags.oneway) writer.key("oneway").boolean(true);
  writer.end_object();
  out.push_back(static_cast<char>(terminator));
}

corun::Result<Reply, FrameFault> parse_reply(const Frame& frame) {
  auto wrong = [&](Member which) { return FrameFault{frame.offset_of(frame.member(which)), FrameFaultReason::wrong_type}; };
  Reply reply;

  std::string_view error = frame.member(Member::error);
  JsonType type = json_type(error);
  if (type == JsonType::string && error.size() > 2 && !has_escape(error)) reply.error = error.substr(1, error.size() - 2);
  else if (type != JsonType::null) return wrong(Member::error);

  std::string_view parameters = frame.member(Member::parameters);
  type = json_type(parameters);
  if (type == JsonType::object) reply.parameters = parameters;
  else if (type != JsonType::null) return wrong(Member::parameters);

  std::string_view continues = frame.member(Member::continues);
  type = json_type(continues);
  if (type == JsonType::boolean) reply.continues = continues.front() == 't';
  else if (type != JsonType::null) return wrong(Member::continues);
  return reply;
}

}  // namespace corund::wire
