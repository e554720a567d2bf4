// SPDX-License-Identifier: MIT
// bench_queue: does a job's cost depend on how many wait? For each depth a daemon is paused, filled, and let
// go: the time of a submission (of the last tenth), memory per job, the time of a job's start and end, the
// time of a start with all of them on disk. With ack memory and with ack disk. And the daemon at rest.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/durable/load.hpp"
#include "bench/queue/daemon.hpp"

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string daemon;
  std::string directory = ".";
  std::size_t deepest = 1'000'000;
  std::size_t rest_seconds = 10;
  std::string json;
};

[[noreturn]] void usage(const char* program, int code) {
  std::fprintf(code ? stderr : stdout,
               "usage: %s --daemon PATH [--directory DIR] [--deepest N] [--rest SECONDS] [--json FILE]\n",
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
    else if (word == "--directory")
      options.directory = value;
    else if (word == "--deepest")
      options.deepest = std::stoul(value);
    else if (word == "--rest")
      options.rest_seconds = std::stoul(value);
    else if (word == "--json")
      options.json = value;
    else
      usage(argv[0], 2);
  }
  if (options.daemon.empty()) usage(argv[0], 2);
  return options;
}

constexpr char args[] = R"({"text":"The quick brown fox jumps over the lazy dog."})";
constexpr std::size_t jobs_at_least = 20'000;  // of a figure: short queues are filled again and again

struct Directory {
  explicit Directory(const std::string& where)
      : path(std::filesystem::absolute(where).string() + "/queue-XXXXXX") {
    if (!::mkdtemp(path.data())) throw std::runtime_error("cannot make a directory in " + where);
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string path;
};

// Wall and CPU of the daemon since it was made, per job.
struct Cost {
  double wall_us = 0, cpu_us = 0;
};
class Meter {
 public:
  explicit Meter(const bench::Daemon& daemon) : daemon_(daemon), cpu_(daemon.cpu_ns()) {}
  void add_to(Cost& cost) const {
    cost.wall_us += std::chrono::duration<double, std::micro>(Clock::now() - begin_).count();
    cost.cpu_us += (daemon_.cpu_ns() - cpu_) / 1000;
  }

