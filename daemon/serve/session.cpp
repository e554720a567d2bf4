// SPDX-License-Identifier: MIT
// Three tasks in a group. The reader takes what the socket has, hands the calls of that batch to their methods, and itself writes all
// replies that are ready by then: for calls whose jobs end at once that is one read and one write for the whole batch, and the
// writer never wakes. The writer waits for what is not ready, in the order of the calls. The third waits for the hang-up only, since a
// paused reader would not see it.
//
// The descriptor is asked for readiness only, and read by hand: one buffer serves all sessions, so an idle one keeps no memory for bytes that do
// not come.
//
// At the daemon's end no call falls between two stools: the socket takes nothing more from then on, so that a peer that comes later sees that
// its call was never taken, and what it holds already is read and answered.
#include "daemon/serve/session.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "daemon/run/clock.hpp"
#include "daemon/serve/dispatch.hpp"
#include "daemon/serve/methods/record.hpp"

namespace corund::serve {
namespace {

constexpr int reads_in_a_row = 8;  // of a full buffer each, before the others get a pass

wire::FrameLimits frame_limits(const config::LimitsConfig& limits) {
  wire::FrameLimits out;
  out.frame_bytes_max = limits.frame_bytes;
  out.depth_max = static_cast<std::uint32_t>(limits.json_depth);
  return out;
}

}  // namespace

Session::Session(corun::UniqueFd socket, Peer peer, Host& host, ReadBuffer& shared, corun::Loop& loop)
    : host_(host),
      peer_(std::move(peer)),
      shared_(shared),
      socket_(loop.io_context(), socket.get()),
      outbox_(socket_, host.config.limits.unread_reply_bytes, host.config.limits.unread_reply_timeout),
      scanner_(frame_limits(host.config.limits)) {
  socket.release();
}

corun::Coro<> Session::serve() {
  std::exception_ptr error;
  try {
    co_await corun::task_group([this](corun::TaskGroup& group) -> corun::Coro<> {
      group_ = &group;
      corun::AnyTask reader = group.create_task(read(), {.name = "session: reader"});
      corun::AnyTask hangup = group.create_task(watch_hangup(), {.name = "session: hang-up"});
      co_await write();
      reader.cancel();
      hangup.cancel();
    });
  } catch (...) {
    error = std::current_exception();
  }
  group_ = nullptr;
  cancel_attached();
  queue_.clear();
  if (!error) co_return;
  try {
    std::rethrow_exception(error);
  } catch (const corun::CancelledError&) {
    throw;
  } catch (const corun::ExceptionGroup& group) {
    for (const auto& inner : group.exceptions()) report(inner);
  } catch (...) {
    report(error);
  }
}

void Session::report(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const PeerGone& gone) {
    host_.journal.log().write(sd::LogLevel::debug, std::string("connection dropped: ") + gone.why(), {},
                              {sd::Field("CORUND_PEER_PID", peer_.pid), sd::Field("CORUND_PEER_UID", peer_.uid)});
  } catch (const std::exception& fault) {
    host_.journal.log().write(sd::LogLevel::error, std::string("connection failed: ") + fault.what(), {},
                              {sd::Field("CORUND_PEER_PID", peer_.pid), sd::Field("CORUND_PEER_UID", peer_.uid)});
  }
}

void Session::finish() {
  is_finishing_ = true;
  (void)::shutdown(socket_.native_handle(), SHUT_RD);  // the reader comes to the end of its input, behind what had arrived
}

void Session::cancel_attached() {
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    Slot& slot = queue_.at(i);
    if (slot.job && slot.cancels_job) host_.admission.cancel(*slot.job, "its caller is gone");
  }
}

bool Session::is_paused() const noexcept {
  return queue_.size() >= host_.config.limits.requests_in_flight || outbox_.full();
}

// ---- reading

ssize_t Session::receive() {
  for (;;) {
    ssize_t n = ::recv(socket_.native_handle(), shared_.data(), shared_.size(), MSG_DONTWAIT);
    if (n >= 0 || errno != EINTR) return n;
  }
}

void Session::check_hangup() {
  struct pollfd state {socket_.native_handle(), 0, 0};
  if (::poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR | POLLNVAL))) throw PeerGone("it hung up");
}

corun::Coro<> Session::readable() {
  if (!scanner_.is_inside_frame()) {
    co_await socket_.async_wait(Descriptor::wait_read, corun::use_coro);
    co_return;
  }
  // Somebody who begins a frame and does not go on holds memory of ours: not for ever. A frame that comes slowly is bounded by its length.
  const auto limit = host_.config.limits.partial_frame_timeout;
  try {
    co_await corun::timeout(limit, [this](corun::Timeout&) -> corun::Coro<> {
      co_await socket_.async_wait(Descriptor::wait_read, corun::use_coro);
    });
  } catch (const corun::TimeoutError&) {
    refuse({partial_.size(), wire::FrameFaultReason::stalled, run::seconds(limit)});
    partial_ = std::string();
  }
}

