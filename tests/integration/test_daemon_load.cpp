// SPDX-License-Identifier: MIT
// Many, large, broken and unfriendly: right answers or named errors, bounded memory, and nothing left behind. Counted from outside.
#include <sys/resource.h>

#include <random>
#include <thread>

#include "integration/daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::call_text;
using tests::Daemon;
using tests::error_of;
using tests::Json;
using tests::SocketClient;

namespace {

constexpr const char* run_method = "io.corund.Jobs.Run";

// What it has open when nobody is connected. Asked through a connection, so that nothing of its start is still open meanwhile.
std::size_t fds_at_rest(Daemon& daemon) {
  SocketClient client(daemon);
  client.ask("org.varlink.service.GetInfo");
  return daemon.fds() - 1;
}

// The daemon is as it was before anybody came.
void check_nothing_left(Daemon& daemon, std::size_t fds_before) {
  CHECK(tests::eventually([&] { return daemon.fds() == fds_before; }));
  CHECK(daemon.children().empty());
  SocketClient client(daemon);
  Json status = client.ask("io.corund.Daemon.Status")["parameters"];
  INFO(status.dump());
  CHECK(status["sessions"] == 1);
  CHECK(status["jobs"]["running"] == 0);
  CHECK(status["jobs"]["queued"] == 0);
}

}  // namespace

TEST_CASE("10,000 jobs pipelined on one connection are all answered in order") {
  Daemon daemon;
  const std::size_t before = fds_at_rest(daemon);
  constexpr int count = 10'000;
  {
    SocketClient client(daemon);
    std::jthread sender([&] {
      std::string text;
      for (int i = 0; i < count; ++i) text += call_text(run_method, {{"kind", i % 100 ? "echo" : "sleep"}, {"args", {{"seconds", i * 1e-7}}}});
      client.send(text);
    });
    int wrong = 0;
    for (int i = 0; i < count; ++i)
      if (client.reply()["parameters"]["result"]["seconds"] != i * 1e-7) ++wrong;
    sender.join();
    CHECK(wrong == 0);
  }
  check_nothing_left(daemon, before);
}

