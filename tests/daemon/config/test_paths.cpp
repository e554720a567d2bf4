// SPDX-License-Identifier: MIT
#include "config/paths.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "config/load.hpp"
#include "support/catch.hpp"

using namespace corund::config;

namespace {

// Sets variables for the length of a test, unsets those given as nothing.
class Environment {
 public:
  Environment(std::initializer_list<std::pair<const std::string, std::optional<std::string>>> values) {
    for (const auto& [name, value] : values) {
      const char* old = std::getenv(name.c_str());
      old_[name] = old ? std::optional<std::string>(old) : std::nullopt;
      set(name, value);
    }
  }
  ~Environment() {
    for (const auto& [name, value] : old_) set(name, value);
  }

 Environment(const Environment&) = delete;

 private:
  static void set(const std::string& name, const std::optional<std::string>& value) {
    if (value)
      ::setenv(name.c_str(), value->c_str(), 1);
    else
      ::unsetenv(name.c_str());
  }
  std::map<std::string, std::optional<std::string>> old_;
};

// Runs a check in a child whose effective uid is 1000: what differs between root and a user.
template <class Check>
bool as_user(Check check) {
  if (::geteuid() != 0) return check();
  pid_t child = ::fork();
  if (child == 0) ::_exit(::seteuid(1000) == 0 && check() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0;
}

}  // namespace

TEST_CASE("CORUND_SOCKET says which socket, and then it is the only one tried") {
  Environment env{{"CORUND_SOCKET", "/tmp/mine.sock"}};
  CHECK(default_socket_path() == "/tmp/mine.sock");
  CHECK(client_socket_paths() == std::vector<std::string>{"/tmp/mine.sock"});
}

TEST_CASE("a user's own socket lies in the user's runtime directory, and the client tries the system's after it") {
  Environment env{{"CORUND_SOCKET", {}}, {"XDG_RUNTIME_DIR", "/run/user/1000"}};
  CHECK(as_user([] { return default_socket_path() == "/run/user/1000/corund/corund.sock"; }));
  CHECK(as_user([] {
    return client_socket_paths() ==
           std::vector<std::string>{"/run/user/1000/corund/corund.sock", "/run/corund/corund.sock"};
  }));
  Environment none{{"XDG_RUNTIME_DIR", "relative"}};
  CHECK(as_user([] { return default_socket_path() == "/run/user/" + std::to_string(::geteuid()) + "/corund/corund.sock"; }));
}

TEST_CASE("root's socket and directories are the system's") {
  if (::geteuid() != 0) CORUND_SKIP("needs root");
  Environment env{{"CORUND_SOCKET", {}}, {"STATE_DIRECTORY", {}}, {"RUNTIME_DIRECTORY", {}}};
  CHECK(default_socket_path() == "/run/corund/corund.sock");
  CHECK(client_socket_paths() == std::vector<std::string>{"/run/corund/corund.sock"});
  CHECK(state_directory() == "/var/lib/corund");
  CHECK(runtime_directory() == "/run/corund-daemon");
}

TEST_CASE("systemd's directories win, and of several the first") {
  Environment env{{"STATE_DIRECTORY", "/var/lib/a:/var/lib/b"}, {"RUNTIME_DIRECTORY", "/run/a"}};
  CHECK(state_directory() == "/var/lib/a");
  CHECK(runtime_directory() == "/run/a");
}

TEST_CASE("a user's state and configuration follow XDG") {
  Environment env{{"STATE_DIRECTORY", {}}, {"XDG_STATE_HOME", {}}, {"XDG_CONFIG_HOME", {}}, {"HOME", "/home/ada"}};
  CHECK(as_user([] { return state_directory() == "/home/ada/.local/state/corund"; }));
  CHECK(user_config_path() == "/home/ada/.config/corund/corund.toml");
  Environment other{{"XDG_STATE_HOME", "/s"}, {"XDG_CONFIG_HOME", "/c"}};
  CHECK(as_user([] { return state_directory() == "/s/corund"; }));
  CHECK(user_config_path() == "/c/corund/corund.toml");
}

TEST_CASE("systemd's configuration directory is where a daemon of any uid looks") {
  auto root = std::filesystem::temp_directory_path() / ("corund-paths-" + std::to_string(::getpid()));
  std::filesystem::create_directories(root / "corund");
  std::ofstream(root / "corund" / "corund.toml") << "";
  Environment environment{{"CONFIGURATION_DIRECTORY", (root / "corund").string() + ":/elsewhere"}, {"XDG_CONFIG_HOME", "/c"}};
  CHECK(configuration_directory() == (root / "corund").string());
  CHECK(default_configuration_files() == std::vector<std::string>{(root / "corund" / "corund.toml").string()});
  CHECK(as_user([&] { return default_configuration_files().size() == 1; }));
  std::filesystem::remove_all(root);
}

TEST_CASE("a daemon is its user's own unless root or the system's service manager runs it") {
  Environment none{{"MANAGERPID", {}}, {"SYSTEMD_EXEC_PID", {}}, {"STATE_DIRECTORY", {}}, {"RUNTIME_DIRECTORY", {}}, {"CONFIGURATION_DIRECTORY", {}}};
  CHECK(as_user([] { return is_users_own(); }));  // from a shell
  if (::geteuid() == 0) CHECK_FALSE(is_users_own());
  {
    Environment shell{{"SYSTEMD_EXEC_PID", "1"}};  // of an ancestor
    CHECK(as_user([] { return is_users_own(); }));
  }
  // In the child, whose id it is.
  CHECK(as_user([] {
    ::setenv("SYSTEMD_EXEC_PID", std::to_string(::getpid()).c_str(), 1);
    const bool is_systems = !is_users_own();
    ::setenv("MANAGERPID", "77", 1);
    const bool is_own = is_users_own();
    ::unsetenv("MANAGERPID");
    ::unsetenv("SYSTEMD_EXEC_PID");
    return is_systems && is_own;
  }));
  for (const auto& [name, path] : std::vector<std::pair<std::string, std::string>>{{"STATE_DIRECTORY", "/var/lib/corund:/var/lib/b"},
                                                                                   {"STATE_DIRECTORY", "/var/lib/private/corund"},
                                                                                   {"RUNTIME_DIRECTORY", "/run/corund-daemon"},
                                                                                   {"CONFIGURATION_DIRECTORY", "/etc/corund"}}) {
    INFO(name << "=" << path);
    Environment unit{{name, path}};
    CHECK(as_user([] { return !is_users_own(); }));
    Environment user{{"MANAGERPID", "77"}};  // an account whose home is /var/lib/something has its directories there
    CHECK(as_user([] { return is_users_own(); }));
  }
  for (const auto& [name, path] : std::vector<std::pair<std::string, std::string>>{{"STATE_DIRECTORY", "/home/ada/.local/state/corund"},
                                                                                   {"STATE_DIRECTORY", "/data"},
                                                                                   {"RUNTIME_DIRECTORY", "/run/user/1000/corund-daemon"}}) {
    INFO(name << "=" << path);
    Environment unit{{name, path}};
    CHECK(as_user([] { return is_users_own(); }));
  }
}
