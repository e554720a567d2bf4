// SPDX-License-Identifier: MIT
// What the codec costs by itself: scanning by bytes, and everything it does for one echoed job.
#include "daemon/wire/frame.hpp"
#include "daemon/wire/object.hpp"
#include "daemon/wire/reply.hpp"
#include "daemon/wire/request.hpp"

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <string>

namespace {

using namespace corund::wire;

std::string call_with(std::string_view args) {
  return R"({"method":"io.corund.Jobs.Run","parameters":{"kind":"echo","args":)" + std::string(args) + "}}" + '\0';
}

std::string repeated(std::string_view piece, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += piece;
  return text;
}

std::string sample(int which) {
  switch (which) {
    case 0: return call_with("{\"text\":\"" + repeated("The quick brown fox jumps over the lazy dog. ", 1 << 20) + "\"}");
    case 1: return call_with("{\"text\":\"" + repeated("\xd0\xa1\xd1\x8a\xd0\xb5\xd1\x88\xd1\x8c \xe2\x82\xac ", 1 << 20) + "\"}");
    case 2: return call_with("{\"text\":\"" + repeated("line\\nline\\t\\u00e9 ", 1 << 20) + "\"}");
    case 3: return call_with("{\"numbers\":[" + repeated("12345, -0.5, 17, ", 1 << 20) + "0]}");
    default: return call_with("{\"rows\":[" + repeated(R"({"id":17,"name":"row","tags":["a","b"],"on":true},)", 1 << 20) + "{}]}");
  }
}

constexpr const char* sample_names[] = {"plain text", "two- and three-byte text", "escapes", "numbers", "small objects"};

void scan(benchmark::State& state) {
  std::string bytes = sample(static_cast<int>(state.range(0)));
  FrameScanner scanner;
  for (auto _ : state)
    if (scanner.feed(bytes).status != ScanStatus::frame) std::abort();
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes.size() * state.iterations()));
  state.SetLabel(sample_names[state.range(0)]);
}
BENCHMARK(scan)->DenseRange(0, 4);

void nlohmann_accept(benchmark::State& state) {
  std::string bytes = sample(static_cast<int>(state.range(0)));
  bytes.pop_back();
  for (auto _ : state)
    if (!nlohmann::json::accept(bytes)) std::abort();
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes.size() * state.iterations()));
  state.SetLabel(sample_names[state.range(0)]);
}
BENCHMARK(nlohmann_accept)->DenseRange(0, 4);

void scan_one_call(benchmark::State& state) {
  std::string bytes = call_with(R"({"x":1,"y":"two"})");
  FrameScanner scanner;
  for (auto _ : state)
    if (scanner.feed(bytes).status != ScanStatus::frame) std::abort();
  state.SetLabel(std::to_string(bytes.size()) + " bytes");
}
BENCHMARK(scan_one_call);

// Bytes to request, parameters to kind and args, outcome to reply: all of the codec's part in one job.
void echo_one_call(benchmark::State& state) {
  std::string bytes = call_with(R"({"x":1,"y":"two"})");
  FrameScanner scanner;
  std::string out;
  std::string kind;
  for (auto _ : state) {
    out.clear();
    if (scanner.feed(bytes).status != ScanStatus::frame) std::abort();
    auto request = parse_request(scanner.frame());
    ObjectReader in(request->parameters());
    std::string_view args = "{}";
    while (in.next()) {
      if (in.key() == "kind") in.read(kind);
      else if (in.key() == "args") in.read_object_text(args);
      else in.fail();
    }
    if (!in.ok()) std::abort();
    ReplyBuilder reply(out, scanner.terminator());
    reply.parameters().key("id").string("01J00000000000000000000000").key("state").string("succeeded").key("result").raw(args);
    reply.finish();
    benchmark::DoNotOptimize(out.data());
  }
  state.SetLabel(std::to_string(bytes.size()) + " bytes in, " + std::to_string(out.size()) + " out");
}
BENCHMARK(echo_one_call);

void nlohmann_echo_one_call(benchmark::State& state) {
  std::string bytes = call_with(R"({"x":1,"y":"two"})");
  bytes.pop_back();
  for (auto _ : state) {
    auto call = nlohmann::json::parse(bytes);
    nlohmann::json reply = {{"parameters",
                             {{"id", "01J00000000000000000000000"},
                              {"state", "succeeded"},
                              {"result", std::move(call["parameters"]["args"])}}}};
    benchmark::DoNotOptimize(reply.dump());
  }
}
BENCHMARK(nlohmann_echo_one_call);

void write_string(benchmark::State& state) {
  std::string text = state.range(0) == 0 ? repeated("The quick brown fox jumps over the lazy dog. ", 1 << 20)
                                         : repeated("\x1b[31mred\x1b[0m \"quoted\"\n", 1 << 20);
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_string(out, text);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size() * state.iterations()));
  state.SetLabel(state.range(0) == 0 ? "plain text" : "terminal output");
}
BENCHMARK(write_string)->DenseRange(0, 1);

}  // namespace

BENCHMARK_MAIN();