// Gives the complete frames of what was received to their methods. False: paused, and there may be more of them.
bool Session::take_frames(std::string_view fresh) {
  const bool in_partial = !partial_.empty();
  if (in_partial) partial_.append(fresh);
  const std::string_view bytes = in_partial ? std::string_view(partial_) : fresh;
  std::size_t done = 0;
  bool all_taken = true;
  while (!is_over_) {
    if (is_paused()) {
      all_taken = done == bytes.size();
      break;
    }
    wire::Scan scan = scanner_.feed(bytes.substr(done));
    if (scan.status == wire::ScanStatus::bad) refuse(scanner_.fault());
    if (scan.status == wire::ScanStatus::frame) take_call(scanner_.frame());
    done += scan.consumed;
    if (scan.status == wire::ScanStatus::need_more) break;
  }
  if (is_over_)
    partial_.clear();
  else if (in_partial)
    partial_.erase(0, done);
  else
    partial_.assign(bytes.substr(done));
  if (partial_.empty() && partial_.capacity() > shared_.size()) partial_ = std::string();  // a large frame is not remembered
  return all_taken;
}

void Session::take_call(const wire::Frame& frame) {
  auto request = wire::parse_request(frame);
  if (!request) return refuse(request.error());
  Call call(*request, {peer_, host_, outbox_, queue_, scanner_.terminator(), now_us_});
  dispatch(call);
}

void Session::refuse(const wire::FrameFault& fault) {
  Slot& slot = queue_.push();
  slot.kind = Slot::Kind::text;
  wire::append_error(slot.text, wire::errors::BadFrame{fault}, scanner_.terminator());
  is_over_ = true;
}

corun::Coro<> Session::read() {
  int reads = 0;
  for (;;) {
    while (is_paused() && !is_over_) {
      if (outbox_.full())
        co_await outbox_.room();
      else
        co_await resumed_.wait();
    }
    bool all_taken = partial_.empty() || take_frames({});
    ssize_t n = 0;
    if (all_taken && !is_over_) {
      n = receive();
      if (n < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) throw PeerGone("a read failed");
        reads = 0;
        co_await readable();
        continue;
      }
      if (n == 0) break;
      now_us_ = run::now_us();
      all_taken = take_frames({shared_.data(), static_cast<std::size_t>(n)});
    }
    write_ready();
    if (is_over_) co_return;
    if (++reads == reads_in_a_row) {
      reads = 0;
      co_await corun::sleep(std::chrono::seconds(0));
    } else if (all_taken && static_cast<std::size_t>(n) < shared_.size()) {
      reads = 0;
      co_await readable();  // a short read has emptied the socket: asking it again would only say so
    }
  }
  check_hangup();
  if (scanner_.is_inside_frame() && !is_finishing_) refuse({partial_.size(), wire::FrameFaultReason::unfinished});
  is_over_ = true;
  write_ready();
}

corun::Coro<> Session::watch_hangup() {
  // The kernel is asked again: an event that was meant for a connection closed in this very pass may reach the one that has its place by now.
  for (;;) {
    co_await socket_.async_wait(Descriptor::wait_error, corun::use_coro);
    check_hangup();
  }
}

// ---- writing

// Writes the replies that are ready, in order, and sends what the socket takes; leaves the rest to the writer.
void Session::write_ready() {
  while (!queue_.empty() && !outbox_.full()) {
    Slot& slot = queue_.front();
    if (slot.kind == Slot::Kind::text) {
      outbox_.buffer() += slot.text;
    } else if (slot.kind == Slot::Kind::outcome && slot.job->is_settled()) {
      if (!slot.is_silent) write_outcome(outbox_.buffer(), host_, *slot.job, scanner_.terminator());
    } else if (slot.kind == Slot::Kind::id && is_acknowledged(*slot.job)) {
      if (!slot.is_silent) write_acknowledgement(outbox_.buffer(), host_, *slot.job, scanner_.terminator());
    } else {
      break;
    }
    queue_.pop();
  }
  // What the socket does not take now goes out by itself: the writer may be waiting for a job meanwhile.
  if (!outbox_.send() && outbox_.needs_drain()) (void)group_->create_task(outbox_.drain());
  if (!queue_.empty() || is_over_) owed_.notify();
}

corun::Coro<> Session::write() {
  for (;;) {
    write_ready();
    if (!is_paused()) resumed_.notify();
    if (queue_.empty()) {
      if (is_over_ && outbox_.empty()) co_return;
      if (is_over_)
        co_await outbox_.drained().wait();
      else
        co_await owed_.wait();
    } else if (outbox_.full()) {
      co_await outbox_.room();
    } else if (queue_.front().kind == Slot::Kind::body) {
      co_await write_body();
    } else {
      job::JobRef job = queue_.front().job;
      co_await job->changed.wait();
    }
  }
}

corun::Coro<> Session::write_body() {
  Slot& slot = queue_.front();  // not to be used past the await: the queue may grow
  corun::Coro<> body = std::move(*slot.body);
  const bool is_silent = slot.is_silent;
  slot.body.reset();
  try {
    co_await std::move(body);
  } catch (const MethodError& error) {
    if (!is_silent)
      wire::append_error(outbox_.buffer(), error.error().name, error.error().parameters, scanner_.terminator());
  }
  queue_.pop();
}

}  // namespace corund::serve
