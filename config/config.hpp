// SPDX-License-Identifier: MIT
// The daemon's configuration as typed values. Whoever reads a setting reads it here, with its unit in its type; a member that
// nothing reads has no business here. What a value may be and how it is written in TOML is schema.cpp's, where the files lie is
// load.hpp's. Equality is memberwise, so that a reload can tell what changed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace corund::config {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

inline constexpr std::size_t kib = 1024;
inline constexpr std::size_t mib = 1024 * kib;

// How the event loop watches itself.
struct RunnerConfig {
  bool debug = false;                  // asyncio's debug mode: slow steps, creation places
  nanoseconds slow_callback = 100ms;   // debug: report a step that took longer
  bool operator==(const RunnerConfig&) const = default;
};

// The socket that the daemon makes itself; one that systemd passes in comes with its own settings.
struct SocketConfig {
  std::string path;            // empty: paths.hpp's default_socket_path()
  mode_t mode = 0660;
  std::string group;           // empty: the daemon's own
  std::size_t backlog = 4096;  // connections that wait to be accepted; the kernel's somaxconn caps it
  bool operator==(const SocketConfig&) const = default;
};

// Users and groups by their ids, sorted.
struct Accounts {
  bool everybody = false;
  std::vector<uid_t> users;
  std::vector<gid_t> groups;
  bool operator==(const Accounts&) const = default;
};

// Who may do what, of those who can connect. Root may everything.
struct AccessConfig {
  Accounts view;                              // see all jobs
  Accounts submit = {true, {}, {}};           // run jobs, see and end their own
  Accounts admin;                             // everything
  std::map<std::string, Accounts> kinds;      // who of `submit` may run jobs of that kind; one that is not in it: all of them
  bool operator==(const AccessConfig&) const = default;
};

// All that a peer can make grow.
struct LimitsConfig {
  std::size_t frame_bytes = 16 * mib;                // one call, as received; varlinkctl's own limit
  std::size_t json_depth = 512;                      // nesting of objects and arrays
  std::size_t args_bytes = 4 * mib;                  // `args` of one job
  std::size_t requests_in_flight = 1024;             // calls of one session whose reply is owed; past it the session is not read
  std::size_t sessions = 4096;                       // connections in all
  std::size_t sessions_per_uid = 2048;
  std::size_t jobs_queued = 1'000'000;               // jobs accepted and not yet started, in all
  std::size_t jobs_queued_per_uid = 1'000'000;
  std::size_t output_bytes = 64 * kib;               // kept of each of a command's two streams, the end of it
  std::size_t watchers_per_job = 64;
  std::size_t log_readers = 64;                      // calls of Logs that are answered at one time, each by a thread
  std::size_t contexts_per_uid = 16;                 // named contexts
  std::size_t groups = 1024;                         // in all, the configured ones among them
  std::size_t unread_changes = 8192;                 // changes of jobs that wait for a caller of Subscribe
  nanoseconds partial_frame_timeout = 30s;           // of a frame begun and not ended, in which nothing more of it comes
  std::size_t unread_reply_bytes = 1 * mib;          // replies owed to a session that does not read; past it the session is paused
  nanoseconds unread_reply_timeout = 30s;            // paused for so long without reading a byte: dropped
  bool operator==(const LimitsConfig&) const = default;
};

// How many jobs of a group run at once.
struct GroupConfig {
  std::size_t limit = 1;
  bool operator==(const GroupConfig&) const = default;
};

struct JobsConfig {
  nanoseconds grace = 10s;       // between cancel and escalation, where neither job nor kind says
  std::size_t kept = 100'000;             // records of ended durable jobs, the latest; on disk
  nanoseconds kept_for = 168h;            // and no longer than this, the others too
  std::size_t kept_in_memory = 10'000;    // records of ended jobs that are not durable
  nanoseconds context_idle = 1h;          // a named context that no job has run in for so long is dropped
  bool operator==(const JobsConfig&) const = default;
};

// Where durable jobs are kept.
struct StoreConfig {
  std::string path;  // a directory; empty: paths.hpp's state_directory(). ":memory:": nothing is durable
  bool operator==(const StoreConfig&) const = default;
};

// The kind `exec`.
struct ExecConfig {
  std::string shell = "/bin/sh";      // runs `shell` as: SHELL -c TEXT
  std::size_t line_bytes = 48 * kib;  // a longer line of output is cut into lines of this length
  std::size_t output_rate = 1000;     // lines a second of one job that the log takes; a line counts once more for each KiB
  std::size_t output_burst = 5000;    // and so many at once; what is more is counted. Record and watchers get it all the same
  bool operator==(const ExecConfig&) const = default;
};

struct StopConfig {
  nanoseconds grace = 30s;  // for running jobs to finish by themselves; 0 cancels them at once
  bool operator==(const StopConfig&) const = default;
};

struct PluginsConfig {
  std::vector<std::string> directories = {"/usr/local/lib/corund", "/usr/lib/corund"};  // one that is not there is passed over
  bool required = false;                                            // a plugin that cannot be loaded: do not start
  bool operator==(const PluginsConfig&) const = default;
};

// Values are syslog's.
enum class LogLevel : int { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };
enum class LogTarget { automatic, journal, console, null };  // automatic: the journal iff stderr is connected to it

struct LogConfig {
  LogLevel level = LogLevel::info;
  LogTarget target = LogTarget::automatic;
  std::size_t attached_rate = 100;   // records a second for attached coroutine jobs that succeeded; past it they are counted
  std::size_t queue_records = 8192;  // waiting for the log's writer; past it they are dropped and counted
  bool operator==(const LogConfig&) const = default;
};

struct ExecutorConfig {
  nanoseconds drain_timeout = 5min;  // at the stop, for thread functions that still run
  std::size_t max_workers = 0;       // 0: min(32, CPUs + 4)
  bool operator==(const ExecutorConfig&) const = default;
};

struct WatchdogConfig {
  std::optional<nanoseconds> slow_step;  // a step that runs longer is named in the log; unset: half of systemd's watchdog period, 5 s without one
  bool operator==(const WatchdogConfig&) const = default;
};

struct Config {
  RunnerConfig runner;
  SocketConfig socket;
  AccessConfig access;
  LimitsConfig limits;
  std::map<std::string, GroupConfig> groups = default_groups();  // always holds `default` and `exec`
  JobsConfig jobs;
  ExecConfig exec;
  StopConfig stop;
  StoreConfig store;
  PluginsConfig plugins;
  LogConfig log;
  ExecutorConfig executor;
  WatchdogConfig watchdog;
  bool operator==(const Config&) const = default;

  // `default`: as many jobs as memory carries. `exec`: as many commands as this process may use CPUs.
  static std::map<std::string, GroupConfig> default_groups();
};

}  // namespace corund::config
