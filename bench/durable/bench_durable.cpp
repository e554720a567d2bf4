// SPDX-License-Identifier: MIT
// bench_durable: what it costs to have a job on the disk. The daemon, beside a bare writer with group commit,
// redis-server and beanstalkd, each a child with a directory of its own on one file system. For each number
// of connections and of calls in flight all are started, and rounds of each alternate; medians count. A round is longer than the 100 to 200 ms that
// the kernel's scheduler takes, after a pause, to find which thread belongs on which processor.
// Every call carries the same bytes.
//
// A round's CPU is that of all the server's threads since its round before: what it does when nobody asks
// (folding the WAL, removing what is over) is its own too.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/durable/load.hpp"
#include "bench/echo/server.hpp"

namespace {

struct Options {
  std::string daemon;
  std::string before;  // another build of it; empty: none
  std::string directory = ".";
  std::string log_level = "info";
  std::string redis = "/usr/bin/redis-server";
  std::string beanstalkd = "/usr/bin/beanstalkd";
  std::size_t rounds = 8;
  std::size_t round_ms = 400;
  std::string cell;  // "8x16": this one only
  std::string only;  // a contestant's name
  std::string json;
};

[[noreturn]] void usage(const char* program, int code) {
  std::fprintf(
      code ? stderr : stdout,
      "usage: %s --daemon PATH [--before PATH] [--directory DIR] [--log-level LEVEL] [--redis PATH] [--beanstalkd PATH]\n"
      "       [--rounds N] [--round-ms N] [--cell CONNECTIONSxCALLS] [--only NAME] [--json FILE]\n"
      "DIR: on the disk that is to be measured. A server whose binary is not there is left out.\n",
      program);
  std::exit(code);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--help") usage(argv[0], 0);
    if (i + 1 == argc) usage(argv[0], 2);
    std::string value = argv[++i];
    if (word == "--daemon")
      options.daemon = value;
    else if (word == "--before")
      options.before = value;
    else if (word == "--directory")
      options.directory = value;
    else if (word == "--log-level")
      options.log_level = value;
    else if (word == "--redis")
      options.redis = value;
    else if (word == "--beanstalkd")
      options.beanstalkd = value;
    else if (word == "--rounds")
      options.rounds = std::stoul(value);
    else if (word == "--round-ms")
      options.round_ms = std::stoul(value);
    else if (word == "--cell")
      options.cell = value;
    else if (word == "--only")
      options.only = value;
    else if (word == "--json")
      options.json = value;
    else
      usage(argv[0], 2);
  }
  if (options.daemon.empty() || options.rounds == 0) usage(argv[0], 2);
  return options;
}

const std::string submit =
    R"({"method":"io.corund.Jobs.Submit","parameters":{"kind":"echo","args":{"text":"The quick brown fox jumps over the lazy dog."}}})";

struct Contestant {
  std::string name;
  std::vector<std::string> command;
  std::string socket;
  std::string first_call;  // once, answered with a NUL at its end; empty: none
  std::string call, reply_begin;
  char reply_end = '\n';
};

// Each with a directory of its own under `base`, made here.
std::vector<Contestant> contestants(const Options& options, const std::string& base,
                                    const std::string& programs) {
  const auto directory = [&](const std::string& name) {
    std::filesystem::create_directories(base + "/" + name);
    return base + "/" + name;
  };
  std::vector<Contestant> all;
  const std::string config = base + "/corund.toml";  // where nothing is run, all that was submitted stays in the queue
  std::ofstream(config) << "[limits]\njobs_queued = 10000000\njobs_queued_per_uid = 10000000\n";
  const auto corund = [&](const std::string& name, const std::string& program, const std::string& first_call) {
    const std::string own = directory(name);
    all.push_back({name,
                   {program, "--config", config, "--socket", own + "/s", "--state", directory(name + "/state"),
                    "--log-level", options.log_level},
                   own + "/s",
                   first_call,
                   submit + '\0',
                   R"({"parameters":{"id":)",
                   '\0'});
  };
  using namespace std::string_literals;
  const std::string pause = "{\"method\":\"io.corund.Daemon.Pause\"}\0"s;
  corund("corund", options.daemon, pause);
  corund("corund, jobs run", options.daemon, "");
  if (!options.before.empty()) {
    corund("before", options.before, pause);
    corund("before, jobs run", options.before, "");
  }
  const auto size = static_cast<std::uint32_t>(submit.size());
  std::string delimited(sizeof size, '\0');
  std::memcpy(delimited.data(), &size, sizeof size);
  delimited += submit;
  for (const char* mode : {"append", "overwrite"}) {
    const std::string own = directory("bare "s + mode);
    all.push_back({"bare "s + mode,
                   {programs + "/group_commit", own + "/s", own + "/log", mode},
                   own + "/s",
                   "",
                   delimited,
                   "+"});
  }
  if (::access(options.redis.c_str(), X_OK) == 0) {
    const std::string own = directory("redis");
    all.push_back({"redis",
                   {options.redis, "--port", "0", "--unixsocket", own + "/s", "--dir", own, "--save", "",
                    "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"},
                   own + "/s",
                   "",
                   "*3\r\n$5\r\nRPUSH\r\n$4\r\njobs\r\n$" + std::to_string(size) + "\r\n" + submit + "\r\n",
                   ":"});
  }
  if (::access(options.beanstalkd.c_str(), X_OK) == 0) {
    const std::string own = directory("beanstalkd");
    all.push_back({"beanstalkd",
                   {options.beanstalkd, "-l", "unix:" + own + "/s", "-b", own, "-f", "0"},
                   own + "/s",
                   "",
                   "put 0 0 60 " + std::to_string(size) + "\r\n" + submit + "\r\n",
                   "INSERTED"});
  }
  return all;
}

