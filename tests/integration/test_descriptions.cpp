// SPDX-License-Identifier: MIT
// The daemon and its .varlink files: SocketClient compares every reply of the whole suite with them. Here: that the comparison finds what does
// not fit, that the files are what the daemon says of itself, and that each method is called and each error raised that a test can bring about.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <set>

#include "integration/as_user.hpp"
#include "integration/daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::Daemon;
using tests::descriptions;
using tests::error_of;
using tests::Json;
using tests::SocketClient;
using tests::VarlinkInterfaces;

namespace {

const char* const sample = R"(# What it is
interface a.b
type Colour (red, dark_red)
type Point (x: int, y: ?float)
# [Supports 'more' flag]
method Draw(points: []Point) -> (
  # a comment
  names: [string]string, colour: ?Colour, at: Point, all: ?[]Point, inline: ?(one, two), rest: ?object)
method None() -> ()
error Wrong (why: string))";

VarlinkInterfaces of_sample() {
  VarlinkInterfaces all;
  all.add(sample);
  return all;
}

Json draw() { return {{"parameters", {{"names", Json::object()}, {"at", {{"x", 1}}}}}}; }

}  // namespace

TEST_CASE("a reply that fits its description is found to fit") {
  const auto all = of_sample();
  CHECK(all.misfit(draw(), "a.b.Draw", false) == "");
  Json full = draw();
  full["parameters"] = {{"names", {{"a", "b"}}}, {"colour", "dark_red"}, {"at", {{"x", 1}, {"y", 2}}}, {"all", {{{"x", 1}, {"y", nullptr}}}},
                        {"inline", "two"}, {"rest", {{"any", {1, "x"}}}}};
  CHECK(all.misfit(full, "a.b.Draw", false) == "");
  full["continues"] = true;
  CHECK(all.misfit(full, "a.b.Draw", true) == "");
  CHECK(all.misfit(Json::object(), "a.b.None", false) == "");
  CHECK(all.misfit({{"error", "a.b.Wrong"}, {"parameters", {{"why", "x"}}}}, "a.b.Draw", true) == "");
}

TEST_CASE("whatever does not fit a description is found, and its place named") {
  const auto all = of_sample();
  const auto wrong = [&](const std::function<void(Json&)>& change, bool more = false) {
    Json reply = draw();
    change(reply);
    return all.misfit(reply, "a.b.Draw", more);
  };
  CHECK(wrong([](Json& r) { r["parameters"].erase("names"); }) == "parameters.names: is missing");
  CHECK(wrong([](Json& r) { r["parameters"]["names"] = nullptr; }) == "parameters.names: is null");
  CHECK(wrong([](Json& r) { r["parameters"]["names"]["a"] = 1; }) == "parameters.names[a]: of the wrong type: 1");
  CHECK(wrong([](Json& r) { r["parameters"]["new"] = 1; }) == "parameters.new: is not declared");
  CHECK(wrong([](Json& r) { r["parameters"]["colour"] = "blue"; }) == "parameters.colour: no value of its choice: \"blue\"");
  CHECK(wrong([](Json& r) { r["parameters"]["inline"] = "three"; }) == "parameters.inline: no value of its choice: \"three\"");
  CHECK(wrong([](Json& r) { r["parameters"]["at"]["x"] = 1.5; }) == "parameters.at.x: of the wrong type: 1.5");
  CHECK(wrong([](Json& r) { r["parameters"]["all"] = {{{"x", 1}}, {{"y", 1}}}; }) == "parameters.all[1].x: is missing");
  CHECK(wrong([](Json& r) { r["parameters"]["rest"] = "text"; }) == "parameters.rest: of the wrong type: \"text\"");
  CHECK(wrong([](Json& r) { r["continues"] = true; }) == "continues: nobody asked for more");
  CHECK(wrong([](Json& r) { r["continues"] = false; }) == "continues: is not true");
  CHECK(wrong([](Json& r) { r["other"] = 1; }) == "other: no reply has that");
  CHECK(all.misfit({{"continues", true}}, "a.b.None", true) == "continues: nobody asked for more");
  CHECK(all.misfit(draw(), "a.b.Paint", false) == "a.b.Paint: there is no such method, and it was answered");
  CHECK(all.misfit({{"error", "a.b.Wrong"}}) == "parameters.why: is missing");
  CHECK(all.misfit({{"error", "a.b.Other"}}) == "error: not declared: a.b.Other");
  CHECK(all.misfit({{"error", "c.d.Wrong"}}) == "error: of an interface that is not there: c.d");
  CHECK_THROWS_WITH(tests::parse_varlink("interface a.b\n\nmethod Draw() (x: int)"), "line 3: '->' is missing");
  CHECK_THROWS_WITH(tests::parse_varlink("interface a.b\ntype A (x: int, y)"), "line 2: fields and values in one");
}