TEST_CASE("a caller that writes all its calls before it reads a reply is served too") {
  Daemon daemon;
  SocketClient client(daemon);
  std::string text;
  for (int i = 0; i < 5'000; ++i) text += call_text(run_method, {{"kind", "echo"}, {"args", {{"n", i}}}});
  REQUIRE(client.send(text));
  int wrong = 0;
  for (int i = 0; i < 5'000; ++i)
    if (client.reply()["parameters"]["result"]["n"] != i) ++wrong;
  CHECK(wrong == 0);
}

TEST_CASE("1,000 connections at once are each served") {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 4096) CORUND_SKIP("fewer than 4096 file descriptors are allowed");
  Daemon daemon;
  const std::size_t before = fds_at_rest(daemon);
  const std::size_t rss_before = daemon.rss_kib();
  {
    std::vector<SocketClient> clients;
    clients.reserve(1000);
    for (int i = 0; i < 1000; ++i) clients.emplace_back(daemon);
    for (int i = 0; i < 1000; ++i) clients[i].call(run_method, {{"kind", "sleep"}, {"args", {{"seconds", 0.01}}}});
    for (int i = 0; i < 1000; ++i) clients[i].call(run_method, {{"kind", "echo"}, {"args", {{"n", i}}}});
    int wrong = 0;
    for (int i = 0; i < 1000; ++i) {
      if (error_of(clients[i].reply()) != "") ++wrong;
      if (clients[i].reply()["parameters"]["result"]["n"] != i) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(daemon.fds() == before + 1000);
    // What an idle connection costs: buffers are shared, so it is tasks and bookkeeping only.
    CHECK(daemon.rss_kib() < rss_before + 1000 * 32 + 8 * 1024);
  }
  check_nothing_left(daemon, before);
}

TEST_CASE("a frame of 1 MiB in single bytes is one frame") {
  Daemon daemon;
  SocketClient client(daemon);
  const std::string big(1 << 20, 'x');
  const std::string text = call_text(run_method, {{"kind", "echo"}, {"args", {{"big", big}}}});
  std::jthread sender([&] {
    for (char c : text)
      if (!client.send(std::string(1, c))) return;
  });
  Json reply = client.reply();
  sender.join();
  CHECK(reply["parameters"]["result"]["big"] == big);
}

TEST_CASE("what is no call gets a named error after the replies owed, and the connection is closed") {
  Daemon daemon;
  const std::size_t before = fds_at_rest(daemon);
  const std::string deep(600, '[');
  for (const std::string& bytes : std::vector<std::string>
       {std::string("hello\0", 6), std::string("[1]\0", 4), std::string("{\"method\":5}\0", 13), std::string("{}\0", 3),
        std::string("{\"method\":\"a\xff\"}\0", 15), std::string("{\"method\":\"a.b\",\"parameters\":{\"x\":\"\\u0000\"}}\0", 45),
        "{\"method\":\"a.b\",\"parameters\":{\"x\":" + deep + std::string(1, '\0')}) {
    SocketClient client(daemon);
    client.call(run_method, {{"kind", "sleep"}, {"args", {{"seconds", 0.02}}}});
    REQUIRE(client.send(bytes));
    CHECK(error_of(client.reply()) == "");
    Json reply = client.reply();
    INFO(reply.dump());
    CHECK(reply["error"] == "io.corund.Daemon.BadFrame");
    CHECK(reply["parameters"]["offset"].is_number());
    CHECK(!reply["parameters"]["reason"].get<std::string>().empty());
    CHECK(client.at_end());
  }
  check_nothing_left(daemon, before);
}

TEST_CASE("random garbage neither crashes nor leaks") {
  Daemon daemon;
  const std::size_t before = fds_at_rest(daemon);
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 200; ++i) {
    SocketClient client(daemon);
    std::string text = call_text(run_method, {{"kind", "echo"}, {"args", {{"n", i}}}});
    if (i % 2)
      for (char& c : text) c = static_cast<char>(random());
    else
      text[random() % text.size()] = static_cast<char>(random());
    client.send(text);
    client.half_close();
    while (client.frame()) {
    }
  }
  CHECK(daemon.is_running());
  check_nothing_left(daemon, before);
}

TEST_CASE("a frame that is too long is refused before it is kept") {
  Daemon daemon({.config = "[limits]\nframe_bytes = \"64KiB\"\n"});
  SocketClient client(daemon);
  client.send(call_text(run_method, {{"kind", "echo"}, {"args", {{"x", std::string(100'000, 'x')}}}}));
  Json reply = client.reply();
  CHECK(reply["error"] == "io.corund.Daemon.BadFrame");
  CHECK(client.at_end());
}

TEST_CASE("a peer that only stopped sending still gets its replies") {
  Daemon daemon;
  const std::size_t before = fds_at_rest(daemon);
  SocketClient client(daemon);
  client.call(run_method, {{"kind", "sleep"}, {"args", {{"seconds", 0.1}}}});
  client.call(run_method, {{"kind", "echo"}});
  client.half_close();
  CHECK(client.reply()["parameters"]["result"]["seconds"] == 0.1);
  CHECK(error_of(client.reply()) == "");
  CHECK(client.at_end());
  client.hang_up();
  check_nothing_left(daemon, before);
}

TEST_CASE("a half-closed peer that hangs up takes its jobs with it") {
  Daemon daemon;
  const std::size_t before = fds_at_rest(daemon);
  {
    SocketClient client(daemon), watcher(daemon);
    client.call(run_method, {{"kind", "sleep"}, {"args", {{"seconds", 3600}}}});
    client.half_close();
    CHECK(tests::eventually([&] { return watcher.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["running"] == 1; }));
  }
  check_nothing_left(daemon, before);
}

TEST_CASE("hang-ups at any moment leave nothing behind") {
  Daemon daemon;
  const std::size_t before = fds_at_rest(daemon);
  for (int i = 0; i < 300; ++i) {
    SocketClient client(daemon);
    for (int k = 0; k < i % 7; ++k) client.call(run_method, {{"kind", k % 2 ? "echo" : "sleep"}, {"args", {{"seconds", k % 4 ? 3600 : 0}}}});
    if (i % 3 == 0) client.send("{\"method\":\"io.corund.");
    if (i % 5 == 0 && i % 7) client.reply();
  }
  check_nothing_left(daemon, before);
}

TEST_CASE("a reader that never reads is paused, held within bounds, and dropped") {
  Daemon daemon({.config = "[limits]\nunread_reply_bytes = \"256KiB\"\nunread_reply_timeout = \"300ms\"\n"});
  const std::size_t before = fds_at_rest(daemon);
  const std::size_t rss_before = daemon.rss_kib();
  {
    SocketClient client(daemon);
    const std::string text = call_text(run_method, {{"kind", "echo"}, {"args", {{"x", std::string(4000, 'x')}}}});
    // Sends until the daemon takes no more, and reads nothing.
    std::size_t sent = 0;
    bool is_open = true;
    std::jthread sender([&] { while (is_open && (is_open = client.send(text))) sent += text.size(); });
    sender.join();  // ends when the daemon has dropped the connection
    CHECK(sent > 256 * 1024);
    CHECK(sent < 64 * 1024 * 1024);
    CHECK(daemon.rss_kib() < rss_before + 32 * 1024);
  }
  check_nothing_left(daemon, before);
  SocketClient other(daemon);
  CHECK(error_of(other.run("echo")) == "");
}

TEST_CASE("a frame that is begun and not ended is refused after its time, and its connection closed") {
  Daemon daemon({.config = "[limits]\npartial_frame_timeout = \"100ms\"\n"});
  SocketClient client(daemon), idle(daemon);
  client.send("{\"method\":");
  CHECK(error_of(client.reply()) == "BadFrame");
  CHECK(client.at_end());
  CHECK(error_of(idle.run("echo")) == "");  // one that has begun nothing may stay
}

TEST_CASE("too many connections are refused by name") {
  Daemon daemon({.config = "[limits]\nsessions = 3\n"});
  std::vector<SocketClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(daemon);
    CHECK(error_of(clients.back().run("echo")) == "");
  }
  SocketClient one_more(daemon);
  Json reply = one_more.reply();
  CHECK(error_of(reply) == "LimitReached");
  CHECK(reply["parameters"]["limit"] == "limits.sessions");
  CHECK(one_more.at_end());
}

TEST_CASE("memory stays where it was after a hundred thousand jobs") {
  Daemon daemon({.config = "[jobs]\nkept = 1000\n"});
  SocketClient client(daemon);
  auto burst = [&](int count) {
    std::jthread sender([&] {
      std::string text;
      for (int i = 0; i < count; ++i) text += call_text(run_method, {{"kind", "echo"}, {"args", {{"text", "some words to carry"}}}});
      client.send(text);
    });
    for (int i = 0; i < count; ++i) client.frame();
    sender.join();
  };
  burst(20'000);
  const std::size_t settled = daemon.rss_kib();
  burst(80'000);
  CHECK(daemon.rss_kib() < settled + 4 * 1024);
}
