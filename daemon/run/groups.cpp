// SPDX-License-Identifier: MIT
#include "daemon/run/groups.hpp"

namespace corund::run {

void Group::push(job::Job& job) {
  waiting_[job.spec.priority].push_back(job);
  ++queued_;
}

job::Job* Group::pop() noexcept {
  if (queued_ == 0) return nullptr;
  for (auto& [priority, queue] : waiting_)
    if (job::Job* job = queue.pop_front()) {
      --queued_;
      return job;
    }
  return nullptr;
}

job::Job* Group::first() const noexcept {
  for (const auto& [priority, queue] : waiting_)
    if (!queue.empty()) return &queue.front();
  return nullptr;
}

void Group::remove(job::Job& job) noexcept {
  static_cast<job::QueueLink&>(job).unlink();
  --queued_;
}

Groups::Groups(const std::map<std::string, config::GroupConfig>& configured) {
  for (const auto& [name, group] : configured) groups_.emplace(name, std::make_unique<Group>(name, group.limit, all_paused_));
}

void Groups::configure(const std::map<std::string, config::GroupConfig>& configured) {
  for (const auto& [name, group] : configured) {
    auto at = groups_.find(name);
    if (at == groups_.end())
      groups_.emplace(name, std::make_unique<Group>(name, group.limit, all_paused_));
    else
      at->second->configure(group.limit);
  }
  const std::size_t others = default_limit();
  for (const auto& [name, group] : groups_)
    if (!configured.contains(name)) group->configure(others);
}

Group* Groups::find(std::string_view name) const noexcept {
  if (latest_ && latest_->name() == name) return latest_;
  auto at = groups_.find(name);
  return at == groups_.end() ? nullptr : at->second.get();
}

bool Groups::would_start(std::string_view name) const noexcept {
  if (const Group* group = find(name)) return group->has_room() && group->queued() == 0;
  return !all_paused_ && default_limit() > 0;
}

std::size_t Groups::default_limit() const noexcept { return groups_.find("default")->second->limit(); }

Group* Groups::of(std::string_view name) {
  if (Group* group = find(name)) return latest_ = group;
  if (groups_.size() >= groups_max) return nullptr;
  const std::size_t limit = default_limit();
  return groups_.emplace(std::string(name), std::make_unique<Group>(std::string(name), limit, all_paused_)).first->second.get();
}

}  // namespace corund::run
