// SPDX-License-Identifier: MIT
#include "daemon/run/groups.hpp"

namespace corund::run {

void Group::push(job::Job& job) {
  waiting_[job.spec.priority].push_back(job);
  ++queued_;
}

void Group::push_child(job::Job& job) {
  children_.push_back(job);
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

Groups::Groups(const std::map<std::string, config::GroupConfig>& configured, std::size_t max) : max_(max) { configure(configured); }

void Groups::configure(const std::map<std::string, config::GroupConfig>& configured) {
  configured_.clear();
  for (const auto& [name, group] : configured) configured_.emplace(name, group.limit);
  for (const auto& [name, limit] : configured_) of(name).configure(limit);
  for (const auto& [name, group] : groups_) group->configure(configured_limit(name));
}

Group* Groups::find(std::string_view name) const noexcept {
  if (latest_ && latest_->name() == name) return latest_;
  auto at = groups_.find(name);
  return at == groups_.end() ? nullptr : at->second.get();
}

bool Groups::would_start(std::string_view name) const noexcept {
  if (const Group* group = find(name)) return group->has_room() && group->queued() == 0;
  return !all_paused_ && configured_limit(name) > 0;
}

std::size_t Groups::configured_limit(std::string_view name) const noexcept {
  auto at = configured_.find(name);
  return at == configured_.end() ? groups_.find("default")->second->limit() : at->second;
}

bool Groups::has_room_for(const std::set<std::string_view>& names) {
  std::size_t wanted = 0;
  for (std::string_view name : names) wanted += !groups_.contains(name);
  if (groups_.size() + wanted <= max_) return true;
  latest_ = nullptr;
  std::erase_if(groups_, [&](const auto& entry) {
    return entry.second->is_idle() && !configured_.contains(entry.first) && !names.contains(entry.first);
  });
  return groups_.size() + wanted <= max_;
}

Group& Groups::of(std::string_view name) {
  if (Group* group = find(name)) return *(latest_ = group);
  auto made = std::make_unique<Group>(std::string(name), configured_limit(name), all_paused_);
  return *groups_.emplace(std::string(name), std::move(made)).first->second;
}

}  // namespace corund::run
