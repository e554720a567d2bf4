// SPDX-License-Identifier: MIT
// What jobs do to each other and to the daemon, well-mannered ones and others.
#include <sstream>

#include "integration/daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::Daemon;
using tests::error_of;
using tests::Json;
using tests::SocketClient;

TEST_CASE("whatever a job throws fails that job and nothing else") {
  Daemon daemon;
  SocketClient client(daemon);
  std::string neighbour = client.submit("sleep", {{"seconds", 3600}});
  struct Case {
    std::string what, type, message;
  };
  for (const auto& thrown : std::vector<Case>{{"int", "int", "42"},
                                              {"string", "std::string", "a string"},
                                              {"text", "char const*", "a text"},
                                              {"SystemExit", "SystemExit", "3"},
                                              {"KeyboardInterrupt", "KeyboardInterrupt", "signal 2"},
                                              {"JobFailure", "Custom", "with a result"},
                                              {"anything", "std::runtime_error", "anything"}}) {
    Json reply = client.run("probe.throw", {{"what", thrown.what}});
    INFO(reply.dump());
    CHECK(reply["error"] == "io.corund.Jobs.JobFailed");
    CHECK(reply["parameters"]["type"] == thrown.type);
    CHECK(reply["parameters"]["message"] == thrown.message);
  }
  CHECK(client.run("probe.throw", {{"what", "JobFailure"}})["parameters"]["result"] == Json{{"code", 7}});
  CHECK(client.run("probe.throw", {{"what", "struct"}})["parameters"]["type"].get<std::string>().find("Oddity") != std::string::npos);
  Json cancelled = client.run("probe.throw", {{"what", "CancelledError"}});
  CHECK(error_of(cancelled) == "JobCancelled");
  CHECK(cancelled["parameters"]["reason"] == "of its own");
  CHECK(error_of(client.run("probe.not_an_object")) == "JobFailed");
  CHECK(client.show(neighbour)["state"] == "running");
}

TEST_CASE("a SystemExit from a task that nobody awaits fails the job it belongs to") {
  Daemon daemon;
  SocketClient client(daemon);
  std::string neighbour = client.submit("sleep", {{"seconds", 3600}});
  for (const std::string what : {"SystemExit", "KeyboardInterrupt"}) {
    Json reply = client.run("probe.throw_from_child", {{"what", what}});
    INFO(reply.dump());
    CHECK(error_of(reply) == "JobFailed");
    CHECK(reply["parameters"]["type"] == what);
  }
  // Any other exception is reported, as asyncio does, and the report says whose it is.
  Json reply = client.run("probe.throw_from_child", {{"what", "an error nobody retrieves"}});
  CHECK(error_of(reply) == "");
  const std::string id = reply["parameters"]["id"];
  CHECK(daemon.logs("an error nobody retrieves"));
  std::istringstream log(daemon.log());
  for (std::string line; std::getline(log, line);)
    if (line.find("an error nobody retrieves") != std::string::npos) {
      INFO(line);
      CHECK(line.find("Task exception was never retrieved") != std::string::npos);
      CHECK(line.find(id + " probe.throw_from_child") != std::string::npos);
    }
  CHECK(client.show(neighbour)["state"] == "running");
}

TEST_CASE("what a job leaves in the shared context the next one finds") {
  Daemon daemon;
  SocketClient client(daemon);
  CHECK(client.run("probe.get")["parameters"]["result"]["value"] == "from the start");
  client.run("probe.set", {{"value", "one"}});
  CHECK(client.run("probe.get")["parameters"]["result"]["value"] == "one");
  SocketClient other(daemon);
  CHECK(other.run("probe.get")["parameters"]["result"]["value"] == "one");
  CHECK(other.run("probe.started")["parameters"]["result"]["word"] == "started");
}

