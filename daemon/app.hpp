// SPDX-License-Identifier: MIT
// The daemon: owns its parts, connects them, and says in one function in which order they start and stop.
#pragma once

#include <chrono>
#include <corun/corun.hpp>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "config/changes.hpp"
#include "config/config.hpp"
#include "config/load.hpp"
#include "daemon/job/registry.hpp"
#include "daemon/job/table.hpp"
#include "daemon/kinds/cgroup.hpp"
#include "daemon/run/admission.hpp"
#include "daemon/run/contexts.hpp"
#include "daemon/run/drain.hpp"
#include "daemon/run/groups.hpp"
#include "daemon/run/journal.hpp"
#include "daemon/run/ledger.hpp"
#include "daemon/run/recovery.hpp"
#include "daemon/run/supervisor.hpp"
#include "daemon/sd/listen_fds.hpp"
#include "daemon/sd/log.hpp"
#include "daemon/sd/notify.hpp"
#include "daemon/sd/watchdog.hpp"
#include "daemon/serve/access.hpp"
#include "daemon/serve/host.hpp"
#include "daemon/serve/listener.hpp"
#include "daemon/serve/own_socket.hpp"
#include "daemon/serve/stdio.hpp"
#include "daemon/store/store.hpp"

namespace corund {

struct AppOptions {
  std::string socket;  // the path of the own socket
  std::string state;   // the directory of the store, made where it is not there; ":memory:": nothing is durable
  bool new_store = false;  // a store that cannot be read is set aside
  std::string config_file;                    // the one to read, and to read again; empty: config::default_configuration_files()
  std::optional<config::LogLevel> log_level;  // instead of the configuration's
  sd::PassedSockets passed;
  sd::ListenVariable listen;

  // Started by one peer for itself: connected to it, listening nowhere, over when the peer is gone.
  bool is_private() const { return passed.listeners.empty() && listen.path.empty() && (listen.is_stdio || !passed.connections.empty()); }
};

// The configuration as these options ask for it. Errors: all that is wrong with it.
corun::Result<config::Config, config::Faults> read_config(const AppOptions& options);

// The kinds that the program brings, in one list: reading it tells what there is without plugins.
void add_built_in_kinds(job::Registry& registry, const config::Config& config, std::shared_ptr<kinds::CgroupTree> cgroups = nullptr);

class App final : private serve::Owner {
 public:
  App(config::Config config, AppOptions options);
  ~App();

  // Runs until the first SIGINT or SIGTERM, and then until everything is over: 0. A second signal ends the process by itself.
  // Errors: whatever keeps it from starting (serve::SocketInUse, std::system_error, a plugin that is required), after which nothing is left.
  int run();

 private:
  void load_kinds();
  void name_unknown_kinds();
  void take_cgroups();
  void recover(corun::Loop& loop);
  void close_store();
  void open_sockets(corun::Loop& loop);
  void open_own(const std::string& path);
  void keep_own();
  std::string accept();
  corun::Coro<> serve();
  corun::Coro<> stop();
  corun::Coro<> ping(std::chrono::nanoseconds interval);
  corun::Coro<> tell_manager();
  std::string stop_status() const;
  void report_loop(corun::Loop& loop);
  corun::Result<config::Changes, config::Faults> reload() override;
  void apply(const config::Changes& changes);
  void renew_exec();
  void watch_loop(corun::Loop& loop);
  [[noreturn]] void die_of(int signal);

  config::Config config_;
  AppOptions options_;
  std::unique_ptr<sd::Log> log_;
  sd::Notifier notifier_;
  job::Registry registry_;
  std::vector<job::KindBody> former_bodies_;  // of kinds that a reload has made anew: what was started from them may still run
  job::Table table_;
  std::shared_ptr<kinds::CgroupTree> cgroups_;  // null: none is delegated. Commands that run hold it too
  run::Groups groups_;
  run::Contexts contexts_;
  run::Journal journal_;
  std::unique_ptr<store::Store> store_;  // null: nothing is durable
  run::Ledger ledger_;
  run::Supervisor supervisor_;
  run::Admission admission_;
  run::Drain drain_;
  run::Recovery recovery_;
  corun::Runner runner_;
  std::shared_ptr<corun::ThreadPoolExecutor> executor_;
  serve::Access access_;
  serve::Host host_;
  std::list<serve::OwnSocket> own_sockets_;
  std::optional<serve::Stdio> stdio_;
  std::unique_ptr<serve::Listener> listener_;   // before the runner's loop is gone
  std::unique_ptr<sd::LoopMonitor> monitor_;
  std::optional<corun::AnyTask> pinging_;
  std::optional<corun::Task<>> copying_;    // between stdin, stdout and their session
  std::optional<corun::AnyTask> settling_;  // enters submissions when the disk has them
  bool is_ready_ = false;  // between the start and the stop: a reload is the manager's business only then
  std::optional<corun::time_point> executor_deadline_;  // once the stop waits for threads
};

}  // namespace corund
