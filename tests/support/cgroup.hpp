// SPDX-License-Identifier: MIT
// A cgroup (v2) of a test's own, where this machine lets one be made: as root, or below a cgroup that is ours.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "support/catch.hpp"

namespace tests {

class ScratchCgroup {
 public:
  ScratchCgroup() {
    static int count = 0;
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line) && path_.empty();) {
      if (line.find(" - cgroup2 ") == std::string::npos) continue;
      std::istringstream fields(line);
      std::string skipped, mount_point;
      fields >> skipped >> skipped >> skipped >> skipped >> mount_point;
      const std::string path = mount_point + "/corund-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
      if (::mkdir(path.c_str(), 0755) == 0) path_ = path;
    }
  }
  ~ScratchCgroup() {
    if (path_.empty()) return;
    write("cgroup.kill", "1");
    for (int i = 0; i < 500 && read("cgroup.events").find("populated 1") != std::string::npos; ++i) {
      const int fd = ::open((path_ + "/cgroup.events").c_str(), O_RDONLY);
      char text[256];
      (void)!::read(fd, text, sizeof text);
      pollfd change{fd, POLLPRI, 0};
      ::poll(&change, 1, 10);
      ::close(fd);
    }
    remove(path_);
  }
  ScratchCgroup(const ScratchCgroup&) = delete;
  ScratchCgroup& operator=(const ScratchCgroup&) = delete;

  // Whether there is one.
  explicit operator bool() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  // As a service manager marks what it gives away.
  void delegate() const { REQUIRE(::setxattr(path_.c_str(), "user.delegate", "1", 1, 0) == 0); }

  bool write(const std::string& file, const std::string& text) const {
    std::ofstream out(path_ + "/" + file);
    out << text << std::flush;
    return out.good();
  }
  std::string read(const std::string& file) const {
    std::ifstream in(path_ + "/" + file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool has(const std::string& file) const { return std::filesystem::exists(path_ + "/" + file); }
  // The cgroups in it that begin so.
  std::size_t count(const std::string& prefix) const {
    std::size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      if (entry.is_directory() && entry.path().filename().string().starts_with(prefix)) ++n;
    return n;
  }

 private:
  static void remove(const std::string& path) {
    for (const auto& entry : std::filesystem::directory_iterator(path))
      if (entry.is_directory()) remove(entry.path().string());
    ::rmdir(path.c_str());
  }

  std::string path_;
};

}  // namespace tests
