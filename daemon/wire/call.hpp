// SPDX-License-Identifier: MIT
// Room: the client's half of the codec: a call as bytes, a frame as a reply. The same scanner cuts the stream in both directions.
#pragma once

#include "daemon/wire/frame.hpp"

#include <corun/base/result.hpp>

#include <string>
#include <string_view>

namespace corund::wire {

struct CallFlags {
  bool more = false;
  bool oneway = false;
};

// Appends {"method":...,"parameters":...} and the flags that are set. `parameters` is valid JSON text of an object.
void append_call(std::string& out, std::string_view method, std::string_view parameters, CallFlags flags = {},
                 Terminator terminator = Terminator::nul);

// Lifetime: its views point into the frame's bytes.
struct Reply {
  std::string_view error;            // the error's full name; empty: none
  std::string_view parameters = "{}";  // JSON text of an object
  bool continues = false;            // more replies to the same call follow
};

// Reads a frame as a reply. null counts as absent.
// Errors: wrong_type, of error (an escape in its name included), parameters or continues: what answers is no varlink service.
corun::Result<Reply, FrameFault> parse_reply(const Frame& frame);

}  // namespace corund::wire
