// SPDX-License-Identifier: MIT
// A job's log where no journal has it: its life, its output and what its code said, as far as its record keeps them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/job/job.hpp"
#include "daemon/run/ledger.hpp"
#include "daemon/sd/journal_reader.hpp"

namespace corund::serve::methods {

class KeptLog {
 public:
  // body: what is not in memory of a shelved job; null: all is.
  KeptLog(job::JobRef job, std::shared_ptr<const run::Body> body);

  // The next entry, oldest first; nothing: there is no more yet, and once the job is over, none at all.
  std::optional<sd::LogEntry> next();

 private:
  const job::Record& record() const noexcept { return body_ ? body_->record : job_->peek(); }
  sd::LogEntry attempt(const job::Attempt& attempt) const;
  std::optional<sd::LogEntry> next_event();
  void take_tails();

  job::JobRef job_;
  std::shared_ptr<const run::Body> body_;
  bool has_told_submission_ = false;
  bool has_told_start_ = false;
  bool has_told_end_ = false;
  std::uint64_t next_event_ = 0;
  std::uint64_t told_upto_ = 0;  // events
  std::vector<sd::LogEntry> tails_;  // of a job whose events are gone
  std::size_t tails_told_ = 0;
};

}  // namespace corund::serve::methods
