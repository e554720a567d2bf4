// SPDX-License-Identifier: MIT
// What the methods work on: the parts of the daemon, gathered by its owner (App). Nothing here does anything.
#pragma once

#include <cstddef>
#include <corun/thread/thread_pool_executor.hpp>
#include <cstdint>
#include <memory>
#include <string_view>

#include "config/changes.hpp"
#include "config/config.hpp"
#include "config/load.hpp"
#include "daemon/job/registry.hpp"
#include "daemon/job/table.hpp"
#include "daemon/run/admission.hpp"
#include "daemon/run/drain.hpp"
#include "daemon/run/journal.hpp"
#include "daemon/run/ledger.hpp"
#include "daemon/run/supervisor.hpp"
#include "daemon/serve/access.hpp"

namespace corund::serve {

// What only the owner of all parts can do.
class Owner {
 public:
  // Reads the configuration again and takes what can be taken; returns when that is in force. Errors: all that is wrong with it; nothing was
  // taken then.
  virtual corun::Result<config::Changes, config::Faults> reload() = 0;

 protected:
  ~Owner() = default;
};

// Lifetime: all of it outlives every session.
struct Host {
  Owner& owner;
  const config::Config& config;  // in force now: a reload changes it
  const job::Registry& registry;
  job::Table& table;
  run::Admission& admission;
  run::Supervisor& supervisor;
  run::Drain& drain;
  run::Journal& journal;
  run::Ledger& ledger;
  run::Contexts& contexts;
  const Access& access;
  std::shared_ptr<corun::ThreadPoolExecutor> executor;  // the loop's default one, for Status
  std::string_view version;
  std::int64_t started_us = 0;
  bool logs_to_journal = false;  // what the daemon logs is in systemd's journal
  std::size_t sessions = 0;      // open now; the listener counts
  std::size_t log_readers = 0;   // calls of Logs that are being answered
};

}  // namespace corund::serve
