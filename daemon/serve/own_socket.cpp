// SPDX-License-Identifier: MIT
#include "daemon/serve/own_socket.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace corund::serve {
namespace {

[[noreturn]] void fail(const std::string& what, int error = errno) {
  throw std::system_error(error, std::generic_category(), what);
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) fail("socket path '" + path + "' is longer than a socket's may be", ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

void make_directory(const std::string& path) {
  auto directory = std::filesystem::path(path).parent_path();
  if (directory.empty()) return;
  std::error_code error;
  if (std::filesystem::is_directory(directory, error)) return;
  mode_t before = ::umask(0077);
  std::filesystem::create_directories(directory, error);
  ::umask(before);
  if (error) fail("cannot make the directory '" + directory.string() + "'", error.value());
}

// Throws where somebody listens at the path, also one who knows nothing of the lock; gives the errno of who tried to connect otherwise.
int refuse_if_in_use(const std::string& path, const sockaddr_un& address) {
  corun::UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) fail("socket");
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EAGAIN) return errno;
  struct ucred other {};
  socklen_t size = sizeof other;
  bool is_known = ::getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &other, &size) == 0 && other.pid > 0;
  throw SocketInUse("socket '" + path + "' is in use" + (is_known ? " by pid " + std::to_string(other.pid) : ""));
}

corun::UniqueFd take_lock(const std::string& path, const sockaddr_un& address) {
  const std::string name = path + ".lock";
  corun::UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) {
    const int error = errno;
    refuse_if_in_use(path, address);  // a manager's socket, in a directory where only the manager may write
    fail("cannot open '" + name + "'", error);
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail("cannot lock '" + name + "'");
    char text[32] = {};
    ssize_t n = ::pread(fd.get(), text, sizeof text - 1, 0);
    std::string pid(text, n > 0 ? static_cast<std::size_t>(n) : 0);
    throw SocketInUse("socket '" + path + "' is in use by another corund" + (pid.empty() ? "" : ", pid " + pid));
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) fail("cannot write '" + name + "'");
  return fd;
}

// A file there that is no socket is nobody's to replace.
void check_free(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return;
    fail("socket path '" + path + "'");
  }
  if (!S_ISSOCK(status.st_mode)) fail("'" + path + "' is there and is no socket", EEXIST);
  if (const int error = refuse_if_in_use(path, address); error != ECONNREFUSED) fail("socket path '" + path + "'", error);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail("cannot replace the stale socket '" + path + "'");
}

// Whether who connects to the address reaches that socket: who listens there is who the socket itself says it was listened at by. The probe's
// connection is found closed by whoever accepts it.
bool leads_to(const sockaddr_un& address, int listening) {
  corun::UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe || ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
  struct ucred there {}, here {};
  socklen_t size = sizeof there;
  if (::getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &there, &size) != 0) return false;
  size = sizeof here;
  return ::getsockopt(listening, SOL_SOCKET, SO_PEERCRED, &here, &size) == 0 && there.pid == here.pid;
}

corun::UniqueFd bind_to(const std::string& path, const sockaddr_un& address) {
  corun::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) fail("socket");
  mode_t before = ::umask(0177);  // nobody else gets in before mode and group are set
  int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  int error = errno;
  ::umask(before);
  if (bound != 0) fail("cannot bind socket '" + path + "'", error);
  return fd;
}

}  // namespace

OwnSocket::OwnSocket(std::string path, const config::SocketConfig& settings, corun::UniqueFd kept) : path_(std::move(path)) {
  sockaddr_un address = address_of(path_);
  make_directory(path_);
  lock_ = take_lock(path_, address);
  if (kept && leads_to(address, kept.get())) {
    fd_ = std::move(kept);
    was_kept_ = true;
  } else {
    kept.reset();  // or it would be what is found in use
    check_free(path_, address);
    fd_ = bind_to(path_, address);
  }
  struct stat status {};
  if (::lstat(path_.c_str(), &status) == 0) {
    device_ = status.st_dev;
    inode_ = status.st_ino;
    is_bound_ = true;
  }
  if (!settings.group.empty()) {
    const struct group* entry = ::getgrnam(settings.group.c_str());
    if (!entry) fail("socket group '" + settings.group + "' is not there", ENOENT);
    if (::chown(path_.c_str(), static_cast<uid_t>(-1), entry->gr_gid) != 0) fail("cannot give socket '" + path_ + "' its group");
  }
  if (::chmod(path_.c_str(), settings.mode) != 0) fail("cannot set the mode of socket '" + path_ + "'");
  if (::listen(fd_.get(), static_cast<int>(settings.backlog)) != 0) fail("cannot listen at socket '" + path_ + "'");
}

OwnSocket::~OwnSocket() { remove(); }

void OwnSocket::remove() noexcept {
  struct stat status {};
  if (!is_bound_) return;
  is_bound_ = false;
  if (!stays_ && ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) ::unlink(path_.c_str());
  ::unlink((path_ + ".lock").c_str());  // under the lock: who waits for it takes the path anew
}

}  // namespace corund::serve
