// SPDX-License-Identifier: MIT
#include "integration/daemon.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "support/catch.hpp"

namespace tests {

std::ostream& operator<<(std::ostream& out, const Ended& ended) {
  return out << (ended.by_signal ? "killed by signal " : "exit code ") << ended.code;
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "corund-test-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp: " + std::string(std::strerror(errno)));
  path_ = name;
}
TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}
void write_file(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

namespace {

int make_notify_socket(const std::string& path) {
  int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("bind " + path + ": " + std::strerror(errno));
  return fd;
}

pid_t start(const std::vector<std::string>& arguments, const DaemonOptions& options, const std::string& notify, const std::string& log) {
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t pid = ::fork();
  if (pid != 0) return pid;
  int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(fd, 1);
  ::dup2(fd, 2);
  int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, 0);
  ::syscall(SYS_close_range, 3u, ~0u, 0u);
  ::setenv("NOTIFY_SOCKET", notify.c_str(), 1);
  // A sanitized daemon keeps freed memory back, 256 MiB of it: too much to see what the daemon itself keeps.
  const char* asan = ::getenv("ASAN_OPTIONS");
  ::setenv("ASAN_OPTIONS", (std::string(asan ? asan : "") + ":quarantine_size_mb=4").c_str(), 1);
  for (const char* name : {"JOURNAL_STREAM", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC", "CORUND_SOCKET", "STATE_DIRECTORY", "RUNTIME_DIRECTORY",
                           "CONFIGURATION_DIRECTORY", "SYSTEMD_EXEC_PID", "MANAGERPID"})
    ::unsetenv(name);
  for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
  // The test binary ignores SIGPIPE and may have been started with others ignored: a daemon begins with the defaults.
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(number, SIG_DFL);
  if (options.user != 0 && (::setgroups(0, nullptr) != 0 || ::setgid(options.user) != 0 || ::setuid(options.user) != 0)) ::_exit(126);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

Daemon::Daemon(DaemonOptions options) : socket_(directory_ / "s") {
  std::filesystem::create_directory(directory_ / "plugins");
  if (options.with_probe) options.more_plugins.push_back(PROBE_PLUGIN);
  for (const auto& file : options.more_plugins)
    std::filesystem::create_symlink(file, directory_ / ("plugins/" + std::filesystem::path(file).filename().string()));
  // Keys outside any table come first; a test's own tables follow.
  std::string config = options.config;
  if (config.find("[plugins]") == std::string::npos) config += "\n[plugins]\n";
  config.insert(config.find("[plugins]") + 9, "\ndirectories = [\"" + (directory_ / "plugins") + "\"]");
  write_file(directory_ / "corund.toml", config);

  if (!options.log_is_read) {
    REQUIRE(::mkfifo((directory_ / "log").c_str(), 0600) == 0);
    log_fd_ = ::open((directory_ / "log").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  notify_fd_ = make_notify_socket(directory_ / "notify");
  if (options.user != 0)
    for (const char* name : {".", "notify", "corund.toml"}) REQUIRE(::chown((directory_ / name).c_str(), options.user, options.user) == 0);
  std::vector<std::string> arguments = {CORUND_BINARY, "--config", directory_ / "corund.toml", "--socket", socket_,
                                        "--state", directory_ / "state"};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  pid_ = start(arguments, options, directory_ / "notify", directory_ / "log");
  if (options.wait_until_ready) wait_for_notification("READY=1");
}

Daemon::~Daemon() {
  if (!ended_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (notify_fd_ >= 0) ::close(notify_fd_);
  if (log_fd_ >= 0) ::close(log_fd_);
}

void Daemon::signal(int number) const { REQUIRE(::kill(pid_, number) == 0); }

bool Daemon::is_running() {
  if (ended_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  ended_ = WIFSIGNALED(status) ? killed_by(WTERMSIG(status)) : exited(WEXITSTATUS(status));
  return false;
}

Ended Daemon::wait() {
  INFO("the daemon's log:\n" << (log_fd_ < 0 ? log() : read_log()));
  if (!ended_) {
    int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0u));
    pollfd event{fd, POLLIN, 0};
    int ready = ::poll(&event, 1, static_cast<int>(std::chrono::milliseconds(patience).count()));
    ::close(fd);
    REQUIRE(ready == 1);
  }
  REQUIRE_FALSE(is_running());
  return *ended_;
}

std::string Daemon::wait_for_notification(const std::string& line) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    pollfd event{notify_fd_, POLLIN, 0};
    int ready = ::poll(&event, 1, 50);
    if (ready == 1) {
      std::string text(8192, '\0');
      ssize_t n = ::recv(notify_fd_, text.data(), text.size(), 0);
      text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
      if (("\n" + text).find("\n" + line) != std::string::npos) return text;
      continue;
    }
    if (!is_running() || std::chrono::steady_clock::now() > until) {
      INFO("the daemon's log:\n" << (log_fd_ < 0 ? log() : read_log()));
      FAIL("no notification " << line);
    }
  }
}

std::string Daemon::last_notification() {
  REQUIRE_FALSE(is_running());
  std::string last;
  for (;;) {
    std::string text(8192, '\0');
    const ssize_t n = ::recv(notify_fd_, text.data(), text.size(), MSG_DONTWAIT);
    if (n < 0) return last;
    text.resize(static_cast<std::size_t>(n));
    last = text;
  }
}

std::string Daemon::read_log() const {
  std::string text(1 << 20, '\0');
  const ssize_t n = ::read(log_fd_, text.data(), text.size());
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

bool Daemon::logs(const std::string& text) const {
  return eventually([&] { return log().find(text) != std::string::npos; }, 10s);
}

namespace {

std::size_t count_entries(const std::string& directory) {
  DIR* dir = ::opendir(directory.c_str());
  REQUIRE(dir != nullptr);
  std::size_t count = 0;
  while (const dirent* entry = ::readdir(dir))
    if (entry->d_name[0] != '.') ++count;
  ::closedir(dir);
  return count;
}

}  // namespace

std::size_t Daemon::fds() const { return count_entries("/proc/" + std::to_string(pid_) + "/fd"); }
std::size_t Daemon::threads() const { return count_entries("/proc/" + std::to_string(pid_) + "/task"); }

std::vector<pid_t> Daemon::children() const {
  std::vector<pid_t> all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task")) {
    std::istringstream list(read_file(entry.path().string() + "/children"));
    for (pid_t child; list >> child;) all.push_back(child);
  }
  return all;
}

std::size_t Daemon::rss_kib() const {
  std::istringstream status(read_file("/proc/" + std::to_string(pid_) + "/status"));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  return 0;
}

}  // namespace tests
