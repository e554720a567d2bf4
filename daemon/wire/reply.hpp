// SPDX-License-Identifier: MIT
// Room: the reply, as bytes at the end of a session's output buffer: the envelope and its terminator. What is in it is the method's.
#pragma once

#include "daemon/wire/frame.hpp"
#include "daemon/wire/writer.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace corund::wire {

// In newline mode the newlines of `parameters` become spaces: a reply is one line.

// Appends {"parameters":...}, and "continues":true where more replies to the same call follow. `parameters` is valid JSON text of an object.
void append_reply(std::string& out, std::string_view parameters, Terminator terminator, bool continues = false);

// Appends {"error":name,"parameters":...}. An error is always the last reply to its call.
void append_error(std::string& out, std::string_view name, std::string_view parameters, Terminator terminator);

// Appends one of wire/errors.
template <class E>
void append_error(std::string& out, const E& error, Terminator terminator);

// A reply whose parameters are written in place: begin, write members, finish. Exactly one finish().
//   ReplyBuilder reply(out, terminator);
//   reply.parameters().key("id").string(id);
//   reply.finish();
class ReplyBuilder {
 public:
  ReplyBuilder(std::string& out, Terminator terminator, bool continues = false);
  static ReplyBuilder error(std::string& out, std::string_view name, Terminator terminator);

  // Inside the parameters' object.
  JsonWriter& parameters() noexcept { return writer_; }
  void finish();

 private:
  struct ErrorTag {};
  ReplyBuilder(ErrorTag, std::string& out, std::string_view name, Terminator terminator);

  JsonWriter writer_;
  std::size_t start_;  // of this reply in the buffer
  Terminator terminator_;
  bool continues_;
};

template <class E>
void append_error(std::string& out, const E& error, Terminator terminator) {
  auto reply = ReplyBuilder::error(out, E::name, terminator);
  error.write(reply.parameters());
  reply.finish();
}

}  // namespace corund::wire
