// SPDX-License-Identifier: MIT
#include "bench/queue/daemon.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "bench/unix_socket.hpp"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

int bind_datagram(const std::string& path) {
  int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  if (!set_path(address, path)) throw std::runtime_error("socket path too long");
  ::unlink(path.c_str());
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("bind " + path);
  const timeval patience{60, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

// When READY=1 came; the epoch where it did not.
Clock::time_point await_ready(int fd) {
  char text[4096];
  for (ssize_t n; (n = ::recv(fd, text, sizeof text, 0)) > 0;)
    if (std::string(text, static_cast<std::size_t>(n)).find("READY=1") != std::string::npos)
      return Clock::now();
  return {};
}

}  // namespace

Daemon::Daemon(const std::string& binary, const std::string& base) : socket_(base + "/s") {
  const int notify = bind_datagram(base + "/notify");
  ::setenv("NOTIFY_SOCKET", (base + "/notify").c_str(), 1);
  const std::string config = base + "/corund.toml";
  std::FILE* file = std::fopen(config.c_str(), "w");
  if (!file) throw std::runtime_error("cannot write " + config);
  std::fputs("[limits]\njobs_queued = 2000000\njobs_queued_per_uid = 2000000\n[log]\nlevel = \"warning\"\n",
             file);
  std::fclose(file);
  Clock::time_point ready;
  std::thread listener([&] { ready = await_ready(notify); });
  const auto begin = Clock::now();
  try {
    server_ = std::make_unique<Server>(
        std::vector<std::string>{binary, "--config", config, "--socket", socket_, "--state", base + "/state"},
        socket_);
  } catch (...) {
    ::shutdown(notify, SHUT_RDWR);
    listener.join();
    throw;
  }
  listener.join();
  ::close(notify);
  if (ready == Clock::time_point()) throw std::runtime_error("the daemon did not become ready");
  seconds_to_ready_ = std::chrono::duration<double>(ready - begin).count();
}

std::string Daemon::call(const std::string& method, const std::string& parameters) {
  server_->send("{\"method\":\"" + method + "\",\"parameters\":" + parameters + "}" + '\0');
  std::string reply = server_->receive_frame();
  if (reply.starts_with("{\"error\"")) throw std::runtime_error(method + ": " + reply);
  return reply;
}

double Daemon::number(const std::string& reply, const std::string& key) {
  const auto at = reply.find("\"" + key + "\":");
  return at == std::string::npos ? 0 : std::strtod(reply.c_str() + at + key.size() + 3, nullptr);
}

std::int64_t Daemon::resident_bytes() const {
  long size = 0, resident = 0;
  if (std::FILE* file = std::fopen(("/proc/" + std::to_string(server_->pid()) + "/statm").c_str(), "r")) {
    if (std::fscanf(file, "%ld %ld", &size, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return static_cast<std::int64_t>(resident) * ::sysconf(_SC_PAGESIZE);
}

std::int64_t Daemon::voluntary_switches() const {
  std::int64_t sum = 0;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(server_->pid()) + "/task"))
    if (std::FILE* file = std::fopen((thread.path() / "status").c_str(), "r")) {
      char line[256];
      for (long count = 0; std::fgets(line, sizeof line, file);)
        if (std::sscanf(line, "voluntary_ctxt_switches: %ld", &count) == 1) sum += count;
      std::fclose(file);
    }
  return sum;
}

}  // namespace bench
