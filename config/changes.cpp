// SPDX-License-Identifier: MIT
#include "config/changes.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace corund::config {
namespace {

enum class When { live, restart };

struct Setting {
  std::string_view name;
  When when;
  bool (*same)(const Config&, const Config&);
  void (*copy)(Config& to, const Config& from);
};

template <auto Part, auto Member>
constexpr Setting setting(std::string_view name, When when) {
  return {name, when, [](const Config& a, const Config& b) { return a.*Part.*Member == b.*Part.*Member; },
          [](Config& to, const Config& from) { to.*Part.*Member = from.*Part.*Member; }};
}

using C = Config;
using enum When;

// Live: read where it is used, or told to its user by App::apply.
constexpr Setting settings[] = {
    setting<&C::runner, &RunnerConfig::debug>("runner.debug", live),
    setting<&C::runner, &RunnerConfig::slow_callback>("runner.slow_callback", live),
    setting<&C::socket, &SocketConfig::path>("socket.path", restart),
    setting<&C::socket, &SocketConfig::mode>("socket.mode", restart),
    setting<&C::socket, &SocketConfig::group>("socket.group", restart),
    setting<&C::socket, &SocketConfig::backlog>("socket.backlog", restart),
    setting<&C::access, &AccessConfig::view>("access.view", live),
    setting<&C::access, &AccessConfig::submit>("access.submit", live),
    setting<&C::access, &AccessConfig::admin>("access.admin", live),
    setting<&C::limits, &LimitsConfig::frame_bytes>("limits.frame_bytes", live),
    setting<&C::limits, &LimitsConfig::json_depth>("limits.json_depth", live),
    setting<&C::limits, &LimitsConfig::args_bytes>("limits.args_bytes", live),
    setting<&C::limits, &LimitsConfig::requests_in_flight>("limits.requests_in_flight", live),
    setting<&C::limits, &LimitsConfig::sessions>("limits.sessions", live),
    setting<&C::limits, &LimitsConfig::sessions_per_uid>("limits.sessions_per_uid", live),
    setting<&C::limits, &LimitsConfig::jobs_queued>("limits.jobs_queued", live),
    setting<&C::limits, &LimitsConfig::jobs_queued_per_uid>("limits.jobs_queued_per_uid", live),
    setting<&C::limits, &LimitsConfig::output_bytes>("limits.output_bytes", live),
    setting<&C::limits, &LimitsConfig::watchers_per_job>("limits.watchers_per_job", live),
    setting<&C::limits, &LimitsConfig::log_readers>("limits.log_readers", live),
    setting<&C::limits, &LimitsConfig::contexts_per_uid>("limits.contexts_per_uid", live),
    setting<&C::limits, &LimitsConfig::groups>("limits.groups", live),
    setting<&C::limits, &LimitsConfig::unread_changes>("limits.unread_changes", live),
    setting<&C::limits, &LimitsConfig::partial_frame_timeout>("limits.partial_frame_timeout", live),
    setting<&C::limits, &LimitsConfig::unread_reply_bytes>("limits.unread_reply_bytes", live),
    setting<&C::limits, &LimitsConfig::unread_reply_timeout>("limits.unread_reply_timeout", live),
    setting<&C::jobs, &JobsConfig::grace>("jobs.grace", live),
    setting<&C::jobs, &JobsConfig::kept>("jobs.kept", live),
    setting<&C::jobs, &JobsConfig::kept_for>("jobs.kept_for", live),
    setting<&C::jobs, &JobsConfig::kept_in_memory>("jobs.kept_in_memory", live),
    setting<&C::jobs, &JobsConfig::context_idle>("jobs.context_idle", live),
    setting<&C::exec, &ExecConfig::shell>("exec.shell", live),
    setting<&C::exec, &ExecConfig::line_bytes>("exec.line_bytes", live),
    setting<&C::exec, &ExecConfig::output_rate>("exec.output_rate", live),
    setting<&C::exec, &ExecConfig::output_burst>("exec.output_burst", live),
    setting<&C::store, &StoreConfig::path>("store.path", restart),
    setting<&C::stop, &StopConfig::grace>("stop.grace", live),
    setting<&C::plugins, &PluginsConfig::directories>("plugins.directories", restart),
    setting<&C::plugins, &PluginsConfig::required>("plugins.required", restart),
    setting<&C::log, &LogConfig::level>("log.level", live),
    setting<&C::log, &LogConfig::target>("log.target", restart),
    setting<&C::log, &LogConfig::attached_rate>("log.attached_rate", live),
    setting<&C::log, &LogConfig::queue_records>("log.queue_records", restart),
    setting<&C::executor, &ExecutorConfig::drain_timeout>("executor.drain_timeout", restart),
    setting<&C::executor, &ExecutorConfig::max_workers>("executor.max_workers", restart),
    setting<&C::watchdog, &WatchdogConfig::slow_step>("watchdog.slow_step", live),
};

// Of the tables whose keys are the user's own names. to_key: of such a name.
template <class Value, class ToKey>
void compare_entries(const std::map<std::string, Value>& before, const std::map<std::string, Value>& after, ToKey to_key,
                     std::vector<std::string>& changed) {
  std::set<std::string> names;
  for (const auto* entries : {&before, &after})
    for (const auto& [name, value] : *entries) names.insert(name);
  for (const std::string& name : names) {
    const auto in_before = before.find(name), in_after = after.find(name);
    if (in_before == before.end() || in_after == after.end() || !(in_before->second == in_after->second)) changed.push_back(to_key(name));
  }
}

}  // namespace

bool Changes::has(const std::string& key) const { return std::find(changed.begin(), changed.end(), key) != changed.end(); }

bool Changes::has_any(const std::string& prefix) const {
  return std::any_of(changed.begin(), changed.end(), [&](const std::string& key) { return key.starts_with(prefix); });
}

Changes take_over(Config& in_force, const Config& read) {
  Changes changes;
  for (const Setting& setting : settings) {
    if (setting.same(in_force, read)) continue;
    (setting.when == live ? changes.changed : changes.needs_restart).emplace_back(setting.name);
    if (setting.when == live) setting.copy(in_force, read);
  }
  compare_entries(in_force.access.kinds, read.access.kinds, [](const std::string& name) { return "access.kinds." + name; }, changes.changed);
  in_force.access.kinds = read.access.kinds;
  compare_entries(in_force.groups, read.groups, [](const std::string& name) { return "groups." + name + ".limit"; }, changes.changed);
  in_force.groups = read.groups;
  return changes;
}

std::vector<std::string> known_keys() {
  std::vector<std::string> names;
  for (const Setting& setting : settings) names.emplace_back(setting.name);
  return names;
}

bool needs_restart(const std::string& key) {
  return std::any_of(std::begin(settings), std::end(settings),
                     [&](const Setting& setting) { return setting.name == key && setting.when == restart; });
}

}  // namespace corund::config
