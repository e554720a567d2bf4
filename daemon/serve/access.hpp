// SPDX-License-Identifier: MIT
// Who may do what: the roles of a peer, by the kernel's word on who it is and the configuration's lists. What each method needs stands in
// dispatch's table; which jobs a call is about, the methods ask here.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "config/config.hpp"
#include "daemon/serve/peer.hpp"

namespace corund::job {
struct Job;
}

namespace corund::serve {

// What a method asks of its caller. An administrator may all of it.
enum class Need : std::uint8_t {
  nothing,  // whoever can connect
  role,     // any of the three: sees its own jobs, and with `view` all of them
  submit,   // what makes jobs, and what ends or drops the caller's own
  admin,    // what concerns everybody
};

// Asked for each call, and never of what was found for an earlier one: a reload counts from the next call on.
class Access {
 public:
  // own: the daemon's uid. is_users_own: config::is_users_own(). config: in force now, must outlive this.
  Access(uid_t own, bool is_users_own, const config::AccessConfig& config) noexcept
      : own_(own), is_users_own_(is_users_own), config_(config) {}

  bool allows(const Peer& peer, Need need) const noexcept;
  // Root; the daemon's own user where the daemon is that user's own; who is listed. The own user of the system's daemon never: its commands
  // run as it, and whatever list they are in, they must not rise by the socket.
  bool is_admin(const Peer& peer) const noexcept;
  // Whether it may make jobs, resp. jobs of that kind.
  bool may_submit(const Peer& peer) const noexcept;
  bool may_submit(const Peer& peer, const std::string& kind) const;

  // Whether it may see the job: its own, or all.
  bool may_see(const Peer& peer, const job::Job& job) const noexcept;
  // The same of a job of that owner's.
  bool may_see(const Peer& peer, uid_t owner) const noexcept;
  // Whether it may end or drop the job.
  bool may_end(const Peer& peer, const job::Job& job) const noexcept;

 private:
  uid_t own_;
  bool is_users_own_;
  const config::AccessConfig& config_;
};

}  // namespace corund::serve
