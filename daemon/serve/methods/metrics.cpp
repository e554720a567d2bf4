// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/metrics.hpp"

#include <cmath>
#include <cstdio>
#include <initializer_list>

#include "daemon/wire/object.hpp"

namespace corund::serve::methods {
namespace {

// The text, family by family: a name, its type and help, then its samples.
class Exposition {
 public:
  // help: one line without quotes or backslashes. unit: the name's last word, where it has one.
  void family(std::string_view name, std::string_view type, std::string_view help, std::string_view unit = {}) {
    name_ = name;
    line({"# TYPE ", name, " ", type});
    if (!unit.empty()) line({"# UNIT ", name, " ", unit});
    line({"# HELP ", name, " ", help});
  }
  // suffix: "_total" of counters, "_info" of an info. label: nothing, or the one label's name and its value.
  void sample(double value, std::string_view suffix = {}, std::string_view label = {}, std::string_view label_value = {}) {
    text_.append(name_).append(suffix);
    if (!label.empty()) {
      text_.append("{").append(label).append("=\"");
      escape(label_value);
      text_.append("\"}");
    }
    char number[32];
    // Counts are written whole: %g would round large ones.
    const bool is_whole = value == std::floor(value) && std::fabs(value) < 9e15;
    std::snprintf(number, sizeof number, is_whole ? " %.0f\n" : " %.15g\n", value);
    text_ += number;
  }
  void one(std::string_view name, std::string_view help, double value, std::string_view unit = {}) {
    family(name, "gauge", help, unit);
    sample(value);
  }
  void total(std::string_view name, std::string_view help, double value) {
    family(name, "counter", help);
    sample(value, "_total");
  }
  void quantiles(std::string_view name, std::string_view help, double p50, double p99, double max) {
    family(name, "summary", help, "seconds");
    sample(p50, {}, "quantile", "0.5");
    sample(p99, {}, "quantile", "0.99");
    sample(max, {}, "quantile", "1.0");
  }
  std::string finish() && {
    text_ += "# EOF\n";
    return std::move(text_);
  }

 private:
  void line(std::initializer_list<std::string_view> parts) {
    for (std::string_view part : parts) text_ += part;
    text_ += '\n';
  }
  void escape(std::string_view value) {
    for (char c : value)
      if (c == '\n')
        text_ += "\\n";
      else if (c == '"' || c == '\\')
        text_ += '\\', text_ += c;
      else
        text_ += c;
  }

  std::string_view name_;
  std::string text_;
};

void write_jobs(Exposition& out, const job::Counts& counts) {
  auto each = [&](bool over, std::string_view suffix) {
    for (job::State state : job::all_states)
      if (job::is_over(state) == over)
        out.sample(static_cast<double>(counts[static_cast<std::size_t>(state)]), suffix, "state", job::name(state));
  };
  out.family("corund_jobs", "gauge", "Jobs that are not over.");
  each(false, {});
  out.family("corund_jobs_ended", "counter", "Jobs that have ended since the start.");
  each(true, "_total");
}

void write_groups(Exposition& out, const run::Groups& groups) {
  auto family = [&](std::string_view name, std::string_view help, auto&& value) {
    out.family(name, "gauge", help);
    for (const auto& [group, it] : groups.all()) out.sample(static_cast<double>(value(*it)), {}, "group", group);
  };
  family("corund_group_limit", "Jobs of the group that may run at once.", [](const run::Group& group) { return group.limit(); });
  family("corund_group_running", "Jobs of the group that run.", [](const run::Group& group) { return group.running(); });
  family("corund_group_queued", "Jobs that wait for room in the group.", [](const run::Group& group) { return group.queued(); });
  family("corund_group_paused", "Whether no job of the group is started, by an administrator.",
         [&](const run::Group& group) { return group.paused() || groups.all_paused(); });
}

std::string exposition(const Host& host) {
  const corun::LoopStats loop = corun::get_running_loop().stats();
  Exposition out;
  out.family("corund", "info", "The daemon.");
  out.sample(1, "_info", "version", host.version);
  out.one("corund_start_time_seconds", "When the daemon started, since the epoch.", static_cast<double>(host.started_us) / 1e6, "seconds");
  out.one("corund_draining", "Whether nothing new is taken.", host.admission.is_draining());
  write_jobs(out, host.table.counts());
  write_groups(out, host.admission.groups());
  out.quantiles("corund_loop_lag_seconds", "How late the event loop was, lately.", loop.lag_p50, loop.lag_p99, loop.lag_max);
  out.total("corund_loop_steps", "Steps of the event loop.", static_cast<double>(loop.steps));
  out.one("corund_loop_tasks", "Tasks that are not done.", static_cast<double>(loop.tasks));
  out.one("corund_sessions", "Open connections.", static_cast<double>(host.sessions));
  out.one("corund_executor_threads", "Threads for blocking functions.", static_cast<double>(host.executor->threads()));
  out.one("corund_executor_busy", "Threads that run one.", static_cast<double>(host.executor->busy()));
  if (const auto store = host.ledger.stats()) {
    out.one("corund_store_bytes", "Size of the store.", static_cast<double>(store->bytes), "bytes");
    out.quantiles("corund_store_commit_seconds", "How long commits took, lately.", store->commit.p50, store->commit.p99,
                  store->commit.max);
  }
  out.total("corund_journal_dropped", "Log records dropped because the log could not keep up.",
            static_cast<double>(host.journal.dropped()));
  return std::move(out).finish();
}

}  // namespace

void metrics(Call& call) {
  wire::ObjectReader in(call.request.parameters());
  if (in.next()) in.fail();
  if (!in.ok()) return call.invalid(in.wrong());
  call.reply([&](wire::JsonWriter& out) { out.key("text").string(exposition(call.host)); });
}

}  // namespace corund::serve::methods
