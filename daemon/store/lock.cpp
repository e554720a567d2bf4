// SPDX-License-Identifier: MIT
#include "daemon/store/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "daemon/store/trouble.hpp"

namespace corund::store {
namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  throw StoreError(error == ENOSPC || error == EDQUOT ? Trouble::full : Trouble::io,
                   "cannot lock " + path + ": " + std::generic_category().message(error), error);
}

// What the holder wrote; empty: it has not yet.
std::string pid_in(int fd) {
  char bytes[32];
  const ssize_t size = ::pread(fd, bytes, sizeof bytes, 0);
  std::string text;
  for (ssize_t i = 0; i < size && bytes[i] >= '0' && bytes[i] <= '9'; ++i) text += bytes[i];
  return text;
}

}  // namespace

DirectoryLock::DirectoryLock(const std::string& directory) {
  const std::string path = directory + "/lock";
  file_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file_) fail(path, errno);
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail(path, errno);
    const std::string pid = pid_in(file_.get());
    throw StoreError(
        Trouble::locked,
        "another corund" + (pid.empty() ? std::string() : " (pid " + pid + ")") + " uses " + directory);
  }
  // The old pid is written over before what is left of it is cut off: a reader sees one pid or the other, or
  // their digits mixed for a moment. A disk that takes no pid is no reason to refuse: the lock holds without
  // it.
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::pwrite(file_.get(), pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size()))
    static_cast<void>(::ftruncate(file_.get(), static_cast<off_t>(pid.size())));
}

}  // namespace corund::store
