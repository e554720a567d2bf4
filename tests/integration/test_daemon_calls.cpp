// SPDX-License-Identifier: MIT
// Every method, and the wire's manners, against the real binary.
#include <cstdio>

#include "integration/daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::Daemon;
using tests::error_of;
using tests::Json;
using tests::SocketClient;

TEST_CASE("a JSON line through socat is answered") {
  if (std::system("command -v socat >/dev/null 2>&1") != 0) CORUND_SKIP("socat is not installed");
  Daemon daemon;
  const std::string command = R"(printf '{"method":"io.corund.Jobs.Run","parameters":{"kind":"echo","args":{"x":1}}}\n' | socat -t 5 - UNIX:)" +
                              daemon.socket();
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), pipe));
  CHECK(::pclose(pipe) == 0);
  REQUIRE(text.ends_with('\n'));
  Json reply = Json::parse(text)["parameters"];
  CHECK(reply["state"] == "succeeded");
  CHECK(reply["result"] == Json{{"x", 1}});
  CHECK(reply["id"].get<std::string>().size() == 26);
}

TEST_CASE("unknown interfaces and methods are told apart") {
  Daemon daemon;
  SocketClient client(daemon);
  CHECK(client.ask("io.corund.Nothing.Run")["error"] == "org.varlink.service.InterfaceNotFound");
  CHECK(client.ask("io.corund.Jobs.Nothing")["error"] == "org.varlink.service.MethodNotFound");
  CHECK(client.ask("Nothing")["error"] == "org.varlink.service.InterfaceNotFound");
}

TEST_CASE("wrong parameters are named by their path, and the connection lives") {
  Daemon daemon;
  SocketClient client(daemon);
  struct Case {
    Json parameters;
    std::string path;
  };
  const std::vector<Case> cases = {
      {{{"args", Json::object()}}, "kind"},
      {{{"kind", 5}}, "kind"},
      {{{"kind", "echo"}, {"arg", 1}}, "arg"},
      {{{"kind", "echo"}, {"args", 5}}, "args"},
      {{{"kind", "echo"}, {"priority", 101}}, "priority"},
      {{{"kind", "echo"}, {"timeout", -1}}, "timeout"},
      {{{"kind", "echo"}, {"labels", {{"a", 1}}}}, "labels.a"},
      {{{"kind", "echo"}, {"ack", "tape"}}, "ack"},
      {{{"kind", "echo"}, {"delay", -1}}, "delay"},
      {{{"kind", "echo"}, {"retry", {{"max", 0}}}}, "retry.max"},
      {{{"kind", "echo"}, {"retry", {{"delay", 1}}}}, "retry.max"},
      {{{"kind", "echo"}, {"retry", {{"max", 3}, {"often", true}}}}, "retry.often"},
      {{{"kind", "echo"}, {"after", Json::array({"x"})}}, "after[0]"},
      {{{"kind", "echo"}, {"key", ""}}, "key"},
      {{{"kind", "sleep"}, {"args", {{"seconds", "long"}}}}, "args.seconds"},
      {{{"kind", "sleep"}}, "args.seconds"},
      {{{"kind", "sleep"}, {"args", {{"seconds", 1}, {"speed", 2}}}}, "args.speed"},
  };
  for (const auto& wrong : cases) {
    Json reply = client.ask("io.corund.Jobs.Run", wrong.parameters);
    INFO(wrong.parameters.dump() << " -> " << reply.dump());
    CHECK(reply["error"] == "org.varlink.service.InvalidParameter");
    CHECK(reply["parameters"]["parameter"] == wrong.path);
  }
  CHECK(client.ask("io.corund.Jobs.Run", {{"kind", "nothing"}})["error"] == "io.corund.Jobs.KindNotFound");
  // null is the same as leaving it out.
  CHECK(error_of(client.run("echo", {{"y", 2}}, {{"delay", nullptr}, {"retry", nullptr}, {"ack", "memory"}, {"timeout", nullptr}})) == "");
}

