// SPDX-License-Identifier: MIT
// Groups: named limits of running jobs, and the queues of those that wait for room in one. Higher priority first, then first come,
// first served. What starting means is admission's.
#pragma once

#include <corun/base/intrusive_list.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "daemon/job/job.hpp"

namespace corund::run {

class Group {
 public:
  Group(std::string name, std::size_t limit) : name_(std::move(name)), limit_(limit) {}

  const std::string& name() const noexcept { return name_; }
  std::size_t limit() const noexcept { return limit_; }
  std::size_t running() const noexcept { return running_; }
  std::size_t queued() const noexcept { return queued_; }
  bool paused() const noexcept { return paused_; }

  bool has_room() const noexcept { return running_ < limit_ && !paused_; }
  void enter() noexcept { ++running_; }
  void leave() noexcept { --running_; }

  void push(job::Job& job);
  // The next one to start, taken out; null where none waits.
  job::Job* pop() noexcept;
  // The same, left where it is.
  job::Job* first() const noexcept;
  // A job of this queue leaves it for another reason.
  void remove(job::Job& job) noexcept;

 private:
  using Queue = corun::IntrusiveList<job::Job, job::QueueLink>;

  std::string name_;
  std::size_t limit_;
  std::size_t running_ = 0;
  std::size_t queued_ = 0;
  bool paused_ = false;
  std::map<int, Queue, std::greater<>> waiting_;  // by priority; a queue stays when it is empty
};

class Groups {
 public:
  // The name comes from a peer: there is an end to how many are made.
  static constexpr std::size_t groups_max = 1024;

  explicit Groups(const std::map<std::string, config::GroupConfig>& configured);

  // Made on first use, with the limit of `default`. Null where there are too many already. Lifetime of a group: this object's.
  Group* of(std::string_view name);
  const std::map<std::string, std::unique_ptr<Group>, std::less<>>& all() const noexcept { return groups_; }

 private:
  std::map<std::string, std::unique_ptr<Group>, std::less<>> groups_;
};

}  // namespace corund::run