TEST_CASE("the daemon describes itself by the very files that its replies are compared with") {
  Daemon daemon({.with_probe = false});
  SocketClient client(daemon);
  std::set<std::string> named;
  const Json info = client.ask("org.varlink.service.GetInfo");
  for (const auto& name : info["parameters"]["interfaces"]) {
    const Json reply = client.ask("org.varlink.service.GetInterfaceDescription", {{"interface", name}});
    CHECK(reply["parameters"]["description"] == tests::read_file(std::string(VARLINK_FILES) + "/" + name.get<std::string>() + ".varlink"));
    named.insert(name);
  }
  std::set<std::string> described;
  for (const auto& [name, interface] : descriptions().all()) described.insert(name);
  CHECK(named == described);
}

TEST_CASE("every method is called, and answers what its description says") {
  Daemon daemon;
  SocketClient client(daemon);
  const auto sleep = [&](Json options = Json::object()) { return client.submit("sleep", {{"seconds", 3600}}, std::move(options)); };
  const auto ended = [&] {
    const std::string id = client.submit("echo", {{"x", 1}}, {{"labels", {{"who", "test"}}}, {"key", "one"}});
    client.wait(id);
    return id;
  };
  const std::string jobs = "io.corund.Jobs.", own = "io.corund.Daemon.", service = "io.systemd.service.", varlink = "org.varlink.service.";
  // Each answers with the replies, the last of which is no error.
  using Replies = std::vector<Json>;
  const auto once = [&](const std::string& method, const Json& parameters = Json::object()) { return Replies{client.ask(method, parameters)}; };
  const std::map<std::string, std::function<Replies()>> calls = {
      {jobs + "Run",
       [&] {
         once(jobs + "Run", {{"kind", "exec"}, {"args", {{"shell", "echo out; echo err >&2; exit 3"}}}});  // JobFailed with a result
         return client.ask_more(jobs + "Run", {{"kind", "probe.talk"}, {"args", {{"count", 2}, {"seconds", 0.01}}}});
       }},
      {jobs + "Submit", [&] { return once(jobs + "Submit", {{"kind", "echo"}, {"ack", "memory"}}); }},
      {jobs + "SubmitMany", [&] { return once(jobs + "SubmitMany", {{"jobs", {{{"kind", "echo"}}, {{"kind", "echo"}, {"priority", 3}}}}}); }},
      {jobs + "Wait", [&] { return once(jobs + "Wait", {{"id", ended()}}); }},
      {jobs + "Watch", [&] { return client.ask_more(jobs + "Watch", {{"id", ended()}}); }},
      {jobs + "Show",
       [&] {
         const std::string waiting = client.submit("echo", Json::object(), {{"after", {sleep()}}, {"retry", {{"max", 2}}}, {"timeout", 5}});
         return once(jobs + "Show", {{"id", waiting}});
       }},
      {jobs + "List", [&] { return client.ask_more(jobs + "List", {{"states", {"queued", "held", "running", "succeeded", "failed"}}}); }},
      {jobs + "Cancel", [&] { return once(jobs + "Cancel", {{"id", sleep()}, {"reason", "a test"}}); }},
      {jobs + "Retry", [&] { return once(jobs + "Retry", {{"id", ended()}}); }},
      {jobs + "Remove", [&] { return once(jobs + "Remove", {{"states", {"succeeded"}}}); }},
      {jobs + "Logs", [&] { return client.ask_more(jobs + "Logs", {{"id", ended()}}); }},
      {jobs + "Stack", [&] { return once(jobs + "Stack"); }},
      {jobs + "ListKinds", [&] { return once(jobs + "ListKinds"); }},
      {jobs + "ListContexts",
       [&] {
         client.run("probe.set", {{"value", "x"}}, {{"context", "mine"}});
         return once(jobs + "ListContexts");
       }},
      {jobs + "DropContext",
       [&] {
         client.run("probe.set", {{"value", "x"}}, {{"context", "mine"}});
         return once(jobs + "DropContext", {{"name", "mine"}});
       }},
      {own + "Status", [&] { return once(own + "Status"); }},
      {own + "Pause", [&] { return once(own + "Pause", {{"group", "other"}}); }},
      {own + "Resume", [&] { return once(own + "Resume", {{"group", "other"}}); }},
      {own + "SetGroup", [&] { return once(own + "SetGroup", {{"name", "other"}, {"limit", 2}}); }},
      {own + "Drain",
       [&] {
         Daemon drained({.with_probe = false});
         return Replies{SocketClient(drained).ask(own + "Drain")};
       }},
      {own + "Reload", [&] { return once(own + "Reload"); }},
      {own + "Metrics", [&] { return once(own + "Metrics"); }},
      {own + "SetLogLevel", [&] { return once(own + "SetLogLevel", {{"level", 6}}); }},
      {own + "Subscribe",
       [&] {
         SocketClient subscriber(daemon);
         subscriber.call(own + "Subscribe", Json::object(), {{"more", true}});
         subscriber.call(jobs + "Submit", {{"kind", "echo"}}, {{"oneway", true}});
         return Replies{subscriber.reply()};
       }},
      {service + "Ping", [&] { return once(service + "Ping"); }},
      {service + "Reload", [&] { return once(service + "Reload"); }},
      {service + "SetLogLevel", [&] { return once(service + "SetLogLevel", {{"level", 6}}); }},
      {service + "GetEnvironment", [&] { return once(service + "GetEnvironment"); }},
      {varlink + "GetInfo", [&] { return once(varlink + "GetInfo"); }},
      {varlink + "GetInterfaceDescription", [&] { return once(varlink + "GetInterfaceDescription", {{"interface", "io.corund.Jobs"}}); }},
  };
  once(own + "SetGroup", {{"name", "other"}, {"limit", 1}});
  for (const auto& [name, interface] : descriptions().all())
    for (const auto& [method, declared] : interface.methods) {
      const std::string full = name + "." + method;
      INFO(full);
      const auto call = calls.find(full);
      REQUIRE(call != calls.end());
      const Replies replies = call->second();
      INFO(replies.back().dump(2));
      CHECK(error_of(replies.back()) == "");
      // Each refuses what it does not know, and that too is described.
      CHECK(error_of(declared.requires_more ? client.ask_more(full, {{"nonsense", 1}}).back() : client.ask(full, {{"nonsense", 1}})) ==
            "InvalidParameter");
      if (declared.requires_more) CHECK(error_of(client.ask(full)) == "ExpectedMore");
    }
}

