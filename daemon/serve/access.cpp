// SPDX-License-Identifier: MIT
#include "daemon/serve/access.hpp"

#include <algorithm>

#include "daemon/job/job.hpp"

namespace corund::serve {
namespace {

template <class Id>
bool contains(const std::vector<Id>& sorted, Id id) noexcept {
  return std::binary_search(sorted.begin(), sorted.end(), id);
}

bool is_listed(const config::Accounts& list, const Peer& peer) noexcept {
  if (list.everybody || contains(list.users, peer.uid)) return true;
  if (list.groups.empty()) return false;
  return contains(list.groups, peer.gid) ||
         std::any_of(peer.groups.begin(), peer.groups.end(), [&](gid_t group) { return contains(list.groups, group); });
}

}  // namespace

bool Access::is_admin(const Peer& peer) const noexcept {
  if (peer.uid == 0) return true;
  if (peer.uid == own_) return is_users_own_;
  return is_listed(config_.admin, peer);
}

bool Access::may_submit(const Peer& peer) const noexcept { return is_listed(config_.submit, peer) || is_admin(peer); }

bool Access::may_submit(const Peer& peer, const std::string& kind) const {
  if (!config_.kinds.empty()) {
    const auto list = config_.kinds.find(kind);
    if (list != config_.kinds.end() && !is_listed(list->second, peer)) return is_admin(peer);
  }
  return may_submit(peer);
}

bool Access::allows(const Peer& peer, Need need) const noexcept {
  switch (need) {
    case Need::nothing: return true;
    case Need::role: return may_submit(peer) || is_listed(config_.view, peer);
    case Need::submit: return may_submit(peer);
    case Need::admin: break;
  }
  return is_admin(peer);
}

bool Access::may_see(const Peer& peer, uid_t owner) const noexcept {
  return (peer.uid == owner && allows(peer, Need::role)) || is_listed(config_.view, peer) || is_admin(peer);
}
bool Access::may_see(const Peer& peer, const job::Job& job) const noexcept { return may_see(peer, job.spec.owner); }

bool Access::may_end(const Peer& peer, const job::Job& job) const noexcept {
  return (peer.uid == job.spec.owner && may_submit(peer)) || is_admin(peer);
}

}  // namespace corund::serve
