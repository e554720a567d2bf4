// SPDX-License-Identifier: MIT
// One call on its way through a method: what was asked, by whom, and the one way to answer. A method answers at once, or names the job
// whose outcome is the answer, or leaves a coroutine that writes the answer when its turn has come; exactly one of these.
#pragma once

#include <corun/corun.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "daemon/serve/host.hpp"
#include "daemon/serve/outbox.hpp"
#include "daemon/serve/peer.hpp"
#include "daemon/serve/reply_queue.hpp"
#include "daemon/wire/errors.hpp"
#include "daemon/wire/object.hpp"
#include "daemon/wire/reply.hpp"
#include "daemon/wire/request.hpp"

namespace corund::serve {

// An error that is the answer to a call, on its way from a coroutine to the session. Not an aggregate: it may be thrown past co_await.
class MethodError {
 public:
  explicit MethodError(wire::errors::AnyError error) : error_(std::move(error)) {}
  template <class E>
  static MethodError of(const E& error) {
    return MethodError(wire::errors::any(error));
  }
  const wire::errors::AnyError& error() const noexcept { return error_; }

 private:
  wire::errors::AnyError error_;
};

// Where a coroutine of a call writes its replies. Lifetime: the session's; a copy for each coroutine.
class ReplySink {
 public:
  ReplySink(Outbox& outbox, wire::Terminator terminator, bool is_silent) noexcept
      : outbox_(&outbox), terminator_(terminator), is_silent_(is_silent) {}

  // write(JsonWriter&) writes the parameters' members.
  template <class Write>
  void reply(Write&& write, bool continues = false) {
    if (is_silent_) return;
    wire::ReplyBuilder reply(outbox_->buffer(), terminator_, continues);
    write(reply.parameters());
    reply.finish();
  }
  // Sends what was written, and waits while the peer has too much to read.
  corun::Coro<> flush();
  bool is_silent() const noexcept { return is_silent_; }
  wire::Terminator terminator() const noexcept { return terminator_; }
  std::string& buffer() noexcept { return outbox_->buffer(); }

 private:
  Outbox* outbox_;
  wire::Terminator terminator_;
  bool is_silent_;
};

class Call {
 public:
  // of: the session's parts.
  struct Session {
    const Peer& peer;
    Host& host;
    Outbox& outbox;
    ReplyQueue& queue;
    wire::Terminator terminator;
    std::int64_t now_us;
  };
  Call(const wire::Request& asked, const Session& of) noexcept
      : request(asked), peer(of.peer), host(of.host), now_us(of.now_us), outbox_(of.outbox), queue_(of.queue),
        terminator_(of.terminator) {}

  const wire::Request& request;
  const Peer& peer;
  Host& host;
  const std::int64_t now_us;  // of the batch that the call came in

  // Answers at once. write(JsonWriter&) writes the parameters' members.
  template <class Write>
  void reply(Write&& write) {
    if (std::string* out = target()) {
      wire::ReplyBuilder reply(*out, terminator_);
      write(reply.parameters());
      reply.finish();
    }
  }
  void error(const MethodError& error) {
    if (std::string* out = target()) wire::append_error(*out, error.error().name, error.error().parameters, terminator_);
  }
  template <class E>
  void error(const E& error) {
    if (std::string* out = target()) wire::append_error(*out, error, terminator_);
  }
  void invalid(std::string_view parameter) { error(wire::errors::InvalidParameter{std::string(parameter)}); }

  // The job's outcome is the answer; the job is attached to the connection.
  void answer_with_outcome(job::JobRef job);
  // The job's id is the answer, as soon as the job is as safe as it asked for.
  void answer_with_id(job::JobRef job);
  // body writes the answer through sink() when all replies before it are written; a MethodError or any other exception that it throws
  // becomes the answer. attached: a job that ends with the connection.
  void answer_later(corun::Coro<> body, job::JobRef attached = {});
  ReplySink sink() const noexcept { return ReplySink(outbox_, terminator_, request.oneway()); }

  // The job of that id, if it is there and the peer may see it; else the answer is JobNotFound, and null is returned.
  job::Job* find_job(std::string_view id);
  // The same once the parameters were read, of which the id is one that must be there; what is wrong with them is answered.
  job::Job* find_job(wire::ObjectReader& in, std::string_view id);
  // The same for methods whose only parameter is the id.
  job::Job* find_job_by_id_alone();

 private:
  // Where an answer's bytes go now: straight out when nothing is owed before it. Null for a oneway call.
  std::string* target();

  Outbox& outbox_;
  ReplyQueue& queue_;
  wire::Terminator terminator_;
};

}  // namespace corund::serve
