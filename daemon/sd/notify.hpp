// SPDX-License-Identifier: MIT
// What the service tells its manager. All calls are without effect where nobody listens ($NOTIFY_SOCKET not set), and none of them
// fails the daemon: a manager that cannot be told is no reason not to work. Not thread-safe: the loop's thread.
// Source: sd_notify(3). Written by hand because libsystemd's call blocks while the manager's queue is full.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace corund::sd {

class Notifier {
 public:
  using clock = std::chrono::steady_clock;

  // At $NOTIFY_SOCKET. The variable stays: children are started without it by whoever starts them.
  static Notifier from_environment();
  // At a path or at "@name", an abstract one; empty, or of a kind that is not known: nobody listens.
  explicit Notifier(std::string address = {});

  bool enabled() const { return !address_.empty(); }

  // The service is up; ends a start-up or a reload.
  void ready(std::string_view status);
  // The service takes a new configuration, from now until ready(). The time that goes with it is what a manager with Type=notify-reload (253)
  // tells this reload from a former one by; others ignore it.
  void reloading(std::string_view status);
  // The service begins to stop, and needs `extend` from now until the next message. Starts the unit's stop timeout.
  void stopping(std::string_view status, std::chrono::nanoseconds extend);
  // Needs so much longer, counted from now, whatever it is at (start, stop); never shortens.
  void extend_timeout(std::chrono::nanoseconds extend);
  // Why the service ends by itself, before it does. error: an errno; varlink_error: the full name of one of our errors. 0 and empty: there is none
  // that fits.
  void failed(std::string_view status, int error, std::string_view varlink_error);
  // Gives the manager a copy of a descriptor to keep under that name: the service's next process gets it among its passed sockets, after a restart or
  // a crash that one follows. What it has already is not kept twice.
  void keep(int fd, std::string_view name);
  // Takes back all that is kept under that name.
  void drop(std::string_view name);
  // How many descriptors the manager keeps for this service ($FDSTORE, systemd 254); 0 where it does not say so.
  static std::size_t kept_max();
  // The watchdog's ping. To be called by the loop itself: its going through is what it tells.
  void ping();

  // What systemctl status shows: one line, made valid UTF-8 and cut where too long. Sent only when it changed, and at most once a second: a
  // change within that second is kept for tick(). Other messages that carry a status send at once.
  void status(std::string_view text);
  // Sends the status that was kept, if its time has come. For a timer of the loop.
  void tick();

 private:
  void send(std::string_view message, bool important, int fd = -1);
  std::string with_status(std::string_view message, std::string_view status);

  std::string address_;
  std::string sent_;                         // the status that the manager has
  std::optional<std::string> kept_;          // the one it is to have
  clock::time_point sent_at_ = clock::time_point::min();
};

}  // namespace corund::sd
