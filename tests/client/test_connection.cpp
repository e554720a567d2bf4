// SPDX-License-Identifier: MIT
#include "client/connection.hpp"

#include <poll.h>

#include <filesystem>
#include <future>

#include "client/fake_daemon.hpp"
#include "support/catch.hpp"

using namespace tests;
using corunctl::Answer;
using corunctl::Connection;

namespace {

void wait_for_hangup(const Connection& connection) {
  pollfd watched{connection.fd(), 0, 0};
  REQUIRE(::poll(&watched, 1, -1) == 1);
  REQUIRE((watched.revents & POLLHUP) != 0);
}

const FakeDaemon::Talk closes = [](Conversation&) {};

}  // namespace

TEST_CASE("a call that a daemon did not take before it closed is sent to the next one") {
  FakeDaemon daemon({closes, FakeDaemon::serving([](Conversation& it, const Call& call) { it.reply({{"method", call.method}}); })});
  Connection connection({daemon.socket()});
  wait_for_hangup(connection);
  Answer answer = connection.call("org.example.Ask", "{}");
  CHECK(answer.error.empty());
  CHECK(answer.parameters == R"({"method":"org.example.Ask"})");
}

TEST_CASE("a call goes to no other daemon than the one it was meant for", "[connection]") {
  std::promise<std::string> path;
  FakeDaemon own({[&](Conversation&) { std::filesystem::remove(path.get_future().get()); }});
  path.set_value(own.socket());
  FakeDaemon other({FakeDaemon::serving([](Conversation& it, const Call&) { it.reply({}); })});
  Connection connection({own.socket(), other.socket()});
  wait_for_hangup(connection);
  CHECK_THROWS_AS(connection.call("org.example.Ask", "{}"), corunctl::Failure);
}

TEST_CASE("a call that nobody takes is an error, not a call for ever") {
  FakeDaemon daemon({closes});
  Connection connection({daemon.socket()});
  wait_for_hangup(connection);
  CHECK_THROWS_AS(connection.call("org.example.Ask", "{}"), corunctl::Failure);
}

TEST_CASE("what a daemon has said before it closed is its answer, and nobody else is asked") {
  FakeDaemon daemon({[](Conversation& it) { it.error("io.corund.Jobs.LimitReached", {{"limit", "limits.sessions"}, {"value", 1}}); },
                     FakeDaemon::serving([](Conversation& it, const Call&) { it.reply({}); })});
  Connection connection({daemon.socket()});
  wait_for_hangup(connection);
  CHECK(connection.call("org.example.Ask", "{}").error == "io.corund.Jobs.LimitReached");
}

TEST_CASE("a second call is not sent again: the first one may have been taken") {
  FakeDaemon daemon({[](Conversation& it) {
                       it.next();
                       it.reply({});
                     },
                     FakeDaemon::serving([](Conversation& it, const Call&) { it.reply({}); })});
  Connection connection({daemon.socket()});
  CHECK(connection.call("org.example.Ask", "{}").error.empty());
  wait_for_hangup(connection);
  CHECK_THROWS_AS(connection.call("org.example.Ask", "{}"), corunctl::Failure);
}

TEST_CASE("an answer knows the call that it is to") {
  FakeDaemon daemon({FakeDaemon::serving([](Conversation& it, const Call& call) {
    if (call.more) it.reply({{"n", 1}}, true);
    it.reply({{"n", 2}});
  })});
  Connection connection({daemon.socket()});
  connection.send("a.b.One", "{}", {.oneway = false});
  connection.send("a.b.Many", "{}", {.more = true});
  connection.send("a.b.Last", "{}");
  for (const char* method : {"a.b.One", "a.b.Many", "a.b.Many", "a.b.Last"}) CHECK(connection.receive().method == method);
}
