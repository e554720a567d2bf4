// SPDX-License-Identifier: MIT
#include "daemon/serve/listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "../run/engine.hpp"
#include "daemon/version.hpp"

using corun::Coro;
using corun::UniqueFd;
using corund::serve::Listener;
using tests::Engine;
using namespace std::chrono_literals;

namespace {

struct NoReload final : corund::serve::Owner {
  corun::Result<corund::config::Changes, corund::config::Faults> reload() override { return corund::config::Changes{}; }
};

struct Server {
  Engine engine;
  NoReload owner;
  corund::serve::Access access{::geteuid(), true, engine.config.access};
  corund::serve::Host host{owner,          engine.config,     engine.registry, engine.table,  engine.admission,
                           engine.supervisor, engine.drain,   engine.journal,  engine.ledger, engine.contexts,
                           access,         std::make_shared<corun::ThreadPoolExecutor>(), corund::version};
};

// A peer, and the daemon's end of its connection.
struct Pair {
  UniqueFd peer, daemon;
  Pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    peer.reset(ends[0]);
    daemon.reset(ends[1]);
  }
  ssize_t send(std::string_view text) { return ::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL); }
  // All that has come, up to the end of the connection or of what is there.
  std::string received() {
    std::string all(64 * 1024, '\0');
    const ssize_t got = ::recv(peer.get(), all.data(), all.size(), MSG_DONTWAIT);
    all.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return all;
  }
};

constexpr std::string_view get_info("{\"method\":\"org.varlink.service.GetInfo\"}\0", 42);

}  // namespace

TEST_CASE("a call that has arrived when the daemon closes is answered, one that comes later cannot be sent") {
  Server server;
  server.engine.run_in_real_time([&]() -> Coro<> {
    Listener listener(server.host, corun::get_running_loop());
    Pair early, late, half, fresh;
    listener.adopt(std::move(early.daemon));
    listener.adopt(std::move(late.daemon));
    listener.adopt(std::move(half.daemon));
    for (int pass = 0; pass < 3; ++pass) co_await corun::sleep(0s);  // they wait for their peers
    listener.adopt(std::move(fresh.daemon));  // and this one has yet to begin
    // From here to the close the loop does not look at its sockets.
    REQUIRE(early.send(get_info) == static_cast<ssize_t>(get_info.size()));
    REQUIRE(fresh.send(get_info) == static_cast<ssize_t>(get_info.size()));
    REQUIRE(half.send(get_info.substr(0, 10)) == 10);
    co_await listener.close(10s);
    CHECK(listener.sessions() == 0);
    for (Pair* pair : {&early, &fresh}) {
      const std::string reply = pair->received();
      CHECK(reply.find("\"product\":\"corund\"") != std::string::npos);
    }
    CHECK(half.received().empty());
    const ssize_t sent = late.send(get_info);
    const int error = errno;
    CHECK(sent == -1);
    CHECK(error == EPIPE);
  });
}
