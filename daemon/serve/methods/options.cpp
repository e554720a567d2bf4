// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/options.hpp"

#include <cmath>

namespace corund::serve::methods {
namespace {

constexpr double seconds_max = 1e9;  // some thirty years
constexpr std::size_t name_bytes_max = 128;
constexpr std::size_t labels_max = 64;
constexpr std::size_t label_bytes_max = 1024;
constexpr std::size_t key_bytes_max = 256;
constexpr std::size_t after_max = 1024;
constexpr std::int64_t attempts_max = 10'000;
constexpr double backoff_max = 1000;

std::chrono::nanoseconds from_seconds(double seconds) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(seconds * 1e9)));
}

void read_seconds(wire::ObjectReader& in, std::optional<std::chrono::nanoseconds>& out) {
  std::optional<double> seconds;
  if (in.read(seconds, 0.0, seconds_max) && seconds) out = from_seconds(*seconds);
}

// A name of 1 to `bytes_max` bytes; empty where there is none.
std::string read_name(wire::ObjectReader& in, std::size_t bytes_max) {
  std::optional<std::string> name;
  if (!in.read(name) || !name) return {};
  if (name->empty() || name->size() > bytes_max) in.fail();
  return std::move(*name);
}

void read_context(wire::ObjectReader& in, job::JobSpec& spec) {
  std::string context = read_name(in, name_bytes_max);
  if (context.empty() || context == "shared") return;
  if (context == "isolated") {
    spec.context = job::ContextChoice::isolated;
    return;
  }
  spec.context = job::ContextChoice::named;
  spec.make_extras().context_name = std::move(context);
}

void read_labels(wire::ObjectReader& in, job::JobSpec& spec) {
  in.read_object([&](wire::ObjectReader& labels) {
    while (labels.next()) {
      std::string value;
      if (!labels.read(value)) return;
      Labels& all = spec.make_extras().labels;
      if (all.size() == labels_max || labels.key().size() > name_bytes_max || value.size() > label_bytes_max)
        return void(labels.fail());
      all.emplace_back(labels.key(), std::move(value));
    }
  });
}

void read_retry(wire::ObjectReader& in, job::JobSpec& spec) {
  if (in.is_null()) return;
  job::RetryPolicy policy;
  bool has_max = false;
  in.read_object([&](wire::ObjectReader& members) {
    while (members.next())
      if (members.key() == "max") {
        std::int64_t max = 0;
        if (members.read(max, 1, attempts_max)) policy.max = static_cast<int>(max);
        has_max = true;
      } else if (members.key() == "delay") {
        double seconds = 0;
        if (!members.is_null() && members.read(seconds, 0.0, seconds_max)) policy.delay = from_seconds(seconds);
      } else if (members.key() == "backoff") {
        if (!members.is_null()) members.read(policy.backoff, 1.0, backoff_max);
      } else {
        members.fail();
      }
    if (!has_max) members.fail("max");
  });
  spec.make_extras().retry = policy;
}

void read_after(wire::ObjectReader& in, job::JobSpec& spec) {
  in.read_array([&](wire::ObjectReader& elements) {
    std::string text;
    if (!elements.read(text)) return;
    auto id = job::Ulid::parse(text);
    if (!id || spec.extras().after.size() == after_max) return void(elements.fail());
    spec.make_extras().after.push_back(*id);
  });
}

}  // namespace

void read_ack(wire::ObjectReader& in, job::Ack& ack, const SubmissionRules& rules) {
  std::size_t choice = 0;
  if (in.is_null() || !in.read_choice(choice, {"memory", "disk"})) return;
  if (choice == 1 && !rules.has_disk) return void(in.fail());
  ack = choice == 1 ? job::Ack::disk : job::Ack::memory;
}

bool read_options(wire::ObjectReader& in, job::JobSpec& spec, std::string& kind, const SubmissionRules& rules) {
  bool args_fit = true;
  while (in.next()) {
    const std::string_view key = in.key();
    if (key == "kind") {
      in.read(kind);
    } else if (key == "args") {
      std::string_view args;
      if (!in.read_object_text(args)) return true;
      if (args.size() > rules.args_bytes)
        args_fit = false;
      else
        spec.args.assign(args);
    } else if (key == "context") {
      read_context(in, spec);
    } else if (key == "timeout") {
      read_seconds(in, spec.timeout);
    } else if (key == "grace") {
      read_seconds(in, spec.grace);
    } else if (key == "priority") {
      std::optional<std::int64_t> priority;
      if (in.read(priority, std::int64_t{job::priority_min}, std::int64_t{job::priority_max}) && priority)
        spec.priority = static_cast<int>(*priority);
    } else if (key == "group") {
      spec.group = read_name(in, name_bytes_max);
    } else if (key == "delay") {
      std::optional<std::chrono::nanoseconds> delay;
      read_seconds(in, delay);
      spec.delay = delay.value_or(std::chrono::nanoseconds(0));
    } else if (key == "retry") {
      read_retry(in, spec);
    } else if (key == "after") {
      read_after(in, spec);
    } else if (key == "key") {
      if (std::string name = read_name(in, key_bytes_max); !name.empty()) spec.make_extras().key = std::move(name);
    } else if (key == "labels") {
      read_labels(in, spec);
    } else if (key == "ack") {
      read_ack(in, spec.ack, rules);
    } else {
      in.fail();
    }
  }
  if (kind.empty()) in.fail("kind");
  return args_fit;
}

}  // namespace corund::serve::methods
