// SPDX-License-Identifier: MIT
// The contexts that jobs run in: the daemon's own persistent one, copies of it, and named ones of a uid, which live until they are
// dropped or nobody has used them for a while.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <corun/corun.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/job/job.hpp"

namespace corund::run {

struct NamedContext {
  corun::Context context;
  std::size_t jobs_running = 0;
  std::int64_t last_used_us = 0;
};

class Contexts {
 public:
  using Key = std::pair<uid_t, std::string>;

  // named_max: for each uid. idle: a named context that no job has run in for so long is dropped.
  explicit Contexts(std::size_t named_max, std::chrono::nanoseconds idle = std::chrono::hours(1))
      : named_max_(named_max), idle_(idle) {}
  ~Contexts();
  Contexts(const Contexts&) = delete;
  Contexts& operator=(const Contexts&) = delete;

  // To be told once, by the main task, whose context is the runner's own.
  void set_shared(corun::Context context) { shared_ = std::move(context); }

  // Whether its context is there, or a waiting job will make it; or is not one with a name.
  bool knows(const job::JobSpec& spec) const;
  // Whether a job of this spec can be given its context: false where it would be one named context too many of its owner's. Those that
  // waiting jobs will make count. among: names, not known yet, of jobs accepted together with it, its own among them; empty: it comes alone.
  bool has_room_for(const job::JobSpec& spec, const std::set<std::string_view>& among = {}) const;
  // A job waits that will ask for its context, and has ceased to: it starts, or ended before.
  void expect(const job::JobSpec& spec);
  void expect_no_more(const job::JobSpec& spec) noexcept;
  // The context that spec asks for, made where need be; a job runs in it until leave(), which is told what it was given.
  corun::Context enter(const job::JobSpec& spec);
  void leave(const job::JobSpec& spec, const corun::Context& given);

  // Null where there is none yet.
  const std::optional<corun::Context>& shared() const noexcept { return shared_; }
  const std::map<Key, NamedContext>& named() const noexcept { return named_; }
  // Jobs that run in it go on, in what they have; the next one that names it gets a new one. False: there is none of that name.
  bool drop(uid_t owner, std::string_view name);

  // Others from now on; a context that is there already stays, whatever the number.
  void configure(std::size_t named_max, std::chrono::nanoseconds idle);
  std::size_t named_max() const noexcept { return named_max_; }

 private:
  void arm();
  void drop_idle();
  void forget(std::map<Key, NamedContext>::iterator at) noexcept;
  bool knows(const Key& key) const { return named_.contains(key) || expected_.contains(key); }
  void count_out(const Key& key) noexcept;

  std::size_t named_max_;
  std::chrono::nanoseconds idle_;
  std::optional<corun::Context> shared_;
  std::map<Key, NamedContext> named_;
  std::map<Key, std::size_t> expected_;       // waiting jobs by what they will ask for
  std::map<uid_t, std::size_t> named_count_;  // names in either
  std::optional<corun::TimerHandle> timer_;
};

}  // namespace corund::run
