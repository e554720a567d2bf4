// SPDX-License-Identifier: MIT
#include "daemon/kinds/sleep.hpp"

namespace corund::kinds {
namespace {

struct SleepArgs {
  double seconds = 0;
};

void from_json(const Json& json, SleepArgs& args) {
  const Json& seconds = json.at("seconds");
  seconds.get_to(args.seconds);
  if (!(args.seconds >= 0)) throw Json::type_error::create(302, "must not be negative", &seconds);
  for (const auto& [key, value] : json.items())
    if (key != "seconds") throw Json::type_error::create(302, "no such argument", &value);
}

corun::Coro<Json> sleep(JobContext&, SleepArgs args) {
  co_await corun::sleep(std::chrono::duration<double>(args.seconds));
  co_return Json{{"seconds", args.seconds}};
}

}  // namespace

void add_sleep(KindRegistry& registry) {
  registry.add("sleep", sleep,
               {.summary = "Wait so many seconds",
                .args_schema = R"({"type":"object","properties":{"seconds":{"type":"number","minimum":0}},)"
                               R"("required":["seconds"],"additionalProperties":false})"});
}

}  // namespace corund::kinds
