// SPDX-License-Identifier: MIT
// A real corund of a test's own: in a directory of its own, ready when the constructor returns, gone after the destructor.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tests {

using namespace std::chrono_literals;

// How a process ended.
struct Ended {
  bool by_signal = false;
  int code = 0;  // the exit code or the signal
  bool operator==(const Ended&) const = default;
};
inline Ended exited(int code) { return {false, code}; }
inline Ended killed_by(int signal) { return {true, signal}; }
std::ostream& operator<<(std::ostream& out, const Ended& ended);

// Everything here gives up after so long; under sanitizers things take longer.
inline constexpr auto patience = 60s;

// Whether the condition came true in time. For what happens in another process and sends no event.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = patience);

class TempDir {
 public:
  TempDir();
  ~TempDir();
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& text);

struct DaemonOptions {
  std::string config;                     // TOML, beside what the test needs itself
  std::vector<std::string> arguments;     // beside --config and --socket
  bool with_probe = true;                 // the probe plugin is in its directory
  std::vector<std::string> more_plugins;  // files
  std::vector<std::pair<std::string, std::string>> environment;  // beside the test's own
  uid_t user = 0;                         // who it runs as, where the tests are run by root; the group has the same number
  bool wait_until_ready = true;
  bool log_is_read = true;                // false: what it logs stands still, up to read_log()
};

class Daemon {
 public:
  explicit Daemon(DaemonOptions options = {});
  ~Daemon();  // SIGKILL, where it still runs
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& socket() const { return socket_; }
  TempDir& directory() { return directory_; }

  void signal(int number) const;
  // Its end; fails the test where it does not come in time.
  Ended wait();
  bool is_running();
  // The next message to the service manager that begins a line with this, "READY=1" say; fails the test where it does not come in time.
  std::string wait_for_notification(const std::string& line);
  // The last message to the service manager of a daemon that has ended.
  std::string last_notification();

  // What it wrote to stderr so far.
  std::string log() const { return read_file(directory_ / "log"); }
  bool logs(const std::string& text) const;  // eventually
  // What waits in the log that nobody reads.
  std::string read_log() const;

  // Counted from outside.
  std::size_t fds() const;
  std::size_t threads() const;
  std::vector<pid_t> children() const;
  std::size_t rss_kib() const;

 private:
  TempDir directory_;
  std::string socket_;
  int notify_fd_ = -1;
  int log_fd_ = -1;  // of a log that is not read
  pid_t pid_ = -1;
  std::optional<Ended> ended_;
};

}  // namespace tests
