// SPDX-License-Identifier: MIT
#include "daemon/sd/notify.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <corun/base/unique_fd.hpp>
#include <cstddef>
#include <cstring>
#include <filesystem>

#include "support/catch.hpp"

using corund::sd::Notifier;
using namespace std::chrono_literals;

namespace {

// A manager that only listens.
class FakeManager {
 public:
  explicit FakeManager(std::string address) : address_(std::move(address)), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, address_.data(), address_.size());
    if (address_[0] == '@') to.sun_path[0] = '\0';
    auto size = offsetof(sockaddr_un, sun_path) + address_.size() + (address_[0] == '@' ? 0 : 1);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&to), static_cast<socklen_t>(size)) == 0);
  }
  ~FakeManager() {
    if (address_[0] == '/') ::unlink(address_.c_str());
  }
  // The next message; nothing where none is there. A datagram is there as soon as its send() has returned.
  std::string next() {
    char buffer[65536];
    auto n = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    return n < 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(n));
  }

 private:
  std::string address_;
  corun::UniqueFd fd_;
};

std::string unique(const char* prefix) {
  static int n = 0;
  return prefix + std::to_string(::getpid()) + "-" + std::to_string(n++);
}

}  // namespace

TEST_CASE("the manager is told that the service is up, at a path and at an abstract address") {
  for (std::string address : {unique("/tmp/corund-notify-"), unique("@corund-notify-")}) {
    FakeManager manager(address);
    Notifier notifier(address);
    CHECK(notifier.enabled());
    notifier.ready("Ready");
    CHECK(manager.next() == "READY=1\nSTATUS=Ready");
    notifier.ping();
    CHECK(manager.next() == "WATCHDOG=1");
    notifier.extend_timeout(2500ms);
    CHECK(manager.next() == "EXTEND_TIMEOUT_USEC=2500000");
    notifier.failed("no room\nfor it", 28, "io.corund.Jobs.StoreFull");
    CHECK(manager.next() == "STATUS=no room for it\nERRNO=28\nVARLINKERROR=io.corund.Jobs.StoreFull");
    notifier.failed("odd", 0, "");
    CHECK(manager.next() == "STATUS=odd");
    notifier.drop("corund-own");
    CHECK(manager.next() == "FDSTOREREMOVE=1\nFDNAME=corund-own");
    notifier.stopping("Draining: 2 jobs", 10s);
    CHECK(manager.next() == "STOPPING=1\nEXTEND_TIMEOUT_USEC=10000000\nSTATUS=Draining: 2 jobs");
    CHECK(manager.next().empty());
  }
}

TEST_CASE("a status is sent when it changed, and a second change within a second waits for the tick") {
  auto address = unique("@corund-notify-");
  FakeManager manager(address);
  Notifier notifier(address);
  notifier.status("1 running");
  CHECK(manager.next() == "STATUS=1 running");
  notifier.status("1 running");
  CHECK(manager.next().empty());
  notifier.status("2 running");
  notifier.status("3 running");
  CHECK(manager.next().empty());
  notifier.tick();
  CHECK(manager.next().empty());
  const auto deadline = Notifier::clock::now() + 30s;
  std::string message;
  while (message.empty() && Notifier::clock::now() < deadline) {
    ::poll(nullptr, 0, 20);
    notifier.tick();
    message = manager.next();
  }
  CHECK(message == "STATUS=3 running");
  notifier.tick();
  CHECK(manager.next().empty());
}

TEST_CASE("a status that goes back to what the manager has is not sent") {
  auto address = unique("@corund-notify-");
  FakeManager manager(address);
  Notifier notifier(address);
  notifier.ready("Ready");
  manager.next();
  notifier.status("Busy");
  notifier.status("Ready");
  ::poll(nullptr, 0, 1100);
  notifier.tick();
  CHECK(manager.next().empty());
}

TEST_CASE("a status is one line of valid UTF-8 and short enough for a datagram") {
  auto address = unique("@corund-notify-");
  FakeManager manager(address);
  Notifier(address).status("two\nlines\tand \xff bytes");
  CHECK(manager.next() == "STATUS=two lines and \xEF\xBF\xBD bytes");
  std::string longest;
  for (int i = 0; i < 5000; ++i) longest += "\xC3\xA4";
  Notifier(address).stopping(longest, 1s);
  auto message = manager.next();
  CHECK(message.size() <= 4096);
  CHECK(message.size() > 3400);
  CHECK(message.compare(message.size() - 2, 2, "\xC3\xA4") == 0);
}

TEST_CASE("without a manager, or with one that is gone, nothing happens") {
  CHECK_FALSE(Notifier().enabled());
  CHECK_FALSE(Notifier("vsock:2:1234").enabled());
  CHECK_FALSE(Notifier("relative").enabled());
  CHECK_FALSE(Notifier("@").enabled());
  CHECK_FALSE(Notifier("/" + std::string(200, 'x')).enabled());
  Notifier gone("/tmp/corund-no-such-socket");
  gone.ready("Ready");
  gone.status("x");
  gone.ping();
}

TEST_CASE("a manager that does not read does not hold up a ping, and READY only for a moment") {
  auto address = unique("@corund-notify-");
  FakeManager manager(address);
  Notifier notifier(address);
  const auto begin = Notifier::clock::now();
  for (int i = 0; i < 2000; ++i) notifier.ping();  // fills the queue
  notifier.ready("Ready");
  CHECK(Notifier::clock::now() - begin < 20s);
  CHECK(manager.next() == "WATCHDOG=1");
}
