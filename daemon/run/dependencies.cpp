// SPDX-License-Identifier: MIT
#include "daemon/run/dependencies.hpp"

#include <algorithm>

namespace corund::run {

std::size_t Dependencies::add(job::Job& job, const std::vector<job::Job*>& unfinished) {
  if (unfinished.empty()) return 0;
  std::vector<job::Ulid>& unmet = unmet_[job.id];
  for (job::Job* other : unfinished) {
    if (std::ranges::find(unmet, other->id) != unmet.end()) continue;  // named twice
    unmet.push_back(other->id);
    waiting_[other->id].emplace(job.id, job::JobRef(job));
  }
  return unmet.size();
}

void Dependencies::remove(const job::Job& job) noexcept {
  auto at = unmet_.find(job.id);
  if (at == unmet_.end()) return;
  for (const job::Ulid& other : at->second)
    if (auto waiting = waiting_.find(other); waiting != waiting_.end()) {
      waiting->second.erase(job.id);
      if (waiting->second.empty()) waiting_.erase(waiting);
    }
  unmet_.erase(at);
}

Dependencies::Freed Dependencies::ended(const job::Job& job) {
  Freed freed;
  auto node = waiting_.extract(job.id);
  if (node.empty()) return freed;
  for (auto& [id, waiter] : node.mapped()) {
    auto unmet = unmet_.find(id);
    if (unmet == unmet_.end()) continue;
    if (job.state != job::State::succeeded) {
      remove(*waiter);
      freed.failed.push_back(std::move(waiter));
      continue;
    }
    std::erase(unmet->second, job.id);
    if (!unmet->second.empty()) continue;
    unmet_.erase(unmet);
    freed.ready.push_back(std::move(waiter));
  }
  return freed;
}

job::Ulid Dependencies::waits_for(const job::Job& job) const noexcept {
  auto at = unmet_.find(job.id);
  return at == unmet_.end() ? job::Ulid() : at->second.front();
}

}  // namespace corund::run