TEST_CASE("an isolated context begins with what is there and leaves nothing, a named one keeps its own") {
  Daemon daemon;
  SocketClient client(daemon);
  const Json isolated = {{"context", "isolated"}}, named = {{"context", "mine"}};
  client.run("probe.set", {{"value", "shared"}});
  CHECK(client.run("probe.get", Json::object(), isolated)["parameters"]["result"]["value"] == "shared");
  client.run("probe.set", {{"value", "lost"}}, isolated);
  CHECK(client.run("probe.get")["parameters"]["result"]["value"] == "shared");
  client.run("probe.set", {{"value", "kept"}}, named);
  CHECK(client.run("probe.get", Json::object(), named)["parameters"]["result"]["value"] == "kept");
  CHECK(client.run("probe.get")["parameters"]["result"]["value"] == "shared");
  // Sixteen names are enough for one uid.
  Json reply;
  for (int i = 0; i < 16; ++i) reply = client.run("echo", Json::object(), {{"context", "c" + std::to_string(i)}});
  CHECK(error_of(reply) == "LimitReached");
  CHECK(reply["parameters"]["limit"] == "limits.contexts_per_uid");
}

TEST_CASE("tasks that a job leaves behind are cancelled and named") {
  Daemon daemon;
  SocketClient client(daemon);
  const std::string trace = daemon.directory() / "trace";
  Json reply = client.run("probe.leave", {{"seconds", 3600}, {"count", 3}, {"trace", trace}});
  CHECK(reply["parameters"]["result"]["left"] == 3);
  Json job = client.show(reply["parameters"]["id"]);
  CHECK(job["leftovers"] == Json::array({"left-0", "left-1", "left-2"}));
  CHECK(tests::read_file(trace) == "left-0 cancelled\nleft-1 cancelled\nleft-2 cancelled\n");
}

TEST_CASE("a time limit ends a job as timed out") {
  Daemon daemon;
  SocketClient client(daemon);
  Json reply = client.run("sleep", {{"seconds", 3600}}, {{"timeout", 0.03}});
  CHECK(error_of(reply) == "JobTimedOut");
  CHECK(reply["parameters"]["timeout"] == 0.03);
  CHECK(client.show(reply["parameters"]["id"])["state"] == "timedOut");
}

TEST_CASE("a cancellation answers with what became of it") {
  Daemon daemon;
  SocketClient client(daemon);
  SECTION("unwound, and where it was") {
    std::string id = client.submit("sleep", {{"seconds", 3600}});
    Json answer = client.ask("io.corund.Jobs.Cancel", {{"id", id}, {"reason", "enough"}})["parameters"];
    INFO(answer.dump());
    CHECK(answer["outcome"] == "unwound");
    CHECK(answer["state"] == "cancelled");
    CHECK(answer["suspendedAt"]["file"].get<std::string>().find("sleep.") != std::string::npos);
    CHECK(client.show(id)["cancelReason"] == "enough");
    answer = client.ask("io.corund.Jobs.Cancel", {{"id", id}})["parameters"];
    CHECK(answer["outcome"] == "alreadyEnded");
  }
  SECTION("swallowed") {
    std::string id = client.submit("probe.swallow", {{"seconds", 3600}});
    Json answer = client.ask("io.corund.Jobs.Cancel", {{"id", id}})["parameters"];
    CHECK(answer["outcome"] == "swallowed");
    CHECK(answer["state"] == "succeeded");
    CHECK(client.show(id)["result"]["swallowed"] == true);
  }
  SECTION("escalated after the grace") {
    std::string id = client.submit("probe.stubborn", {{"seconds", 3600}, {"count", 1}}, {{"grace", 0.05}});
    Json answer = client.ask("io.corund.Jobs.Cancel", {{"id", id}})["parameters"];
    INFO(answer.dump());
    CHECK(answer["outcome"] == "unwound");
    CHECK(answer["escalated"].get<std::string>().find("grace") != std::string::npos);
    CHECK(answer["seconds"].get<double>() >= 0.05);
  }
  SECTION("still running after the second one") {
    std::string id = client.submit("probe.stubborn", {{"seconds", 3600}, {"count", 100}}, {{"grace", 3600}});
    Json answer = client.ask("io.corund.Jobs.Cancel", {{"id", id}, {"force", true}})["parameters"];
    INFO(answer.dump());
    CHECK(answer["outcome"] == "running");
    CHECK(answer["state"] == "running");
    CHECK(answer["escalated"].get<std::string>().find("force") != std::string::npos);
    CHECK(daemon.logs("nobody waits for it any more"));
  }
  SECTION("each one more by force is one more") {
    std::string id = client.submit("probe.stubborn", {{"seconds", 3600}, {"count", 3}}, {{"grace", 3600}});
    Json answer = client.ask("io.corund.Jobs.Cancel", {{"id", id}, {"force", true}})["parameters"];
    CHECK(answer["outcome"] == "running");
    for (int i = 0; i < 10 && answer["outcome"] == "running"; ++i)
      answer = client.ask("io.corund.Jobs.Cancel", {{"id", id}, {"force", true}})["parameters"];
    CHECK(client.wait(id)["state"] == "cancelled");
  }
  SECTION("not started") {
    std::string first = client.submit("sleep", {{"seconds", 3600}}, {{"group", "exec"}});
    for (int i = 0; i < 64; ++i) first = client.submit("sleep", {{"seconds", 3600}}, {{"group", "exec"}});
    CHECK(client.show(first)["state"] == "queued");
    CHECK(client.show(first)["waitingFor"] == "room in group exec");
    Json answer = client.ask("io.corund.Jobs.Cancel", {{"id", first}})["parameters"];
    CHECK(answer["outcome"] == "notStarted");
    CHECK(answer["state"] == "cancelled");
  }
}

