// SPDX-License-Identifier: MIT
#include "integration/own_journal.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "integration/daemon.hpp"
#include "support/catch.hpp"

namespace tests {
namespace {

constexpr const char* journald_path = "/lib/systemd/systemd-journald";
constexpr const char* native_socket = "/run/systemd/journal/socket";

// A connected socket of journald's, or none.
corun::UniqueFd connected() {
  corun::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, native_socket, sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

}  // namespace

OwnJournal::OwnJournal() {
  why_not_ = move_in();
  if (why_not_.empty()) start();
}

std::string OwnJournal::move_in() {
  if (::geteuid() != 0) return "needs root";
  if (::access(journald_path, X_OK) != 0) return "no systemd-journald here";
  corun::UniqueFd home(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  directory_.reset(::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!home || ::unshare(CLONE_NEWNS) != 0) return std::string("no mount namespace: ") + std::strerror(errno);
  home_ = std::move(home);
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 || ::mount("tmpfs", "/run", "tmpfs", 0, "mode=755") != 0 ||
      ::mount("tmpfs", "/var/log", "tmpfs", 0, "mode=755") != 0)
    return std::string("no file systems of its own: ") + std::strerror(errno);
  std::filesystem::create_directories("/run/systemd/journal");
  return {};
}

OwnJournal::~OwnJournal() {
  stop();
  if (!home_) return;
  (void)!::setns(home_.get(), CLONE_NEWNS);
  (void)!::fchdir(directory_.get());
}

void OwnJournal::start() {
  journald_ = ::fork();
  if (journald_ == 0) {
    int null = ::open("/dev/null", O_RDWR);
    for (int fd : {0, 1, 2}) ::dup2(null, fd);
    ::unsetenv("NOTIFY_SOCKET");
    ::execl(journald_path, journald_path, nullptr);
    ::_exit(127);
  }
  if (!eventually([] { return static_cast<bool>(connected()); })) why_not_ = "systemd-journald does not start";
}

void OwnJournal::stop() {
  if (journald_ <= 0) return;
  resume();
  ::kill(journald_, SIGTERM);
  ::waitpid(journald_, nullptr, 0);
  journald_ = -1;
}

void OwnJournal::restart() {
  stop();
  start();
  REQUIRE(why_not_ == "");
}

void OwnJournal::pause() { REQUIRE(::kill(journald_, SIGSTOP) == 0); }
void OwnJournal::resume() { REQUIRE(::kill(journald_, SIGCONT) == 0); }

void OwnJournal::send_as(uid_t user, const std::string& entry) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool is_sent = ::setresuid(user, user, user) == 0 && ::send(connected().get(), entry.data(), entry.size(), 0) > 0;
    ::_exit(is_sent ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
}

}  // namespace tests