 private:
  const bench::Daemon& daemon_;
  double cpu_;
  Clock::time_point begin_ = Clock::now();
};

struct Row {
  std::size_t depth = 0;
  bool disk = false;
  Cost submit, life;         // life: of a job's start and end
  double bytes_per_job = 0;  // resident; 0: too few jobs to tell
  double start_seconds = 0, start_cpu_seconds = 0, started_bytes_per_job = 0;
};

std::string submission(bool disk) {
  return std::string(R"({"kind":"echo","ack":")") + (disk ? "disk" : "memory") + R"(","args":)" + args + "}";
}

// Several calls to a write, so that what is measured is the queue and not the socket or the disk's sync;
// fewer where the queue is short.
std::size_t calls_at_once(std::size_t depth, bool disk) {
  const std::size_t tenth = depth >= 100 ? depth / 10 : depth;
  return std::min<std::size_t>(tenth, disk ? 500 : 10);
}

void fill(bench::Daemon& daemon, std::size_t depth, bool disk, Cost& submit) {
  const std::string call =
      "{\"method\":\"io.corund.Jobs.Submit\",\"parameters\":" + submission(disk) + "}" + '\0';
  bench::Load load(daemon.socket(), call, R"({"parameters":{"id":)", '\0', 1, calls_at_once(depth, disk));
  const std::size_t last = depth >= 100 ? depth / 10 : depth;
  if (depth > last) load.run(std::chrono::minutes(5), depth - last);
  const Meter meter(daemon);
  load.run(std::chrono::minutes(5), last);
  meter.add_to(submit);
}

// Lets all go, and returns when the last one is over.
void drain(bench::Daemon& daemon, bool disk, Cost& life) {
  const std::string last = daemon.call("io.corund.Jobs.Submit", submission(disk));
  const std::string id = last.substr(last.find("\"id\":\"") + 6, 26);
  const Meter meter(daemon);
  daemon.call("io.corund.Daemon.Resume");
  daemon.call("io.corund.Jobs.Wait", "{\"id\":\"" + id + "\"}");
  for (;;) {
    const std::string status = daemon.call("io.corund.Daemon.Status");
    if (bench::Daemon::number(status, "queued") + bench::Daemon::number(status, "running") == 0) break;
  }
  meter.add_to(life);
}

void start_again(const Options& options, const Directory& directory, std::unique_ptr<bench::Daemon>& daemon,
                 Row& row, std::int64_t empty_bytes) {
  daemon.reset();
  daemon = std::make_unique<bench::Daemon>(options.daemon, directory.path);
  row.start_seconds = daemon->seconds_to_ready();
  row.start_cpu_seconds = daemon->cpu_ns() / 1e9;
  const auto queued = bench::Daemon::number(daemon->call("io.corund.Daemon.Status"), "queued");
  if (queued < static_cast<double>(row.depth)) throw std::runtime_error("jobs are missing after the start");
  if (row.depth >= 10'000)
    row.started_bytes_per_job =
        static_cast<double>(daemon->resident_bytes() - empty_bytes) / static_cast<double>(row.depth);
}

Row measure(const Options& options, std::size_t depth, bool disk) {
  Row row;
  row.depth = depth;
  row.disk = disk;
  const Directory directory(options.directory);
  auto daemon = std::make_unique<bench::Daemon>(options.daemon, directory.path);
  const std::int64_t empty_bytes = daemon->resident_bytes();
  const std::size_t cycles = depth >= jobs_at_least ? 1 : jobs_at_least / depth / (disk ? 10 : 1);
  for (std::size_t i = 0; i < std::max<std::size_t>(cycles, 1); ++i) {
    daemon->call("io.corund.Daemon.Pause");
    fill(*daemon, depth, disk, row.submit);
    if (i == 0 && depth >= 10'000)
      row.bytes_per_job =
          static_cast<double>(daemon->resident_bytes() - empty_bytes) / static_cast<double>(depth);
    if (i == 0 && disk) start_again(options, directory, daemon, row, empty_bytes);
    drain(*daemon, disk, row.life);
  }
  const auto submitted =
      static_cast<double>(std::max<std::size_t>(cycles, 1) * (depth >= 100 ? depth / 10 : depth));
  const auto lived = static_cast<double>(std::max<std::size_t>(cycles, 1) * (depth + 1));
  row.submit = {row.submit.wall_us / submitted, row.submit.cpu_us / submitted};
  row.life = {row.life.wall_us / lived, row.life.cpu_us / lived};
  return row;
}

struct Rest {
  double start_seconds = 0, start_cpu_seconds = 0, wakeups_per_second = 0, cpu_us_per_second = 0;
  std::int64_t resident_bytes = 0;
};

Rest at_rest(const Options& options) {
  const Directory directory(options.directory);
  { const bench::Daemon first(options.daemon, directory.path); }  // makes the store
  const bench::Daemon daemon(options.daemon, directory.path);
  Rest rest;
  rest.start_seconds = daemon.seconds_to_ready();
  rest.start_cpu_seconds = daemon.cpu_ns() / 1e9;
  std::this_thread::sleep_for(std::chrono::seconds(2));  // what follows a start is over
  const std::int64_t before = daemon.voluntary_switches();
  const double cpu_before = daemon.cpu_ns();
  std::this_thread::sleep_for(std::chrono::seconds(options.rest_seconds));
  rest.wakeups_per_second =
      static_cast<double>(daemon.voluntary_switches() - before) / static_cast<double>(options.rest_seconds);
  rest.cpu_us_per_second = (daemon.cpu_ns() - cpu_before) / 1000 / static_cast<double>(options.rest_seconds);
  rest.resident_bytes = daemon.resident_bytes();
  return rest;
}

void print(const Row& row) {
  std::printf(
      "%8zu %-6s  submit %6.2f us CPU %7.2f us   life %6.2f us CPU %7.2f us   %6.0f bytes   start %6.3f s "
      "(%.3f s CPU) %6.0f bytes\n",
      row.depth, row.disk ? "disk" : "memory", row.submit.cpu_us, row.submit.wall_us, row.life.cpu_us,
      row.life.wall_us, row.bytes_per_job, row.start_seconds, row.start_cpu_seconds,
      row.started_bytes_per_job);
  std::fflush(stdout);
}

void write(const std::string& path, const Rest& rest, const std::vector<Row>& rows) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (!file) throw std::runtime_error("cannot write " + path);
  std::fprintf(file,
               "{\"args_bytes\": %zu,\n \"rest\": {\"start_seconds\": %.4f, \"start_cpu_seconds\": %.4f, "
               "\"wakeups_per_second\": %.2f, "
               "\"cpu_us_per_second\": %.1f, \"resident_bytes\": %lld},\n \"rows\": [",
               sizeof args - 1, rest.start_seconds, rest.start_cpu_seconds, rest.wakeups_per_second,
               rest.cpu_us_per_second, static_cast<long long>(rest.resident_bytes));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    std::fprintf(file,
                 "%s\n  {\"depth\": %zu, \"ack\": \"%s\", \"submit_cpu_us\": %.3f, \"submit_us\": %.3f, "
                 "\"life_cpu_us\": %.3f, \"life_us\": %.3f, "
                 "\"bytes_per_job\": %.0f, \"start_seconds\": %.4f, \"start_cpu_seconds\": %.4f, "
                 "\"started_bytes_per_job\": %.0f}",
                 i ? "," : "", row.depth, row.disk ? "disk" : "memory", row.submit.cpu_us, row.submit.wall_us,
                 row.life.cpu_us, row.life.wall_us, row.bytes_per_job, row.start_seconds,
                 row.start_cpu_seconds, row.started_bytes_per_job);
  }
  std::fprintf(file, "\n]}\n");
  std::fclose(file);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    const Rest rest = at_rest(options);
    std::printf(
        "at rest: ready after %.1f ms (%.1f ms CPU), %.2f MiB resident, %.1f wake-ups a second, %.0f us CPU "
        "a second\n",
        rest.start_seconds * 1e3, rest.start_cpu_seconds * 1e3,
        static_cast<double>(rest.resident_bytes) / (1 << 20), rest.wakeups_per_second,
        rest.cpu_us_per_second);
    std::vector<Row> rows;
    for (bool disk : {false, true})
      for (std::size_t depth = 10; depth <= options.deepest; depth *= 10) {
        rows.push_back(measure(options, depth, disk));
        print(rows.back());
      }
    if (!options.json.empty()) write(options.json, rest, rows);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_queue: %s\n", e.what());
    return 1;
  }
}