TEST_CASE("a Cancel behind a Run on the same connection is not stuck behind it") {
  Daemon daemon;
  SocketClient client(daemon), other(daemon);
  client.call("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 3600}}}});
  std::string id;
  REQUIRE(tests::eventually([&] {
    auto jobs = other.ask_more("io.corund.Jobs.List", {{"states", Json::array({"running"})}});
    if (!jobs[0]["parameters"].contains("job")) return false;
    id = jobs[0]["parameters"]["job"]["id"];
    return true;
  }));
  client.call("io.corund.Jobs.Cancel", {{"id", id}});
  CHECK(error_of(client.reply()) == "JobCancelled");
  CHECK(client.reply()["parameters"]["outcome"] == "unwound");
}

TEST_CASE("a group runs as many jobs as its limit says, the higher priority first") {
  Daemon daemon({.config = "[groups.one]\nlimit = 1\n"});
  SocketClient client(daemon);
  auto submit = [&](double seconds, int priority) {
    return client.submit("sleep", {{"seconds", seconds}}, {{"group", "one"}, {"priority", priority}});
  };
  std::string first = submit(0.1, 0), low = submit(0, -5), middle = submit(0, 0), high = submit(0, 5);
  auto started = [&](const std::string& id) { return client.wait(id)["startedUSec"].get<std::int64_t>(); };
  CHECK(client.show(low)["state"] == "queued");
  CHECK(started(first) < started(high));
  CHECK(started(high) < started(middle));
  CHECK(started(middle) < started(low));
}

TEST_CASE("a child job of its parent's group runs in its parent's place and ends with it") {
  Daemon daemon({.config = "[groups.default]\nlimit = 1\n"});
  SocketClient client(daemon), other(daemon);
  CHECK(client.run("probe.child", {{"kind", "echo"}, {"args", {{"a", 1}}}})["parameters"]["result"]["child"]["a"] == 1);
  Json failed = client.run("probe.child", {{"kind", "probe.throw"}, {"args", {{"what", "int"}}}});
  CHECK(failed["parameters"]["type"] == "int");
  CHECK(error_of(client.run("probe.child", {{"kind", "nothing"}})) == "JobFailed");

  std::string id = client.submit("probe.child", {{"kind", "sleep"}, {"args", {{"seconds", 3600}}}});
  CHECK(other.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["running"] == 2);
  CHECK(other.ask("io.corund.Jobs.Cancel", {{"id", id}})["parameters"]["outcome"] == "unwound");
  CHECK(other.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["running"] == 0);
  CHECK(other.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["cancelled"] == 2);
}

TEST_CASE("an attached job is cancelled when its caller is gone, a detached one is not") {
  Daemon daemon;
  SocketClient watcher(daemon);
  const std::string trace = daemon.directory() / "trace";
  std::string detached;
  {
    SocketClient client(daemon);
    detached = client.submit("sleep", {{"seconds", 3600}});
    client.call("io.corund.Jobs.Run", {{"kind", "probe.wait"}, {"args", {{"seconds", 3600}, {"trace", trace}}}});
    client.call("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 3600}}}}, {{"more", true}});
    CHECK(tests::eventually([&] {
      return watcher.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["running"] == 3;
    }));
  }
  CHECK(tests::eventually([&] { return tests::read_file(trace) == "wait cancelled\n"; }));
  CHECK(tests::eventually([&] { return watcher.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["cancelled"] == 2; }));
  CHECK(watcher.show(detached)["state"] == "running");
  auto jobs = watcher.ask_more("io.corund.Jobs.List", {{"states", Json::array({"cancelled"})}});
  CHECK(jobs[0]["parameters"]["job"]["cancelReason"] == "its caller is gone");
}

TEST_CASE("every attempt has its start among the events, and a job cancelled between two of them has unwound") {
  Daemon daemon;
  SocketClient client(daemon);
  const std::string twice = client.submit("probe.throw", Json::object(), {{"retry", {{"max", 2}, {"delay", 0.01}}}});
  std::vector<std::string> types, states;
  for (const Json& reply : client.ask_more("io.corund.Jobs.Watch", {{"id", twice}})) {
    types.push_back(reply["parameters"]["event"]["type"]);
    states.push_back(reply["parameters"]["event"].value("state", ""));
  }
  CHECK(types == std::vector<std::string>{"queued", "started", "retry", "started", "ended"});
  CHECK(states == std::vector<std::string>{"queued", "running", "delayed", "running", "failed"});

  const std::string waiting = client.submit("probe.throw", Json::object(), {{"retry", {{"max", 2}, {"delay", 3600}}}});
  CHECK(tests::eventually([&] { return client.show(waiting)["state"] == "delayed"; }));
  Json cancelled = client.ask("io.corund.Jobs.Cancel", {{"id", waiting}});
  CHECK(cancelled["parameters"]["outcome"] == "unwound");
  CHECK(cancelled["parameters"]["state"] == "cancelled");
  const std::string never = client.submit("echo", Json::object(), {{"delay", 3600}});
  CHECK(client.ask("io.corund.Jobs.Cancel", {{"id", never}})["parameters"]["outcome"] == "notStarted");
}

TEST_CASE("queues have an end, and say so") {
  Daemon daemon({.config = "[limits]\njobs_queued = 3\n[groups.one]\nlimit = 1\n"});
  SocketClient client(daemon);
  const Json options = {{"group", "one"}};
  for (int i = 0; i < 4; ++i) client.submit("sleep", {{"seconds", 3600}}, options);
  Json reply = client.ask("io.corund.Jobs.Submit", {{"kind", "sleep"}, {"args", {{"seconds", 1}}}, {"group", "one"}});
  CHECK(error_of(reply) == "QueueFull");
  CHECK(reply["parameters"]["limit"] == 3);
  CHECK(reply["parameters"]["retryAfter"].get<double>() > 0);
}

TEST_CASE("records of ended jobs are kept in number only") {
  Daemon daemon({.config = "[jobs]\nkept_in_memory = 10\n"});
  SocketClient client(daemon);
  std::string first = client.run("echo")["parameters"]["id"];
  std::string last;
  for (int i = 0; i < 20; ++i) last = client.run("echo")["parameters"]["id"];
  CHECK(client.ask_more("io.corund.Jobs.List").size() == 10);
  CHECK(error_of(client.ask("io.corund.Jobs.Show", {{"id", first}})) == "JobNotFound");
  CHECK(client.show(last)["state"] == "succeeded");
}
