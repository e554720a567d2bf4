// SPDX-License-Identifier: MIT
// Room: the request, a call of a method as the peer meant it. It says what the envelope holds; whether there is such a method is for
// serve/dispatch, what the parameters are for wire/object.
#pragma once

#include "daemon/wire/frame.hpp"

#include <corun/base/result.hpp>

#include <string>
#include <string_view>

namespace corund::wire {

// Lifetime: its views point into the frame's bytes; take copies of what must outlive the read buffer's next change.
class Request {
 public:
  // The full name, "io.corund.Jobs.Run", escapes decoded.
  std::string_view method() const noexcept { return decoded_.empty() ? method_ : std::string_view(decoded_); }
  // "io.corund.Jobs": what stands before the last dot; empty where there is none.
  std::string_view interface_name() const noexcept;
  // "Run": what stands after the last dot, or everything.
  std::string_view member_name() const noexcept;

  // JSON text of an object, valid; "{}" where the call had none, or null.
  std::string_view parameters() const noexcept { return parameters_; }

  bool more() const noexcept { return more_; }
  bool oneway() const noexcept { return oneway_; }
  bool upgrade() const noexcept { return upgrade_; }

 private:
  friend corun::Result<Request, FrameFault> parse_request(const Frame& frame);

  std::string_view method_;
  std::string_view parameters_ = "{}";
  std::string decoded_;  // method_ where it had escapes, which a sane peer never sends
  bool more_ = false;
  bool oneway_ = false;
  bool upgrade_ = false;
};

// Reads a frame as a call. Copies and allocates nothing unless the method's name has escapes. A flag or parameters that are null count as absent.
// Errors: no_method, wrong_type (of method, parameters or a flag): the frame is no call, and the connection is to be closed.
corun::Result<Request, FrameFault> parse_request(const Frame& frame);

}  // namespace corund::wire
