// SPDX-License-Identifier: MIT
// bench_core: libcorun beside what else there is, in one interleaved run.
//
// Each row is done in many short rounds, one of each contestant after the other, the first one another in each round; what counts is the
// least CPU time that a round took, because other load on the machine only ever adds. So ratios hold on a busy machine, absolute
// figures less so.
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>

#include "bench/core/contestant.hpp"

namespace {

using bench::Contestant;
using bench::Memory;
using bench::Sample;

struct Options {
  std::size_t rounds = 40;
  double round_ms = 2;  // CPU time that a round aims at
  std::string json;
  std::string script;
  std::vector<std::string> only_rows;
  std::vector<std::string> only_contestants;
  bool python = true;
  std::string memory_of;  // the mode of the child that measures memory
};

// What became of one contestant in one row.
struct Cell {
  std::size_t ops = 0;
  std::vector<Sample> samples;

  double minimum() const {
    double least = samples.front().cpu_ns;
    for (const Sample& s : samples) least = std::min(least, s.cpu_ns);
    return least;
  }
  double median() const {
    std::vector<double> all;
    for (const Sample& s : samples) all.push_back(s.cpu_ns);
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
  }
  // The least of the rounds: growth of a pool belongs to the first ones.
  double allocations() const {
    double least = samples.front().allocations;
    for (const Sample& s : samples) least = std::min(least, s.allocations);
    return least;
  }
  // Of the best round, for the same reason as the minimum: a sleeper on a busy CPU is late by other processes' turns.
  std::optional<double> late_p50_us() const {
    std::vector<double> all;
    for (const Sample& s : samples)
      if (s.late_p50_us) all.push_back(*s.late_p50_us);
    if (all.empty()) return std::nullopt;
    return *std::min_element(all.begin(), all.end());
  }
};

using Row = std::map<std::string, Cell>;

constexpr std::size_t sleeping_tasks = 100'000;

[[noreturn]] void usage(const char* program, int code) {
  std::fprintf(code ? stderr : stdout,
               "usage: %s [--rounds N] [--round-ms MS] [--row TEXT]... [--of CONTESTANT]... [--cpu N] [--json FILE] [--no-python]\n"
               "--row and --of: those whose name contains TEXT\n",
               program);
  std::exit(code);
}

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) throw std::runtime_error("--cpu: no such CPU for this process");
}

Options parse(int argc, char** argv) {
  Options options;
  options.script = BENCH_ASYNCIO_SCRIPT;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    auto value = [&]() -> std::string {
      if (++i == argc) usage(argv[0], 2);
      return argv[i];
    };
    if (word == "--rounds") options.rounds = std::max(1ul, std::stoul(value()));
    else if (word == "--round-ms") options.round_ms = std::stod(value());
    else if (word == "--row") options.only_rows.push_back(value());
    else if (word == "--of") options.only_contestants.push_back(value());
    else if (word == "--cpu") pin(std::stoi(value()));
    else if (word == "--json") options.json = value();
    else if (word == "--no-python") options.python = false;
    else if (word == "--memory-of") options.memory_of = value();
    else usage(argv[0], word == "--help" ? 0 : 2);
  }
  return options;
}

bool wanted(const std::vector<std::string>& only, std::string_view name) {
  return only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& part) { return name.find(part) != name.npos; });
}

// Operations for a round of about the time that is aimed at; whole chains and batches.
std::size_t calibrate(Contestant& contestant, std::string_view row, double round_ms) {
  if (row == bench::rows::sleeps) return bench::rows::sleepers;
  if (row == bench::rows::timer) return 20;
  std::size_t ops = 1000;
  if (row == bench::rows::cancel || row == bench::rows::throw1 || row == bench::rows::throw10 || row == bench::rows::thread) ops = 50;
  contestant.round(row, ops);
  double cpu_ns = std::max(1.0, contestant.round(row, ops).cpu_ns);
  std::size_t count = static_cast<std::size_t>(round_ms * 1e6 / cpu_ns);
  if (row == bench::rows::chain) count -= count % bench::rows::chain_frames;
  if (row == bench::rows::batch) count -= count % bench::rows::batch_tasks;
  return std::max(count, ops);
}

Row run_row(std::string_view row, std::vector<std::unique_ptr<Contestant>>& contestants, const Options& options) {
  std::vector<Contestant*> taking_part;
  for (auto& contestant : contestants)
    if (contestant->has(row)) taking_part.push_back(contestant.get());
  Row cells;
  for (Contestant* contestant : taking_part)
    cells[std::string(contestant->name())].ops = calibrate(*contestant, row, options.round_ms);
  for (std::size_t round = 0; round < options.rounds; ++round) {
    for (std::size_t k = 0; k < taking_part.size(); ++k) {
      Contestant& contestant = *taking_part[(k + round) % taking_part.size()];
      Cell& cell = cells[std::string(contestant.name())];
      cell.samples.push_back(contestant.round(row, cell.ops));
    }
  }
  return cells;
}

// In a process of its own, so that one contestant's free lists do not serve another.
std::optional<Memory> memory_of(const std::string& self, std::string_view contestant) {
  std::string command = "'" + self + "' --memory-of '" + std::string(contestant) + "'";
  std::FILE* child = ::popen(command.c_str(), "r");
  if (!child) return std::nullopt;
  Memory memory;
  bool said = std::fscanf(child, "%lf %lf", &memory.heap_bytes, &memory.resident_bytes) == 2;
  ::pclose(child);
  return said ? std::optional<Memory>(memory) : std::nullopt;
}

