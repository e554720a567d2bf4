// SPDX-License-Identifier: MIT
// The screen is what `status` and `list` say, once a moment. It asks over one connection, and finds the daemon again after a restart.
#include "client/advice.hpp"
#include "client/screen.hpp"
#include "client/verbs/common.hpp"
#include "client/verbs/verbs.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>

namespace corunctl::verbs {

namespace {

using Clock = std::chrono::steady_clock;

std::string number(const Json& of, const char* name) { return safe_text(value_text(of.value(name, Json()))); }

// Jobs that have ended since the daemon started.
std::int64_t ended_in(const Json& status) {
  std::int64_t sum = 0;
  for (const char* state : {"succeeded", "failed", "cancelled", "timedOut", "lost"}) sum += status.value("jobs", Json::object()).value(state, std::int64_t{0});
  return sum;
}

// What the last frame knew, for what is told by the second.
struct Last {
  std::int64_t ended = 0;
  std::int64_t steps = 0;
  std::int64_t daemon_started_usec = 0;  // another one counts anew
  Clock::time_point at;
};

std::string rate_text(std::int64_t now, std::int64_t before, double seconds) {
  if (seconds <= 0) return "-";
  const double rate = static_cast<double>(now - before) / seconds;
  return (rate < 10 ? std::to_string(static_cast<int>(rate * 10) / 10.0).substr(0, 3) : std::to_string(static_cast<std::int64_t>(rate))) + "/s";
}

std::vector<std::string> head(const Json& status, Last& last) {
  std::vector<std::string> lines;
  const Json jobs = status.value("jobs", Json::object());
  const std::int64_t ended = ended_in(status), steps = status.value("steps", std::int64_t{0}), started = status.value("startedUSec", std::int64_t{0});
  const auto now = Clock::now();
  const double seconds = last.daemon_started_usec == started ? std::chrono::duration<double>(now - last.at).count() : 0;
  lines.push_back("corund " + number(status, "version") + ", pid " + number(status, "pid") + ", " + number(status, "state") + ", since " + time_text(started));
  lines.push_back("jobs: " + number(jobs, "running") + " running, " + number(jobs, "queued") + " queued, " + number(jobs, "delayed") + " delayed, " +
                  number(jobs, "held") + " held, " + std::to_string(ended) + " ended (" + rate_text(ended, last.ended, seconds) + "), " +
                  number(jobs, "failed") + " of them failed");
  const Json lag = status.value("loopLag", Json::object());
  std::string loop = "loop: " + number(status, "tasks") + " tasks, " + rate_text(steps, last.steps, seconds) + " steps, lag " + duration_text(lag.value("p50", 0.0)) +
                     " (median), " + duration_text(lag.value("p99", 0.0)) + " (99th of 100); " + number(status, "sessions") + " sessions";
  if (const Json commit = status.value("commitSeconds", Json()); commit.is_object()) loop += "; commit " + duration_text(commit.value("p50", 0.0));
  lines.push_back(loop);
  for (const Json& group : status.value("groups", Json::array()))
    if (group.value("running", 0) > 0 || group.value("queued", 0) > 0 || group.value("paused", false))
      lines.push_back("group " + number(group, "name") + ": " + number(group, "running") + " of " + number(group, "limit") + " running, " + number(group, "queued") +
                      " queued" + (group.value("paused", false) ? ", paused" : ""));
  last = {ended, steps, started, now};
  return lines;
}

std::string line_of(const std::vector<std::string>& cells) {
  constexpr std::size_t widths[] = {27, 13, 10, 11, 10};
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += cells[i];
    if (i >= std::size(widths)) continue;
    std::size_t shown = 0;
    for (const char byte : cells[i]) shown += (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
    line.append(shown < widths[i] ? widths[i] - shown : 1, ' ');
  }
  return line;
}

void add_jobs(std::vector<std::string>& lines, Connection& connection, const Options& options, std::vector<std::string> states, std::size_t most) {
  if (most == 0) return;
  Filter filter;
  filter.states = std::move(states);
  filter.limit = static_cast<std::int64_t>(most);
  connection.send(jobs_method("List"), filter_parameters(filter), {.more = true});
  each_reply(connection, options, [&](const Json& reply) {
    const Json job = reply.value("job", Json());
    if (!job.is_object()) return;
    std::vector<std::string> cells = job_cells(job);
    cells.erase(cells.begin() + 4);  // when it was submitted
    lines.push_back(line_of(cells));
  });
}

// One picture of the daemon. lines_max: of the whole; the running jobs come first, then those that wait.
std::vector<std::string> frame(Connection& connection, const Options& options, Last& last, std::size_t lines_max) {
  const auto status = ask(connection, options, daemon_method("Status"), "{}");
  std::vector<std::string> lines = head(status.value_or(Json::object()), last);
  lines.emplace_back();
  lines.push_back(line_of({"ID", "KIND", "STATE", "GROUP", "TOOK", ""}));
  const auto room = [&] { return lines.size() < lines_max ? lines_max - lines.size() : 0; };
  add_jobs(lines, connection, options, {"running"}, room());
  add_jobs(lines, connection, options, {"queued", "delayed", "held"}, room());
  return lines;
}

}  // namespace

int top(const Options& options) {
  const auto interval = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout.empty() ? 1000 : seconds_from(options.timeout) * 1000));
  if (interval < std::chrono::milliseconds(100)) throw Failure("--interval is 100ms at least");
  if (options.json) return status(options);
  Last last;
  Connection connection = connect(options);
  if (!is_terminal()) {
    constexpr std::size_t lines = 50;
    for (const std::string& line : frame(connection, options, last, lines)) std::cout << line << '\n';
    return exit_code::success;
  }
  Screen screen;
  for (bool is_connected = true;;) {
    try {
      if (!is_connected) is_connected = connection.try_reconnect();
      screen.draw(is_connected ? frame(connection, options, last, screen.size().lines) : std::vector<std::string>{"The daemon is not there. Waiting for it; q leaves."});
    } catch (const Refusal&) {
      throw;
    } catch (const Failure&) {
      is_connected = false;  // it ended meanwhile
    }
    if (!screen.wait(interval)) return exit_code::success;
  }
}

}  // namespace corunctl::verbs
