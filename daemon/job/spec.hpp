// SPDX-License-Identifier: MIT
// What is asked for: a kind, its arguments and the options of a submission, after they were checked and before anything runs.
// Defaults are filled in by whoever accepts it (run/admission).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/job/json.hpp"
#include "daemon/job/ulid.hpp"

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

// max counts all attempts, the first included; an attempt after the n-th comes delay * backoff^(n-1) later.
struct RetryPolicy {
  int max = 1;
  std::chrono::nanoseconds delay = std::chrono::seconds(1);
  double backoff = 2.0;

  // Never more than a day.
  std::chrono::nanoseconds delay_after(int attempt) const noexcept;
  bool operator==(const RetryPolicy&) const = default;
};

// What few submissions say: kept apart, so that a queue of a million jobs does not carry it a million times.
struct SpecExtras {
  std::string context_name;  // of ContextChoice::named
  Labels labels;
  std::vector<Ulid> after;   // must have succeeded first
  std::string key;           // idempotency, within the owner's uid
  std::optional<RetryPolicy> retry;

  std::size_t bytes() const noexcept;
  bool empty() const noexcept { return context_name.empty() && labels.empty() && after.empty() && key.empty() && !retry; }
};

// Recycled with its job: reset() keeps the strings' memory.
struct JobSpec {
  const Kind* kind = nullptr;                       // of the registry, which outlives every job
  JsonText args;                                    // an object
  std::string group;                                // empty: the kind's
  std::optional<std::chrono::nanoseconds> timeout;  // from the start of the attempt
  std::optional<std::chrono::nanoseconds> grace;    // from cancel to escalation
  std::chrono::nanoseconds delay{0};                // from the submission until it is eligible
  int priority = 0;
  uid_t owner = 0;
  ContextChoice context = ContextChoice::shared;
  bool attached = false;                            // lives as long as its caller's connection
  Ack ack = Ack::memory;

  const SpecExtras& extras() const noexcept;
  // Made where there are none yet.
  SpecExtras& make_extras();

  // All of another one but whose it is and how safe.
  void copy_from(const JobSpec& other);
  const Labels& labels() const noexcept { return extras().labels; }
  // "shared", "isolated" or the name.
  std::string_view context_text() const noexcept;
  void reset() noexcept;

 private:
  std::unique_ptr<SpecExtras> extras_;
};

}  // namespace corund::job
