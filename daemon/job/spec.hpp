// SPDX-License-Identifier: MIT
// What is asked for: a kind, its arguments and the options of a submission, after they were checked and before anything runs.
// Defaults are filled in by whoever accepts it (run/admission).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/job/json.hpp"

namespace corund {

// Names of queries and of journal fields, flat.
using Labels = std::vector<std::pair<std::string, std::string>>;

}  // namespace corund

namespace corund::job {

struct Kind;

// shared: in the daemon's own persistent context. isolated: in a copy of it that is dropped afterwards.
// named: one of the submitter's own, made on first use.
enum class ContextChoice : std::uint8_t { shared, isolated, named };

// What the answer to a submission promises.
enum class Ack : std::uint8_t { memory, disk };

inline constexpr int priority_min = -100;
inline constexpr int priority_max = 100;

// Recycled with its job: reset() keeps the strings' memory.
struct JobSpec {
  const Kind* kind = nullptr;                       // of the registry, which outlives every job
  JsonText args;                                    // an object
  ContextChoice context = ContextChoice::shared;
  std::string context_name;                         // named only
  std::optional<std::chrono::nanoseconds> timeout;  // from the start of the attempt
  std::optional<std::chrono::nanoseconds> grace;    // from cancel to escalation
  int priority = 0;
  std::string group;                                // empty: the kind's
  Labels labels;
  bool attached = false;                            // lives as long as its caller's connection
  Ack ack = Ack::memory;
  uid_t owner = 0;

  void reset() noexcept;
  // "shared", "isolated" or the name.
  std::string_view context_text() const noexcept;
};

}  // namespace corund::job
