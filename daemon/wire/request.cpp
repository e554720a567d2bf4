// SPDX-License-Identifier: MIT
#include "daemon/wire/request.hpp"

#include "daemon/wire/json.hpp"

namespace corund::wire {

namespace {

// A flag's value; absent and null are false. Nothing where it is no boolean.
bool read_flag(std::string_view value, bool& out) noexcept {
  JsonType type = json_type(value);
  if (type == JsonType::boolean) out = value.front() == 't';
  return type == JsonType::boolean || type == JsonType::null;
}

}  // namespace

std::string_view Request::interface_name() const noexcept {
  std::string_view name = method();
  std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
}

std::string_view Request::member_name() const noexcept {
  std::string_view name = method();
  return name.substr(name.rfind('.') + 1);  // npos + 1 is 0
}

corun::Result<Request, FrameFault> parse_request(const Frame& frame) {
  auto wrong = [&](Member which) { return FrameFault{frame.offset_of(frame.member(which)), FrameFaultReason::wrong_type}; };
  std::string_view method = frame.member(Member::method);
  if (method.data() == nullptr) return FrameFault{frame.text_offset, FrameFaultReason::no_method};
  if (json_type(method) != JsonType::string) return wrong(Member::method);

  Request request;
  request.method_ = method.substr(1, method.size() - 2);
  if (has_escape(request.method_)) unescape(request.method_, request.decoded_);

  std::string_view parameters = frame.member(Member::parameters);
  JsonType type = json_type(parameters);
  if (type == JsonType::object) request.parameters_ = parameters;
  else if (type != JsonType::null) return wrong(Member::parameters);

  if (!read_flag(frame.member(Member::more), request.more_)) return wrong(Member::more);
  if (!read_flag(frame.member(Member::oneway), request.oneway_)) return wrong(Member::oneway);
  if (!read_flag(frame.member(Member::upgrade), request.upgrade_)) return wrong(Member::upgrade);
  return request;
}

}  // namespace corund::wire