TEST_CASE("every error that a caller can bring about has the name and the parameters of its description") {
  Daemon daemon({.config = "[limits]\njobs_queued = 8\n[groups.one]\nlimit = 1\n"});
  SocketClient client(daemon);
  std::set<std::string> seen;
  const auto raised = [&](const Json& reply) { seen.insert(reply.value("error", "none: " + reply.dump())); };
  const auto fails = [&](const std::string& method, const Json& parameters = Json::object()) { raised(client.ask(method, parameters)); };
  const std::string running = client.submit("sleep", {{"seconds", 3600}});
  const std::string unknown = "01J00000000000000000000000";

  fails("a.b.C");
  fails("io.corund.Jobs.Nothing");
  fails("io.corund.Jobs.Show");
  fails("io.corund.Jobs.List");
  fails("io.corund.Jobs.Run", {{"kind", "nothing"}});
  fails("io.corund.Jobs.Show", {{"id", unknown}});
  fails("io.corund.Jobs.DropContext", {{"name", "none"}});
  fails("io.corund.Jobs.Run", {{"kind", "probe.throw"}});
  fails("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 3600}}}, {"timeout", 0.01}});
  fails("io.corund.Jobs.Wait", {{"id", running}, {"timeout", 0.01}});
  fails("io.corund.Jobs.Retry", {{"id", running}});
  fails("io.corund.Daemon.Pause", {{"group", "none"}});
  {
    const std::string failing = client.submit("probe.throw");
    client.wait(failing);
    fails("io.corund.Jobs.Run", {{"kind", "echo"}, {"after", {failing}}});
    SocketClient waiting(daemon), other(daemon);
    waiting.call("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 3600}}}, {"labels", {{"of", "waiting"}}}});
    std::string id;
    REQUIRE(tests::eventually([&] {
      const auto found = other.ask_more("io.corund.Jobs.List", {{"labels", {{"of", "waiting"}}}}).front()["parameters"];
      if (found.contains("job")) id = found["job"]["id"];
      return !id.empty();
    }));
    other.ask("io.corund.Jobs.Cancel", {{"id", id}, {"reason", "a test"}});
    raised(waiting.reply());
  }
  {
    SocketClient broken(daemon);
    broken.send(std::string("[1]\0", 4));
    raised(broken.reply());
  }
  {
    Json last;
    for (int i = 0; i < 20 && error_of(last) == ""; ++i) last = client.run("echo", Json::object(), {{"context", "c" + std::to_string(i)}});
    raised(last);
    last = {};
    for (int i = 0; i < 12 && error_of(last) == ""; ++i)
      last = client.ask("io.corund.Jobs.Submit", {{"kind", "sleep"}, {"args", {{"seconds", 3600}}}, {"group", "one"}});
    raised(last);
  }
  {
    tests::TempDir directory;
    const tests::DaemonOptions options = {.arguments = {"--state", directory / "state"}};
    {
      Daemon killed(options);
      SocketClient(killed).submit("sleep", {{"seconds", 3600}}, {{"key", "k"}});
      killed.signal(SIGKILL);
      killed.wait();
    }
    Daemon next(options);
    raised(SocketClient(next).run("sleep", {{"seconds", 3600}}, {{"key", "k"}}));
  }
  tests::write_file(daemon.directory() / "corund.toml", "[stop]\ngrace = \"soon\"\n[log]\nlevel = 3\n");
  fails("io.corund.Daemon.Reload");
  if (::geteuid() == 0) {
    REQUIRE(::chmod((daemon.directory() / ".").c_str(), 0755) == 0);
    REQUIRE(::chmod(daemon.socket().c_str(), 0666) == 0);
    std::optional<SocketClient> stranger;
    {
      const tests::AsUser now(65534);
      stranger.emplace(daemon);
    }
    for (const char* method : {"io.corund.Daemon.Drain", "io.corund.Daemon.Reload", "io.systemd.service.Reload",
                               "io.systemd.service.GetEnvironment"}) {
      INFO(method);
      CHECK(error_of(stranger->ask(method)) == "PermissionDenied");
    }
    for (const char* method : {"io.corund.Daemon.SetLogLevel", "io.systemd.service.SetLogLevel"}) {
      INFO(method);
      CHECK(error_of(stranger->ask(method, {{"level", 3}})) == "PermissionDenied");
    }
    CHECK(error_of(stranger->ask("io.corund.Jobs.Show", {{"id", running}})) == "JobNotFound");
    CHECK(error_of(stranger->ask("io.systemd.service.Ping")) == "");
    raised(stranger->ask("io.corund.Daemon.Drain"));
  } else {
    seen.insert("org.varlink.service.PermissionDenied");  // nobody but root can be two users
  }
  daemon.signal(SIGTERM);
  daemon.wait_for_notification("STOPPING=1");
  fails("io.corund.Jobs.Run", {{"kind", "echo"}});

  const std::set<std::string> elsewhere = {
      "org.varlink.service.MethodNotImplemented",         // no method is left that would say so
      "io.corund.Jobs.StoreFull",                         // needs a disk that is full: test_errors has its form
      "io.systemd.service.InconsistentEnvironment",       // test_daemon_varlink
  };
  for (const auto& [name, interface] : descriptions().all())
    for (const auto& [error, parameters] : interface.errors) {
      const std::string full = name + "." + error;
      INFO(full);
      CHECK((seen.count(full) == 1) != (elsewhere.count(full) == 1));
    }
}