TEST_CASE("what needs `more` says so, upgrade is refused, oneway is not answered") {
  Daemon daemon;
  SocketClient client(daemon);
  CHECK(error_of(client.ask("io.corund.Jobs.List")) == "ExpectedMore");
  CHECK(error_of(client.ask("io.corund.Jobs.Watch", {{"id", "x"}})) == "ExpectedMore");
  client.call("org.varlink.service.GetInfo", Json::object(), {{"upgrade", true}});
  Json reply = client.reply();
  CHECK(reply["parameters"]["parameter"] == "upgrade");
  client.call("io.corund.Jobs.Run", {{"kind", "echo"}}, {{"oneway", true}});
  client.call("io.corund.Jobs.Nothing", Json::object(), {{"oneway", true}});
  CHECK(client.ask("org.varlink.service.GetInfo")["parameters"]["product"] == "corund");
}

TEST_CASE("a submitted job can be waited for, shown and listed") {
  Daemon daemon;
  SocketClient client(daemon);
  std::string id = client.submit("sleep", {{"seconds", 0.05}}, {{"labels", {{"who", "test"}}}, {"priority", 7}, {"group", "mine"}});
  Json job = client.wait(id);
  CHECK(job["id"] == id);
  CHECK(job["state"] == "succeeded");
  CHECK(job["result"]["seconds"] == 0.05);
  CHECK(job["labels"] == Json{{"who", "test"}});
  CHECK(job["priority"] == 7);
  CHECK(job["group"] == "mine");
  CHECK(job["attached"] == false);
  CHECK(job["attempts"].size() == 1);
  CHECK(job["attempts"][0]["steps"].get<int>() >= 2);
  CHECK(job["submittedUSec"].get<std::int64_t>() <= job["startedUSec"].get<std::int64_t>());
  CHECK(job["startedUSec"].get<std::int64_t>() + 50000 <= job["endedUSec"].get<std::int64_t>());
  CHECK(client.show(id) == job);

  std::string other = client.submit("echo");
  client.wait(other);
  auto all = client.ask_more("io.corund.Jobs.List");
  REQUIRE(all.size() == 2);
  CHECK(all[0]["parameters"]["job"]["id"] == id);
  CHECK(all[1]["parameters"]["job"]["id"] == other);
  auto newest = client.ask_more("io.corund.Jobs.List", {{"newestFirst", true}, {"limit", 1}});
  REQUIRE(newest.size() == 1);
  CHECK(newest[0]["parameters"]["job"]["id"] == other);
  CHECK(client.ask_more("io.corund.Jobs.List", {{"kinds", Json::array({"sleep"})}}).size() == 1);
  CHECK(client.ask_more("io.corund.Jobs.List", {{"labels", {{"who", "test"}}}})[0]["parameters"]["job"]["id"] == id);
  auto none = client.ask_more("io.corund.Jobs.List", {{"states", Json::array({"failed"})}});
  REQUIRE(none.size() == 1);
  CHECK_FALSE(none[0]["parameters"].contains("job"));
  CHECK(error_of(client.ask("io.corund.Jobs.Show", {{"id", "01J00000000000000000000000"}})) == "JobNotFound");
}

TEST_CASE("a wait that is too short says so, and the job goes on") {
  Daemon daemon;
  SocketClient client(daemon);
  std::string id = client.submit("sleep", {{"seconds", 3600}});
  Json reply = client.ask("io.corund.Jobs.Wait", {{"id", id}, {"timeout", 0.02}});
  CHECK(error_of(reply) == "WaitTimedOut");
  CHECK(client.show(id)["state"] == "running");
}

TEST_CASE("events come first where a Run asks for more, and Watch tells them again") {
  Daemon daemon;
  SocketClient client(daemon);
  auto replies = client.ask_more("io.corund.Jobs.Run", {{"kind", "probe.talk"}, {"args", {{"count", 2}, {"seconds", 0.01}}}});
  std::vector<std::string> types;
  for (std::size_t i = 0; i + 1 < replies.size(); ++i) types.push_back(replies[i]["parameters"]["event"]["type"]);
  CHECK(types == std::vector<std::string>{"queued", "started", "progress", "log", "event", "output", "progress", "log", "event", "output"});
  CHECK(replies.back()["parameters"]["result"]["told"] == 2);
  std::string id = replies.back()["parameters"]["id"];
  auto watched = client.ask_more("io.corund.Jobs.Watch", {{"id", id}});
  REQUIRE(watched.size() == types.size() + 1);
  CHECK(watched.back()["parameters"]["event"]["type"] == "ended");
  CHECK(watched.back()["parameters"]["event"]["state"] == "succeeded");
  CHECK(watched[2]["parameters"]["event"]["progress"]["text"] == "step 0");
  CHECK(watched[4]["parameters"]["event"]["data"] == Json{{"number", 0}});
  CHECK(watched[5]["parameters"]["event"]["stream"] == "stdout");
  CHECK(client.show(id)["stdoutTail"] == "line 0\nline 1\n");
}

