// SPDX-License-Identifier: MIT
// corund: reads its options and configuration, and runs the App. One of the three places where exceptions end: here with an exit code.
#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "config/paths.hpp"
#include "daemon/app.hpp"
#include "daemon/failure.hpp"
#include "daemon/sd/listen_fds.hpp"
#include "daemon/sd/notify.hpp"
#include "daemon/sd/turn_away.hpp"
#include "daemon/version.hpp"

namespace {

constexpr int exit_failure = 1;
constexpr int exit_usage = 2;
constexpr int exit_configuration = 6;  // systemd's EXIT_NOTCONFIGURED

struct Options {
  std::string config;
  std::string socket;
  std::string state;
  std::string log_level;
  bool check_config = false;
  bool new_store = false;
  bool version = false;
};

void declare(CLI::App& cli, Options& options) {
  cli.add_option("--config", options.config, "Read this file and nothing else")->type_name("FILE")->take_last();
  cli.add_option("--socket", options.socket, "Listen there")->type_name("PATH")->take_last();
  cli.add_option("--state", options.state, "Keep state there")->type_name("DIR")->take_last();
  cli.add_option("--log-level", options.log_level, "error, warning, notice, info or debug")
      ->type_name("LEVEL")
      ->take_last()
      ->check(CLI::IsMember({"error", "warning", "notice", "info", "debug"}));
  cli.add_flag("--new-store", options.new_store, "Set a store aside that cannot be read, and begin a new one");
  cli.add_flag("--check-config", options.check_config, "Report all faults of the configuration, and exit");
  cli.add_flag("--version", options.version, "Print the version, and exit");
}

corund::config::LogLevel level_of(const std::string& name) {
  using corund::config::LogLevel;
  if (name == "error") return LogLevel::error;
  if (name == "warning") return LogLevel::warning;
  if (name == "notice") return LogLevel::notice;
  return name == "debug" ? LogLevel::debug : LogLevel::info;
}

// As many descriptors as we may have: the soft limit is low for the sake of programs that use select(), which we do not.
// Commands get it back (kinds/exec).
void raise_open_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

void tell_manager(const corund::Failure& failure) {
  corund::sd::Notifier::from_environment().failed(failure.text, failure.error, failure.varlink_error);
}

// Without a restart to follow (RestartPreventExitStatus=), who waits at the sockets is sent away.
int give_up(int status, const corund::Failure& failure, corund::sd::WaitingCallers& waiting) {
  tell_manager(failure);
  waiting.turn_away();
  return status;
}

int run(const Options& options, corund::sd::PassedSockets passed, corund::sd::WaitingCallers& waiting) {
  namespace config = corund::config;
  corund::AppOptions app;
  app.config_file = options.config;
  if (!options.log_level.empty()) app.log_level = level_of(options.log_level);
  auto loaded = corund::read_config(app);
  if (!loaded) {
    for (const auto& fault : loaded.error()) std::fprintf(stderr, "corund: %s\n", config::to_string(fault).c_str());
    return options.check_config ? exit_configuration : give_up(exit_configuration, corund::failure_of(loaded.error()), waiting);
  }
  if (options.check_config) return 0;
  app.passed = std::move(passed);
  app.listen = corund::sd::take_listen_variable();
  config::Config settings = std::move(*loaded);
  app.socket = !options.socket.empty() ? options.socket
               : !settings.socket.path.empty() ? settings.socket.path
                                               : config::default_socket_path();
  // Who starts a daemon for itself does not mean the one store that the user's or the system's daemon has, and has locked; nor does it want
  // to hear of each job beside the replies.
  app.state = !options.state.empty() ? options.state
              : app.is_private() ? ":memory:"
              : !settings.store.path.empty() ? settings.store.path
                                             : config::state_directory();
  if (app.is_private() && !app.log_level) settings.log.level = *(app.log_level = config::LogLevel::warning);
  app.new_store = options.new_store;
  raise_open_files();
  return corund::App(std::move(settings), std::move(app)).run();
}

}  // namespace

int main(int argc, char* argv[]) {
  std::signal(SIGPIPE, SIG_IGN);  // a write to what nobody reads is an error of that write
  CLI::App cli("corund runs jobs on a persistent event loop.", "corund");
  corund::sd::PassedSockets passed = corund::sd::take_listen_fds();
  corund::sd::WaitingCallers waiting;
  for (const auto& socket : passed.listeners) waiting.watch(socket.fd.get());
  Options options;
  declare(cli, options);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : give_up(exit_usage, {error.what()}, waiting);
  }
  if (options.version) {
    std::printf("corund %.*s\n", static_cast<int>(corund::version.size()), corund::version.data());
    return 0;
  }
  try {
    return run(options, std::move(passed), waiting);
  } catch (...) {
    const corund::Failure failure = corund::failure_of(std::current_exception());
    std::fprintf(stderr, "corund: %s\n", failure.text.c_str());
    tell_manager(failure);
    return exit_failure;
  }
}