// hundredths 50: the median.
double quantile(std::vector<double> values, std::size_t hundredths) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[(values.size() - 1) * hundredths / 100];
}
double median(const std::vector<double>& values) { return quantile(values, 50); }

struct Figures {
  std::string name;
  std::vector<double> rate, cpu_us;
};

struct Cell {
  std::size_t connections, in_flight;
  std::vector<Figures> figures;
};

class Running {
 public:
  Running(const Contestant& contestant, std::size_t connections, std::size_t in_flight)
      : server_(contestant.command, contestant.socket) {
    if (!contestant.first_call.empty()) {
      server_.send(contestant.first_call);
      server_.receive_frame();
    }
    load_ = std::make_unique<bench::Load>(contestant.socket, contestant.call, contestant.reply_begin,
                                          contestant.reply_end, connections, in_flight);
    load_->run(std::chrono::milliseconds(100));  // warm
    cpu_ns_ = server_.cpu_ns();
  }
  void round(std::chrono::milliseconds time, Figures& into) {
    const bench::LoadResult result = load_->run(time);
    const double before = std::exchange(cpu_ns_, server_.cpu_ns());
    into.rate.push_back(static_cast<double>(result.calls) / result.seconds);
    into.cpu_us.push_back((cpu_ns_ - before) / 1000 / static_cast<double>(result.calls));
  }

 private:
  bench::Server server_;
  std::unique_ptr<bench::Load> load_;
  double cpu_ns_ = 0;
};

Cell measure(const Options& options, const std::string& programs, std::size_t connections,
             std::size_t in_flight) {
  std::string base = std::filesystem::absolute(options.directory).string() +
                     "/durable-XXXXXX";  // absolute: servers change theirs
  if (!::mkdtemp(base.data())) throw std::runtime_error("cannot make a directory in " + options.directory);
  Cell cell{connections, in_flight, {}};
  {
    std::vector<std::unique_ptr<Running>> running;
    for (const Contestant& contestant : contestants(options, base, programs)) {
      if (!options.only.empty() && options.only != contestant.name) continue;
      running.push_back(std::make_unique<Running>(contestant, connections, in_flight));
      cell.figures.push_back({contestant.name, {}, {}});
    }
    // By chance, so that none always comes after the same other one: what that one left to the disk would be
    // its share of luck.
    std::mt19937 chance(1);
    std::vector<std::size_t> order(running.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t round = 0; round < options.rounds; ++round) {
      std::shuffle(order.begin(), order.end(), chance);
      for (std::size_t which : order)
        running[which]->round(std::chrono::milliseconds(options.round_ms), cell.figures[which]);
    }
  }
  std::filesystem::remove_all(base);
  return cell;
}

void print(const Cell& cell) {
  std::printf("%zu connections, %zu in flight\n", cell.connections, cell.in_flight);
  for (const Figures& figures : cell.figures)
    std::printf("  %-18s %9.0f jobs/s (p90 %9.0f) %8.1f us CPU (least %8.1f)\n", figures.name.c_str(),
                median(figures.rate), quantile(figures.rate, 90), median(figures.cpu_us),
                quantile(figures.cpu_us, 0));
  std::fflush(stdout);
}

void write(const std::string& path, const Options& options, const std::vector<Cell>& cells) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (!file) throw std::runtime_error("cannot write " + path);
  std::fprintf(
      file, "{\"call_bytes\": %zu, \"log_level\": \"%s\", \"rounds\": %zu, \"round_ms\": %zu, \"cells\": [",
      submit.size(), options.log_level.c_str(), options.rounds, options.round_ms);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::fprintf(file, "%s\n  {\"connections\": %zu, \"in_flight\": %zu", i ? "," : "", cells[i].connections,
                 cells[i].in_flight);
    for (const Figures& figures : cells[i].figures)
      std::fprintf(file,
                   ",\n    \"%s\": {\"jobs_per_second\": %.0f, \"jobs_per_second_p90\": %.0f, \"cpu_us\": "
                   "%.2f, \"cpu_us_min\": %.2f}",
                   figures.name.c_str(), median(figures.rate), quantile(figures.rate, 90),
                   median(figures.cpu_us), quantile(figures.cpu_us, 0));
    std::fprintf(file, "}");
  }
  std::fprintf(file, "\n]}\n");
  std::fclose(file);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    const std::string programs = std::filesystem::path(argv[0]).parent_path().string();
    std::vector<Cell> cells;
    for (std::size_t connections : {1, 8, 64})
      for (std::size_t in_flight : {1, 16}) {
        if (!options.cell.empty() &&
            options.cell != std::to_string(connections) + "x" + std::to_string(in_flight))
          continue;
        cells.push_back(measure(options, programs.empty() ? "." : programs, connections, in_flight));
        print(cells.back());
      }
    if (!options.json.empty()) write(options.json, options, cells);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_durable: %s\n", e.what());
    return 1;
  }
}