TEST_CASE("the stack of a job says where it is suspended") {
  Daemon daemon;
  SocketClient client(daemon);
  std::string id = client.submit("probe.group", {{"seconds", 3600}, {"count", 2}});
  Json reply = client.ask("io.corund.Jobs.Stack", {{"id", id}});
  INFO(reply.dump(2));
  CHECK(reply["parameters"]["tasks"].size() == 3);
  std::string text = reply["parameters"]["text"];
  CHECK(text.find("probe.cpp") != std::string::npos);
  CHECK(text.find("wait_and_tell") != std::string::npos);
  CHECK(client.ask("io.corund.Jobs.Stack")["parameters"]["tasks"].size() >= 3);
}

TEST_CASE("kinds say where they come from") {
  Daemon daemon;
  SocketClient client(daemon);
  Json reply = client.ask("io.corund.Jobs.ListKinds");
  bool has_echo = false, has_probe = false;
  for (const auto& kind : reply["parameters"]["kinds"]) {
    if (kind["name"] == "echo") has_echo = kind["origin"] == "built in" && kind["summary"] == "Return the arguments";
    if (kind["name"] == "probe.set")
      has_probe = kind["origin"].get<std::string>().ends_with("corund-probe.so") && kind["group"] == "default";
  }
  CHECK(has_echo);
  CHECK(has_probe);
}

TEST_CASE("the service describes itself with the interfaces' own files") {
  Daemon daemon;
  SocketClient client(daemon);
  Json info = client.ask("org.varlink.service.GetInfo")["parameters"];
  CHECK(info["interfaces"] == Json::array({"org.varlink.service", "io.corund.Jobs", "io.corund.Daemon", "io.systemd.service"}));
  for (const std::string name : {"io.corund.Jobs", "io.corund.Daemon", "org.varlink.service"}) {
    Json reply = client.ask("org.varlink.service.GetInterfaceDescription", {{"interface", name}});
    CHECK(reply["parameters"]["description"].get<std::string>().find("interface " + name) != std::string::npos);
  }
  CHECK(error_of(client.ask("org.varlink.service.GetInterfaceDescription", {{"interface", "a.b"}})) == "InterfaceNotFound");
}

TEST_CASE("the status counts what there is") {
  Daemon daemon;
  SocketClient client(daemon);
  client.submit("sleep", {{"seconds", 3600}});
  client.run("echo");
  client.run("probe.throw");
  Json status = client.ask("io.corund.Daemon.Status")["parameters"];
  INFO(status.dump(2));
  CHECK(status["state"] == "running");
  CHECK(status["pid"] == daemon.pid());
  CHECK(status["jobs"]["running"] == 1);
  CHECK(status["jobs"]["succeeded"] == 1);
  CHECK(status["jobs"]["failed"] == 1);
  CHECK(status["sessions"] == 1);
}

TEST_CASE("replies come in the order of the calls while jobs run at once") {
  Daemon daemon;
  SocketClient client(daemon);
  client.call("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 0.3}}}});
  client.call("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 0.2}}}});
  client.call("io.corund.Jobs.Run", {{"kind", "echo"}, {"args", {{"n", 3}}}});
  client.call("io.corund.Jobs.Show", {{"id", "none"}});
  const Json first = client.reply()["parameters"], second = client.reply()["parameters"];
  CHECK(first["result"]["seconds"] == 0.3);
  CHECK(second["result"]["seconds"] == 0.2);
  CHECK(client.reply()["parameters"]["result"]["n"] == 3);
  CHECK(error_of(client.reply()) == "JobNotFound");
  CHECK(client.show(second["id"])["startedUSec"] < client.show(first["id"])["endedUSec"]);
}
