// SPDX-License-Identifier: MIT
// Floor 2. The loop's Asio side: the io_context and the two descriptors of the loop's own, an eventfd (mail, signals) and a timerfd (the
// earliest timer). Only the loop's own sources see this.
#pragma once

#include <array>
#include <corun/base/unique_fd.hpp>
#include <corun/loop/asio.hpp>
#include <corun/loop/loop_core.hpp>
#include <optional>

namespace corun::detail {

// shutdown() is protected in execution_context: it destroys pending operations while the services stay for sockets to die on.
class IoContext : public boost::asio::io_context {
 public:
  IoContext() : boost::asio::io_context(1) {}
  using boost::asio::execution_context::shutdown;
};

struct LoopIo {
  explicit LoopIo(LoopCore& owner);
  ~LoopIo();

  // Gives the loop's own descriptors back. The context stays with the loop's record: what holds the record may still have a descriptor on it.
  void close() noexcept;
  void start();                     // the two reads begin with the first run
  void arm(time_point earliest);    // the timerfd fires then; does nothing where it fires earlier anyway
  void read_mail();
  void read_timer();

  static constexpr int own_operations = 2;

  using Descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

  LoopCore& core;
  IoContext context;
  Descriptor mail;
  Descriptor timer;
  int timer_fd;
  std::optional<time_point> armed;
  bool started = false;
  bool shut_down = false;
  // Larger than the eight bytes that are read, so that Asio sees a short read.
  std::array<std::uint64_t, 2> mail_count{};
  std::array<std::uint64_t, 2> timer_count{};
};

}  // namespace corun::detail
