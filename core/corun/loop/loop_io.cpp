// SPDX-License-Identifier: MIT
// Why a timerfd of our own and no Asio timer: a wait on one re-arms Asio's timerfd with two system calls and takes a pass of the reactor
// for each expiry; the loop has one heap for all its timers and needs a single wake-up at the earliest. epoll's own time-out is in
// milliseconds, which is too coarse.
#include <fcntl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <corun/loop/loop_io.hpp>
#include <system_error>

namespace corun::detail {
namespace {

int make_timerfd() {
  int fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
  return fd;
}

int duplicate(int fd) {
  int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) throw std::system_error(errno, std::generic_category(), "fcntl(F_DUPFD_CLOEXEC)");
  return copy;
}

}  // namespace

// The mailbox may outlive the loop, so the context has a descriptor of its own on the same eventfd.
LoopIo::LoopIo(LoopCore& owner)
    : core(owner), mail(context, duplicate(owner.mailbox->fd())), timer(context), timer_fd(make_timerfd()) {
  timer.assign(timer_fd);
}

LoopIo::~LoopIo() = default;

void LoopIo::close() noexcept {
  boost::system::error_code ignored;  // the descriptors are gone either way
  mail.close(ignored);
  timer.close(ignored);
}

void LoopIo::start() {
  if (started) return;
  started = true;
  read_mail();
  read_timer();
}

void LoopIo::read_mail() {
  mail.async_read_some(boost::asio::buffer(mail_count), [this](boost::system::error_code ec, std::size_t) {
    if (ec == boost::asio::error::operation_aborted) return;
    core.take_mail();
    read_mail();
  });
}

void LoopIo::read_timer() {
  timer.async_read_some(boost::asio::buffer(timer_count), [this](boost::system::error_code ec, std::size_t) {
    if (ec == boost::asio::error::operation_aborted) return;
    armed.reset();
    read_timer();
  });
}

void LoopIo::arm(time_point earliest) {
  if (armed && *armed <= earliest) return;
  armed = earliest;
  auto ns = std::chrono::duration_cast<nanoseconds>(earliest.time_since_epoch()).count();
  itimerspec spec{};
  spec.it_value.tv_sec = ns / 1'000'000'000;
  spec.it_value.tv_nsec = ns % 1'000'000'000;
  if (spec.it_value.tv_sec == 0 && spec.it_value.tv_nsec == 0) spec.it_value.tv_nsec = 1;  // zero would disarm it
  ::timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &spec, nullptr);
}

}  // namespace corun::detail
