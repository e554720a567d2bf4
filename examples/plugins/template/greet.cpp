// SPDX-License-Identifier: MIT
// A plugin to begin with: copy this folder, rename the kind, write your coroutine. It shows what most kinds want: typed args with a
// schema, state that is made once and stays warm, blocking work in a thread, progress, a child job, and clean-up.
//
//   corunctl run greet.hello name=World        {"greeting":"Hello, World!","served":1}
#include <corund/plugin.hpp>

namespace {

using namespace std::chrono_literals;

struct HelloArgs {
  std::string name = "World";
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(HelloArgs, name)

// What is expensive to make: a model, a connection, a cache. One for the life of the daemon; the loop is one thread, so no lock.
struct Greeter {
  std::string greeting;
  int served = 0;
};
std::shared_ptr<Greeter> greeter;

Greeter make_greeter() { return {"Hello", 0}; }  // may take its time: it runs in a thread

corun::Coro<> start() { greeter = std::make_shared<Greeter>(co_await corun::to_thread(make_greeter)); }

corun::Coro<> stop() {
  greeter.reset();
  co_return;
}

corun::Coro<corund::Json> hello(corund::JobContext& job, HelloArgs args) {
  job.progress(0.5, "thinking of " + args.name);
  try {
    co_await corun::sleep(10ms);
  } catch (const corun::CancelledError&) {
    job.log(5, "nobody wants to be greeted any more");
    throw;  // a cancellation goes on its way
  }
  ++greeter->served;
  corund::Json result;
  result["greeting"] = greeter->greeting + ", " + args.name + "!";
  result["served"] = greeter->served;
  co_return result;
}

// Runs another kind as its own part: it is cancelled with this job and has no more time than this one.
corun::Coro<corund::Json> twice(corund::JobContext& job, HelloArgs args) {
  corund::Json parameters;
  parameters["name"] = args.name;
  corund::Json first = co_await job.run("greet.hello", parameters);
  corund::Json second = co_await job.run("greet.hello", parameters);
  corund::Json result;
  result["greetings"] = {first["greeting"], second["greeting"]};
  co_return result;
}

constexpr std::string_view args_schema = R"({
  "type": "object",
  "additionalProperties": false,
  "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 100}}
})";

}  // namespace

CORUND_PLUGIN(registry) {
  registry.add("greet.hello", hello, {.summary = "Greet somebody", .args_schema = args_schema, .timeout = 30s, .group = "greetings"});
  registry.add("greet.twice", twice, {.summary = "Greet somebody twice", .args_schema = args_schema});
  registry.at_start(start);
  registry.at_stop(stop);
}
