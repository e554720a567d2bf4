// SPDX-License-Identifier: MIT
#include <corund/plugin.hpp>

#include "../run/engine.hpp"

using corun::Coro;
namespace job = corund::job;
using corund::job::JobRef;
using corund::job::State;
using corund::Json;
using corund::JobContext;
using corund::JsonText;
using tests::Engine;

namespace {

struct Size {
  int width = 0;
  int height = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Size, width, height)

struct ResizeArgs {
  std::string path;
  std::vector<Size> sizes;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ResizeArgs, path, sizes)

// Says how often it was made from JSON.
struct CountedArgs {
  static inline int conversions = 0;
  std::string value;
};
void from_json(const Json& json, CountedArgs& args) {
  ++CountedArgs::conversions;
  json.at("value").get_to(args.value);
}

Coro<Size> typed(JobContext&, ResizeArgs args) { co_return args.sizes.at(0); }
Coro<Json> tree(JobContext&, Json args) { co_return Json{{"got", args}}; }
Coro<JsonText> text(JobContext&, std::string_view args) { co_return JsonText(std::string(args)); }
Coro<> nothing(JobContext&) { co_return; }

}  // namespace

TEST_CASE("kinds of every form are run with what they want and give back what they return") {
  Engine engine;
  engine.add("typed", typed);
  engine.add("tree", tree);
  engine.add("text", text);
  engine.add("nothing", nothing);
  int factor = 3;
  engine.add("lambda", [factor](JobContext&, Json args) -> Coro<Json> { co_return Json{{"n", factor * args["n"].get<int>()}}; });
  engine.run([&]() -> Coro<> {
    auto run = [&](std::string kind, std::string args) -> Coro<std::string> {
      JobRef job = engine.submit(kind, {}, args);
      co_await corund::job::ended(job);
      CHECK(job->state == State::succeeded);
      co_return std::string(job->record().outcome.result.view());
    };
    std::string result = co_await run("typed", R"({"path":"p","sizes":[{"width":2,"height":3}]})");
    CHECK(result == R"({"height":3,"width":2})");
    result = co_await run("tree", R"({"a":1})");
    CHECK(result == R"({"got":{"a":1}})");
    result = co_await run("text", R"({ "a" : 1 })");
    CHECK(result == R"({ "a" : 1 })");
    result = co_await run("nothing", "{}");
    CHECK(result == "");
    result = co_await run("lambda", R"({"n":14})");
    CHECK(result == R"({"n":42})");
  });
}

TEST_CASE("args that were checked are not converted again for the job that starts with them") {
  Engine engine;
  engine.add("counted", [](JobContext&, CountedArgs args) -> Coro<Json> { co_return Json{{"value", args.value}}; });
  const job::Kind& kind = *engine.registry.find("counted");
  engine.run([&]() -> Coro<> {
    const auto run = [&](std::string args) -> Coro<std::string> {
      JobRef job = engine.submit("counted", {}, args);
      co_await corund::job::ended(job);
      co_return std::string(job->record().outcome.result.view());
    };
    CountedArgs::conversions = 0;
    CHECK_FALSE(kind.check(R"({"value":"one"})"));
    std::string result = co_await run(R"({"value":"one"})");
    CHECK(result == R"({"value":"one"})");
    CHECK(CountedArgs::conversions == 1);
    result = co_await run(R"({"value":"one"})");  // another one with the same args: the first took them
    CHECK(result == R"({"value":"one"})");
    CHECK(CountedArgs::conversions == 2);
    CHECK_FALSE(kind.check(R"({"value":"two"})"));
    CHECK(kind.check(R"({"value":3})") == "args.value");
    result = co_await run(R"({"value":"other"})");
    CHECK(result == R"({"value":"other"})");
    CHECK(CountedArgs::conversions == 5);
    const std::string large = R"({"value":")" + std::string(10'000, 'x') + R"("})";
    CHECK_FALSE(kind.check(large));
    result = co_await run(large);
    CHECK(result == large);
    CHECK(CountedArgs::conversions == 7);
  });
}

TEST_CASE("wrong args are found before the job is, with their path") {
  Engine engine;
  engine.add("typed", typed);
  engine.add("tree", tree);
  const auto& check = engine.registry.find("typed")->check;
  CHECK_FALSE(check(R"({"path":"p","sizes":[]})"));
  CHECK(check(R"({"path":5,"sizes":[]})") == "args.path");
  CHECK(check(R"({"sizes":[]})") == "args.path");
  CHECK(check(R"({"path":"p","sizes":[{"width":1,"height":2},{"width":"x","height":2}]})") == "args.sizes[1].width");
  CHECK(check(R"({"path":"p","sizes":[{"width":1}]})") == "args.sizes[0].height");
  CHECK_FALSE(engine.registry.find("tree")->check);
}
