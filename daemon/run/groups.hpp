// SPDX-License-Identifier: MIT
// Groups: named limits of running jobs, and the queues of those that wait for room in one. Higher priority first, then first come,
// first served. What starting means is admission's.
#pragma once

#include <corun/base/intrusive_list.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "daemon/job/job.hpp"

namespace corund::run {

class Group {
 public:
  // all_paused: of all groups together; outlives the group.
  Group(std::string name, std::size_t limit, const bool& all_paused)
      : name_(std::move(name)), limit_(limit), all_paused_(all_paused) {}

  const std::string& name() const noexcept { return name_; }
  std::size_t limit() const noexcept { return limit_; }
  std::size_t running() const noexcept { return running_; }
  std::size_t queued() const noexcept { return queued_; }
  bool paused() const noexcept { return paused_; }

  // An administrator's: it outlives the daemon.
  void set_limit(std::size_t limit) noexcept {
    limit_ = limit;
    is_limit_set_ = true;
  }
  // The configuration's; an administrator's stays.
  void configure(std::size_t limit) noexcept {
    if (!is_limit_set_) limit_ = limit;
  }
  std::optional<std::int64_t> limit_set() const noexcept {
    return is_limit_set_ ? std::optional(static_cast<std::int64_t>(limit_)) : std::nullopt;
  }
  // The configuration's again, which the caller knows.
  void reset_limit(std::size_t limit) noexcept {
    limit_ = limit;
    is_limit_set_ = false;
  }
  void set_paused(bool paused) noexcept { paused_ = paused; }

  // Jobs of the group that wait, wherever that is: for a time, for another job, for the disk, in the queue.
  void count_in() noexcept { ++waiting_jobs_; }
  void count_out() noexcept { --waiting_jobs_; }
  // Nothing is lost with it: no job, nothing that an administrator has said.
  bool is_idle() const noexcept { return running_ == 0 && waiting_jobs_ == 0 && queued_ == 0 && !paused_ && !is_limit_set_; }

  bool has_room() const noexcept { return running_ < limit_ && !paused_ && !all_paused_; }
  void enter() noexcept { ++running_; }
  void leave() noexcept { --running_; }

  // Child jobs wait in a queue of their own, ahead of the others, because those above them keep their places meanwhile. A place whose user
  // waits for a child that waits for a place is stalled; among children it does not count, so that they never wait for each other.
  bool has_room_for_child() const noexcept { return running_ < limit_ + stalled_ && limit_ > 0 && !paused_ && !all_paused_; }
  void stall() noexcept { ++stalled_; }
  void go_on() noexcept { --stalled_; }
  void push_child(job::Job& job);
  // In the order of their coming.
  corun::IntrusiveList<job::Job, job::QueueLink>& children() noexcept { return children_; }

  void push(job::Job& job);
  // The next one to start, taken out; null where none waits. No child: those are taken from children().
  job::Job* pop() noexcept;
  // The same, left where it is.
  job::Job* first() const noexcept;
  // A job of this queue leaves it for another reason.
  void remove(job::Job& job) noexcept;
  // Those that `leaves` says true for leave the queue, in order; it may not change the queue.
  template <class F>
  void remove_if(F leaves) {
    for (auto& [priority, queue] : waiting_)
      for (auto at = queue.begin(); at != queue.end();) {
        job::Job& job = *at;
        ++at;
        if (leaves(job)) remove(job);
      }
  }

 private:
  using Queue = corun::IntrusiveList<job::Job, job::QueueLink>;

  std::string name_;
  std::size_t limit_;
  std::size_t running_ = 0;
  std::size_t queued_ = 0;   // children too
  std::size_t stalled_ = 0;  // of the running ones
  std::size_t waiting_jobs_ = 0;
  bool paused_ = false;
  bool is_limit_set_ = false;
  const bool& all_paused_;
  Queue children_;
  std::map<int, Queue, std::greater<>> waiting_;  // by priority; a queue stays when it is empty
};

class Groups {
 public:
  // max: `limits.groups`. The names come from peers: there is an end to how many are made.
  explicit Groups(const std::map<std::string, config::GroupConfig>& configured, std::size_t max = config::LimitsConfig().groups);

  // New limits, but for groups whose limit an administrator has set; of those that are not configured, that of `default`.
  void configure(const std::map<std::string, config::GroupConfig>& configured);

  // Another `limits.groups`; those that there are stay.
  void set_max(std::size_t max) noexcept { max_ = max; }
  std::size_t max() const noexcept { return max_; }
  // Whether there may be groups of all these names. Where there are too many, those go that are not configured and are idle, but for these.
  bool has_room_for(const std::set<std::string_view>& names);

  // Made on first use, with the limit of `default`: has_room_for() is asked before, for a name that comes from a peer. Lifetime of a group: until
  // has_room_for() finds it idle; of a configured one: this object's.
  Group& of(std::string_view name);
  // Null where there is none yet.
  Group* find(std::string_view name) const noexcept;
  // Whether a job of this group would start at once; of() is not asked to make the group for that.
  bool would_start(std::string_view name) const noexcept;
  const std::map<std::string, std::unique_ptr<Group>, std::less<>>& all() const noexcept { return groups_; }

  // The limit of a group that no administrator has set: the configuration's; of one that it does not name, that of `default` as it is now.
  std::size_t configured_limit(std::string_view name) const noexcept;

  // Of all groups, beside each one's own.
  void set_all_paused(bool paused) noexcept { all_paused_ = paused; }
  bool all_paused() const noexcept { return all_paused_; }

 private:
  std::size_t max_;
  bool all_paused_ = false;
  std::map<std::string, std::size_t, std::less<>> configured_;  // limits
  std::map<std::string, std::unique_ptr<Group>, std::less<>> groups_;
  Group* latest_ = nullptr;  // asked for: mostly the next one asked for too
};

}  // namespace corund::run
