// SPDX-License-Identifier: MIT
// bench_echo: what an echo job costs the daemon, as a ratio to a server that only moves the same bytes.
//
// Both run as children, side by side; rounds of one and the other alternate, with one call in flight and with sixteen. A round's figure is
// the CPU time of all the server's threads per call; the least of the rounds counts, because other load only adds.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "bench/echo/server.hpp"

namespace {

struct Options {
  std::string daemon;
  std::string before;  // another build of it, measured in the same rounds; empty: none
  std::string log_level = "info";
  std::size_t rounds = 15;
  std::size_t calls = 4096;  // of a round
  std::string json;
};

constexpr char call[] = R"({"method":"io.corund.Jobs.Run","parameters":{"kind":"echo","args":{"x":1,"text":"hello"}}})";

[[noreturn]] void usage(const char* program, int code) {
  std::fprintf(code ? stderr : stdout, "usage: %s --daemon PATH [--before PATH] [--log-level LEVEL] [--rounds N] [--calls N] [--json FILE]\n", program);
  std::exit(code);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--help") usage(argv[0], 0);
    if (i + 1 == argc) usage(argv[0], 2);
    std::string value = argv[++i];
    if (word == "--daemon") options.daemon = value;
    else if (word == "--before") options.before = value;
    else if (word == "--log-level") options.log_level = value;
    else if (word == "--rounds") options.rounds = std::stoul(value);
    else if (word == "--calls") options.calls = std::stoul(value);
    else if (word == "--json") options.json = value;
    else usage(argv[0], 2);
  }
  if (options.daemon.empty() || options.rounds == 0) usage(argv[0], 2);
  return options;
}

// What one server took per call, round by round.
struct Figures {
  std::vector<double> ns;
  double minimum() const { return *std::min_element(ns.begin(), ns.end()); }
  double median() const {
    auto sorted = ns;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

double round_of(bench::Server& server, const std::string& request, std::size_t reply_bytes, std::size_t calls, std::size_t in_flight) {
  std::string batch;
  for (std::size_t i = 0; i < in_flight; ++i) batch += request;
  double before = server.cpu_ns();
  for (std::size_t done = 0; done < calls; done += in_flight) {
    server.send(batch);
    server.receive(in_flight * reply_bytes);
  }
  return (server.cpu_ns() - before) / static_cast<double>(calls);
}

std::string folder_of(const char* program) {
  std::string path = program;
  auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

int run(const Options& options, const char* program) {
  char folder[] = "/tmp/bench-echo-XXXXXX";
  if (!::mkdtemp(folder)) throw std::runtime_error("mkdtemp");
  std::string base = folder;
  const std::string request(call, sizeof call);  // with its NUL
  Figures figures[3][2];
  std::size_t reply_bytes = 0;
  constexpr std::size_t in_flight[] = {1, 16};
  {
    bench::Server daemon({options.daemon, "--socket", base + "/corund.sock", "--state", base + "/state", "--log-level", options.log_level},
                         base + "/corund.sock");
    daemon.send(request);
    std::string reply = daemon.receive_frame();
    if (reply.find("\"succeeded\"") == reply.npos) throw std::runtime_error("not an echo: " + reply);
    reply_bytes = reply.size();
    bench::Server bytes({folder_of(program) + "/byte_echo", base + "/bytes.sock", std::to_string(request.size()), std::to_string(reply_bytes)},
                        base + "/bytes.sock");
    std::unique_ptr<bench::Server> before;
    if (!options.before.empty())
      before = std::make_unique<bench::Server>(
          std::vector<std::string>{options.before, "--socket", base + "/before.sock", "--state", base + "/before", "--log-level", options.log_level},
          base + "/before.sock");
    for (std::size_t n : in_flight) {  // warm
      if (before) round_of(*before, request, reply_bytes, options.calls, n);
      round_of(daemon, request, reply_bytes, options.calls, n);
      round_of(bytes, request, reply_bytes, options.calls, n);
    }
    for (std::size_t r = 0; r < options.rounds; ++r)
      for (int k = 0; k < 2; ++k) {
        figures[0][k].ns.push_back(round_of(daemon, request, reply_bytes, options.calls, in_flight[k]));
        figures[1][k].ns.push_back(round_of(bytes, request, reply_bytes, options.calls, in_flight[k]));
        if (before) figures[2][k].ns.push_back(round_of(*before, request, reply_bytes, options.calls, in_flight[k]));
      }
  }
  std::string remove = "rm -rf '" + base + "'";
  if (std::system(remove.c_str()) != 0) std::fprintf(stderr, "left %s\n", folder);

  std::printf("server CPU per echo job, %zu bytes in, %zu out; log level %s\n", request.size(), reply_bytes, options.log_level.c_str());
  std::printf("  %-12s %22s %22s   %s\n", "in flight", "corund min (median)", "bytes min (median)", "ratio");
  for (int k = 0; k < 2; ++k)
    std::printf("  %-12zu %10.2f (%7.2f) us %10.2f (%7.2f) us   %5.2f\n", in_flight[k], figures[0][k].minimum() / 1000,
                figures[0][k].median() / 1000, figures[1][k].minimum() / 1000, figures[1][k].median() / 1000,
                figures[0][k].minimum() / figures[1][k].minimum());
  for (int k = 0; k < 2 && !options.before.empty(); ++k)
    std::printf("  %-12zu %10.2f (%7.2f) us before                       %5.2f\n", in_flight[k], figures[2][k].minimum() / 1000,
                figures[2][k].median() / 1000, figures[0][k].minimum() / figures[2][k].minimum());
  if (!options.json.empty()) {
    std::FILE* file = std::fopen(options.json.c_str(), "w");
    if (!file) throw std::runtime_error("cannot write " + options.json);
    std::fprintf(file, "{\"request_bytes\": %zu, \"reply_bytes\": %zu, \"log_level\": \"%s\", \"rounds\": %zu, \"in_flight\": {", request.size(),
                 reply_bytes, options.log_level.c_str(), options.rounds);
    for (int k = 0; k < 2; ++k) {
      std::fprintf(file, "%s\"%zu\": {\"corund_ns\": %.0f, \"bytes_ns\": %.0f, \"ratio\": %.3f", k ? ", " : "", in_flight[k],
                   figures[0][k].minimum(), figures[1][k].minimum(), figures[0][k].minimum() / figures[1][k].minimum());
      if (!options.before.empty()) std::fprintf(file, ", \"before_ns\": %.0f", figures[2][k].minimum());
      std::fprintf(file, "}");
    }
    std::fprintf(file, "}}\n");
    std::fclose(file);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv), argv[0]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_echo: %s\n", e.what());
    return 1;
  }
}
