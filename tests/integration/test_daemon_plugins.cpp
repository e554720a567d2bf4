// SPDX-License-Identifier: MIT
// Kinds from plugins in the real daemon: their schemas, their state, their hooks, their children.
#include "integration/daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::Daemon;
using tests::error_of;
using tests::Json;
using tests::SocketClient;

TEST_CASE("args that do not fit a plugin's schema are refused before the job is accepted") {
  Daemon daemon({.more_plugins = {GREET_PLUGIN}});
  SocketClient client(daemon);
  struct Case {
    Json args;
    std::string path;
  };
  for (const Case& wrong : {Case{{{"name", ""}}, "args.name"}, Case{{{"name", 5}}, "args.name"}, Case{{{"nam", "x"}}, "args.nam"}}) {
    Json reply = client.run("greet.hello", wrong.args);
    INFO(wrong.args.dump() << " -> " << reply.dump());
    CHECK(error_of(reply) == "InvalidParameter");
    CHECK(reply["parameters"]["parameter"] == wrong.path);
  }
  Json many = client.ask("io.corund.Jobs.SubmitMany",
                         {{"jobs", Json::array({{{"kind", "greet.hello"}}, {{"kind", "greet.hello"}, {"args", {{"name", 1}}}}})}});
  CHECK(many["parameters"]["parameter"] == "jobs[1].args.name");
  CHECK(client.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["succeeded"] == 0);
}

TEST_CASE("a plugin's state is warm from the start, and its jobs may have jobs") {
  Daemon daemon({.more_plugins = {GREET_PLUGIN}});
  SocketClient client(daemon);
  Json reply = client.run("greet.hello", {{"name", "you"}})["parameters"];
  CHECK(reply["result"] == Json{{"greeting", "Hello, you!"}, {"served", 1}});
  reply = client.run("greet.twice")["parameters"];
  CHECK(reply["result"]["greetings"] == Json::array({"Hello, World!", "Hello, World!"}));
  CHECK(client.run("greet.hello")["parameters"]["result"]["served"] == 4);
  Json kinds = client.ask("io.corund.Jobs.ListKinds")["parameters"]["kinds"];
  for (const Json& kind : kinds)
    if (kind["name"] == "greet.hello") {
      CHECK(kind["origin"].get<std::string>().ends_with("corund-greet.so"));
      CHECK(kind["timeout"] == 30);
      CHECK(kind["group"] == "greetings");
      CHECK(Json::parse(kind["argsSchema"].get<std::string>())["type"] == "object");
    }
}

TEST_CASE("a result that does not fit its schema fails the job, and says where") {
  Daemon daemon;
  SocketClient client(daemon);
  CHECK(client.run("probe.promise", {{"result", {{"sum", 4}}}})["parameters"]["result"]["sum"] == 4);
  for (const auto& [result, path] : {std::pair<Json, std::string>{{{"sum", "4"}}, "result.sum"}, {Json::object(), "result.sum"}}) {
    Json reply = client.run("probe.promise", {{"result", result}});
    INFO(reply.dump());
    CHECK(error_of(reply) == "JobFailed");
    CHECK(reply["parameters"]["type"] == "SchemaError");
    CHECK(reply["parameters"]["message"].get<std::string>().find(path) != std::string::npos);
    CHECK(reply["parameters"]["result"] == result);
  }
}