std::string amount(double ns) {
  char text[32];
  if (ns < 100) std::snprintf(text, sizeof text, "%.1f ns", ns);
  else if (ns < 10'000) std::snprintf(text, sizeof text, "%.0f ns", ns);
  else std::snprintf(text, sizeof text, "%.1f us", ns / 1000);
  return text;
}

void print_row(std::string_view row, const Row& cells, const std::vector<std::unique_ptr<Contestant>>& contestants) {
  std::printf("\n%.*s\n", static_cast<int>(row.size()), row.data());
  auto ours = cells.find("corun");
  for (auto& contestant : contestants) {
    auto found = cells.find(std::string(contestant->name()));
    if (found == cells.end()) continue;
    const Cell& cell = found->second;
    std::printf("  %-18s min %10s   median %10s", found->first.c_str(), amount(cell.minimum()).c_str(), amount(cell.median()).c_str());
    if (cell.allocations() >= 0) std::printf("   %6.3f allocations", cell.allocations());
    if (ours != cells.end() && found != ours) std::printf("   corun/this %5.2f", ours->second.minimum() / cell.minimum());
    if (auto late = cell.late_p50_us()) std::printf("   late p50 %.0f us", *late);
    std::printf("\n");
  }
  std::fflush(stdout);
}

void write_json(const Options& options, const std::vector<std::pair<std::string_view, Row>>& rows,
                const std::map<std::string, Memory>& memory) {
  std::FILE* file = std::fopen(options.json.c_str(), "w");
  if (!file) throw std::runtime_error("cannot write " + options.json);
  utsname system{};
  ::uname(&system);
  std::fprintf(file, "{\n  \"compiler\": \"%s\",\n  \"kernel\": \"%s\",\n  \"cpus\": %ld,\n  \"rounds\": %zu,\n  \"rows\": {", BENCH_COMPILER,
               system.release, ::sysconf(_SC_NPROCESSORS_ONLN), options.rounds);
  const char* comma = "";
  for (const auto& [name, cells] : rows) {
    std::fprintf(file, "%s\n    \"%.*s\": {", comma, static_cast<int>(name.size()), name.data());
    const char* inner = "";
    for (const auto& [who, cell] : cells) {
      std::fprintf(file, "%s\n      \"%s\": {\"ops\": %zu, \"cpu_ns_min\": %.2f, \"cpu_ns_median\": %.2f", inner, who.c_str(), cell.ops,
                   cell.minimum(), cell.median());
      if (cell.allocations() >= 0) std::fprintf(file, ", \"allocations\": %.4f", cell.allocations());
      if (auto late = cell.late_p50_us()) std::fprintf(file, ", \"late_p50_us\": %.1f", *late);
      std::fprintf(file, "}");
      inner = ",";
    }
    std::fprintf(file, "\n    }");
    comma = ",";
  }
  std::fprintf(file, "\n  },\n  \"bytes_per_sleeping_task\": {");
  comma = "";
  for (const auto& [who, bytes] : memory) {
    std::fprintf(file, "%s\n    \"%s\": {\"heap\": %.0f, \"resident\": %.0f}", comma, who.c_str(), bytes.heap_bytes, bytes.resident_bytes);
    comma = ",";
  }
  std::fprintf(file, "\n  }\n}\n");
  std::fclose(file);
}

std::vector<std::unique_ptr<Contestant>> contestants_for(const Options& options) {
  std::vector<std::unique_ptr<Contestant>> all;
  auto add = [&](std::unique_ptr<Contestant> contestant) {
    if (contestant && wanted(options.only_contestants, contestant->name())) all.push_back(std::move(contestant));
  };
  add(bench::make_corun());
  add(bench::make_minimal());
  add(bench::make_asio_io_context());
  add(bench::make_asio_any_executor());
  if (options.python && wanted(options.only_contestants, "asyncio 3.13+")) add(bench::make_asyncio(options.script));
  return all;
}

int run(const Options& options, const std::string& self) {
  auto contestants = contestants_for(options);
  std::vector<std::pair<std::string_view, Row>> rows;
  for (std::string_view row : bench::rows::all) {
    if (!wanted(options.only_rows, row)) continue;
    rows.emplace_back(row, run_row(row, contestants, options));
    print_row(row, rows.back().second, contestants);
  }
  std::map<std::string, Memory> memory;
  if (wanted(options.only_rows, "bytes per sleeping task")) {
    std::printf("\nbytes per sleeping task (%zu of them)\n", sleeping_tasks);
    for (auto& contestant : contestants) {
      auto bytes = memory_of(self, contestant->name());
      if (!bytes) continue;
      memory[std::string(contestant->name())] = *bytes;
      std::printf("  %-18s heap %6.0f   resident %6.0f\n", std::string(contestant->name()).c_str(), bytes->heap_bytes, bytes->resident_bytes);
    }
  }
  if (!options.json.empty()) write_json(options, rows, memory);
  return 0;
}

int say_memory(const Options& options) {
  for (auto make : {bench::make_corun, bench::make_minimal, bench::make_asio_io_context, bench::make_asio_any_executor}) {
    auto contestant = make();
    if (contestant->name() != options.memory_of) continue;
    auto memory = contestant->sleeping_tasks(sleeping_tasks);
    if (!memory) return 1;
    std::printf("%f %f\n", memory->heap_bytes / sleeping_tasks, memory->resident_bytes / sleeping_tasks);
    return 0;
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options = parse(argc, argv);
    if (!options.memory_of.empty()) return say_memory(options);
    return run(options, argv[0]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_core: %s\n", e.what());
    return 1;
  }
}
