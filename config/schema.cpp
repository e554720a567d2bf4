// SPDX-License-Identifier: MIT
// A reader per type, each of which checks the range too; then the list. Ranges are there to catch a slip (a size where a count was
// meant, a limit of zero that would refuse everybody), not to judge taste.
#include "config/schema.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "config/accounts.hpp"
#include "config/units.hpp"

namespace corund::config {
namespace {

using Read = std::function<void(const toml::node&, const Complain&)>;

std::string type_name(const toml::node& node) {
  std::ostringstream text;
  text << node.type();
  return text.str();
}

void wrong_type(const toml::node& node, const Complain& complain, const std::string& expected) {
  complain(node, "must be " + expected + ", not " + type_name(node));
}

Read boolean(bool& to) {
  return [&to](const toml::node& node, const Complain& complain) {
    if (auto value = node.value_exact<bool>())
      to = *value;
    else
      wrong_type(node, complain, "true or false");
  };
}

Read count(std::size_t& to, std::size_t min, std::size_t max) {
  return [&to, min, max](const toml::node& node, const Complain& complain) {
    auto value = node.value_exact<std::int64_t>();
    if (!value) return wrong_type(node, complain, "an integer");
    if (*value < 0 || static_cast<std::size_t>(*value) < min || static_cast<std::size_t>(*value) > max)
      return complain(node, "must be between " + std::to_string(min) + " and " + std::to_string(max) + ", is " +
                                std::to_string(*value));
    to = static_cast<std::size_t>(*value);
  };
}

// A count for which a word stands where the machine is to decide.
Read count_or(std::size_t& to, const char* word, std::size_t meaning, std::size_t min, std::size_t max) {
  return [&to, word, meaning, min, max](const toml::node& node, const Complain& complain) {
    if (node.value_exact<std::string>() == word)
      to = meaning;
    else if (node.is_integer())
      count(to, min, max)(node, complain);
    else
      complain(node, "must be an integer or \"" + std::string(word) + "\"");
  };
}

Read size(std::size_t& to, std::size_t min, std::size_t max) {
  return [&to, min, max](const toml::node& node, const Complain& complain) {
    std::uint64_t value = 0;
    if (auto number = node.value_exact<std::int64_t>()) {
      if (*number < 0) return complain(node, "must not be negative");
      value = static_cast<std::uint64_t>(*number);
    } else if (auto text = node.value_exact<std::string>()) {
      auto parsed = parse_size(*text);
      if (!parsed) return complain(node, parsed.error());
      value = *parsed;
    } else {
      return wrong_type(node, complain, "a number of bytes or a string such as \"64KiB\"");
    }
    if (value < min || value > max)
      return complain(node, "must be between " + format_size(min) + " and " + format_size(max) + ", is " + format_size(value));
    to = value;
  };
}

// Takes the value on its way to a member; false where it was complained about.
bool read_duration(nanoseconds& to, const toml::node& node, const Complain& complain, nanoseconds min, nanoseconds max) {
  nanoseconds value{};
  if (auto text = node.value_exact<std::string>()) {
    auto parsed = parse_duration(*text);
    if (!parsed) return complain(node, parsed.error()), false;
    value = *parsed;
  } else if (node.is_number()) {
    double seconds = *node.value<double>();
    if (!std::isfinite(seconds) || std::fabs(seconds) > 9e9) return complain(node, "is no number of seconds that fits"), false;
    value = nanoseconds(std::llround(seconds * 1e9));
  } else {
    return wrong_type(node, complain, "a number of seconds or a string such as \"5min\""), false;
  }
  if (value < min || value > max)
    return complain(node, "must be between " + format_duration(min) + " and " + format_duration(max) + ", is " +
                              format_duration(value)),
           false;
  to = value;
  return true;
}

Read duration(nanoseconds& to, nanoseconds min, nanoseconds max) {
  return [&to, min, max](const toml::node& node, const Complain& complain) { read_duration(to, node, complain, min, max); };
}

Read duration_or_auto(std::optional<nanoseconds>& to, nanoseconds min, nanoseconds max) {
  return [&to, min, max](const toml::node& node, const Complain& complain) {
    nanoseconds value{};
    if (node.value_exact<std::string>() == "auto")
      to.reset();
    else if (read_duration(value, node, complain, min, max))
      to = value;
  };
}

Read text(std::string& to) {
  return [&to](const toml::node& node, const Complain& complain) {
    auto value = node.value_exact<std::string>();
    if (!value) return wrong_type(node, complain, "a string");
    if (value->find('\0') != std::string::npos) return complain(node, "must not hold a zero byte");
    to = *value;
  };
}

Read path(std::string& to, bool may_be_empty) {
  return [&to, may_be_empty](const toml::node& node, const Complain& complain) {
    std::string value;
    bool good = true;
    text(value)(node, [&](const toml::node& where, std::string why) {
      complain(where, std::move(why));
      good = false;
    });
    if (!good) return;
    if (!value.starts_with('/') && !(may_be_empty && value.empty()))
      return complain(node, "must be an absolute path, is \"" + value + "\"");
    to = value;
  };
}

Read store_path(std::string& to) {
  return [&to](const toml::node& node, const Complain& complain) {
    if (node.value_exact<std::string>() == ":memory:")
      to = ":memory:";
    else
      path(to, true)(node, complain);
  };
}

Read paths(std::vector<std::string>& to) {
  return [&to](const toml::node& node, const Complain& complain) {
    const toml::array* array = node.as_array();
    if (!array) return wrong_type(node, complain, "an array of absolute paths");
    std::vector<std::string> values;
    bool good = true;
    for (const toml::node& element : *array)
      path(values.emplace_back(), false)(element, [&](const toml::node& where, std::string why) {
        complain(where, std::move(why));
        good = false;
      });
    if (good) to = std::move(values);
  };
}

// Users and groups: names, or a user's id as an integer.
Read accounts(Accounts& to) {
  return [&to](const toml::node& node, const Complain& complain) {
    const toml::array* array = node.as_array();
    if (!array) return wrong_type(node, complain, "an array of users and groups such as [\"alice\", \"@ops\"]");
    Accounts values;
    bool good = true;
    for (const toml::node& element : *array) {
      std::string text = element.value_or(std::string());
      if (auto id = element.value_exact<std::int64_t>()) text = std::to_string(*id);
      const auto added = add_account(values, text);
      if (added) continue;
      complain(element, added.error());
      good = false;
    }
    if (good) to = std::move(values);
  };
}

Read kind_accounts(std::map<std::string, Accounts>& kinds, const std::string& name) {
  return [&kinds, name](const toml::node& node, const Complain& complain) { accounts(kinds[name])(node, complain); };
}

// Permission bits, as an octal string ("0660") or TOML's octal integer (0o660).
Read mode(mode_t& to) {
  return [&to](const toml::node& node, const Complain& complain) {
    std::int64_t value = -1;
    if (auto text = node.value_exact<std::string>()) {
      bool octal = !text->empty() && text->size() <= 5 && text->find_first_not_of("01234567") == std::string::npos;
      if (octal) value = std::strtol(text->c_str(), nullptr, 8);
    } else if (node.is_integer()) {
      value = *node.value_exact<std::int64_t>();
      // 660 for 0o660 is a slip that would otherwise open the socket in a strange way.
      if (node.as_integer()->flags() == toml::value_flags::none)
        return complain(node, "must be octal: write \"0660\" or 0o660");
    } else {
      return wrong_type(node, complain, "an octal string such as \"0660\"");
    }
    if (value < 0 || value > 0777) return complain(node, "must be permission bits between 0000 and 0777");
    to = static_cast<mode_t>(value);
  };
}

template <class Enum, std::size_t N>
Read choice(Enum& to, const std::array<std::pair<const char*, Enum>, N>& words) {
  return [&to, words](const toml::node& node, const Complain& complain) {
    auto value = node.value_exact<std::string>();
    std::string expected;
    for (const auto& [word, meaning] : words) {
      if (value == word) {
        to = meaning;
        return;
      }
      expected += (expected.empty() ? "\"" : ", \"") + std::string(word) + "\"";
    }
    complain(node, "must be one of " + expected + (value ? ", is \"" + *value + "\"" : ", not " + type_name(node)));
  };
}

constexpr std::array<std::pair<const char*, LogLevel>, 5> levels = {{{"error", LogLevel::error},
                                                                     {"warning", LogLevel::warning},
                                                                     {"notice", LogLevel::notice},
                                                                     {"info", LogLevel::info},
                                                                     {"debug", LogLevel::debug}}};
constexpr std::array<std::pair<const char*, LogTarget>, 4> targets = {{{"auto", LogTarget::automatic},
                                                                       {"journal", LogTarget::journal},
                                                                       {"console", LogTarget::console},
                                                                       {"null", LogTarget::null}}};

constexpr std::size_t many = 1'000'000'000;
constexpr nanoseconds ever = 24h * 3650;

std::size_t cpus() { return std::max(1u, std::thread::hardware_concurrency()); }

// A group without a limit of its own is no entry: it is made on first use, with the limit of `default`.
Read group_limit(std::map<std::string, GroupConfig>& groups, const std::string& name) {
  return [&groups, name](const toml::node& node, const Complain& complain) {
    std::size_t limit = 0;
    count_or(limit, "cpus", cpus(), 1, many)(node, complain);
    if (limit) groups[name].limit = limit;
  };
}

// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

std::map<std::string, GroupConfig> Config::default_groups() { return {{"default", {10'000}}, {"exec", {cpus()}}}; }

std::vector<Key> keys_of(Config& c, const std::vector<std::string>& groups, const std::vector<std::string>& kinds) {
  std::vector<Key> keys = {
      {"runner.debug", boolean(c.runner.debug)},
      {"runner.slow_callback", duration(c.runner.slow_callback, 1ms, 1h)},
      {"socket.path", path(c.socket.path, true)},
      {"socket.mode", mode(c.socket.mode)},
      {"socket.group", text(c.socket.group)},
      {"socket.backlog", count(c.socket.backlog, 1, 65535)},
      {"access.view", accounts(c.access.view)},
      {"access.submit", accounts(c.access.submit)},
      {"access.admin", accounts(c.access.admin)},
      {"limits.frame_bytes", size(c.limits.frame_bytes, 1 * kib, 1024 * mib)},
      {"limits.json_depth", count(c.limits.json_depth, 4, 1024)},
      {"limits.args_bytes", size(c.limits.args_bytes, 64, 1024 * mib)},
      {"limits.requests_in_flight", count(c.limits.requests_in_flight, 1, many)},
      {"limits.sessions", count(c.limits.sessions, 1, many)},
      {"limits.sessions_per_uid", count(c.limits.sessions_per_uid, 1, many)},
      {"limits.jobs_queued", count(c.limits.jobs_queued, 1, many)},
      {"limits.jobs_queued_per_uid", count(c.limits.jobs_queued_per_uid, 1, many)},
      {"limits.output_bytes", size(c.limits.output_bytes, 0, 64 * mib)},
      {"limits.watchers_per_job", count(c.limits.watchers_per_job, 1, many)},
      {"limits.log_readers", count(c.limits.log_readers, 1, 10'000)},
      {"limits.contexts_per_uid", count(c.limits.contexts_per_uid, 0, many)},
      {"limits.groups", count(c.limits.groups, 2, many)},
      {"limits.unread_changes", count(c.limits.unread_changes, 1, many)},
      {"limits.partial_frame_timeout", duration(c.limits.partial_frame_timeout, 100ms, ever)},
      {"limits.unread_reply_bytes", size(c.limits.unread_reply_bytes, 4 * kib, 1024 * mib)},
      {"limits.unread_reply_timeout", duration(c.limits.unread_reply_timeout, 100ms, ever)},
      {"jobs.grace", duration(c.jobs.grace, 0s, ever)},
      {"jobs.kept", count(c.jobs.kept, 0, many)},
      {"jobs.kept_for", duration(c.jobs.kept_for, 0s, ever)},
      {"jobs.kept_in_memory", count(c.jobs.kept_in_memory, 0, many)},
      {"jobs.context_idle", duration(c.jobs.context_idle, 100ms, ever)},
      {"exec.shell", path(c.exec.shell, false)},
      {"exec.line_bytes", size(c.exec.line_bytes, 80, 16 * mib)},
      {"exec.output_rate", count(c.exec.output_rate, 0, many)},
      {"exec.output_burst", count(c.exec.output_burst, 0, many)},
      {"store.path", store_path(c.store.path)},
      {"stop.grace", duration(c.stop.grace, 0s, ever)},
      {"plugins.directories", paths(c.plugins.directories)},
      {"plugins.required", boolean(c.plugins.required)},
      {"log.level", choice(c.log.level, levels)},
      {"log.target", choice(c.log.target, targets)},
      {"log.attached_rate", count(c.log.attached_rate, 0, many)},
      {"log.queue_records", count(c.log.queue_records, 16, 1'000'000)},
      {"executor.drain_timeout", duration(c.executor.drain_timeout, 0s, ever)},
      {"executor.max_workers", count_or(c.executor.max_workers, "auto", 0, 1, 10'000)},
      {"watchdog.slow_step", duration_or_auto(c.watchdog.slow_step, 1ms, ever)},
  };
  for (const std::string& name : kinds) keys.push_back({"access.kinds." + name, kind_accounts(c.access.kinds, name)});
  for (const std::string& name : groups) keys.push_back({"groups." + name + ".limit", group_limit(c.groups, name)});
  return keys;
}

std::string suggestion(const std::string& name, const std::vector<Key>& keys) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, last_part(name).size() / 3) + 1;
  for (const Key& key : keys) {
    // The right key in the wrong table is as good as a slip of the pen.
    std::size_t d = last_part(key.name) == last_part(name) ? 1 : distance(name, key.name);
    if (d < best_distance) best = key.name, best_distance = d;
  }
  return best;
}

}  // namespace corund::config
