// SPDX-License-Identifier: MIT
// What the journal is told about jobs, once each, with their fields: submitted, started and ended for detached jobs and for kinds that
// ask for it, one record at the end for attached ones. Successes of attached jobs are written up to a rate and past it counted, and
// summed up once a second for each kind, so that a busy host neither floods the journal nor pays for it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/job/context.hpp"
#include "daemon/job/job.hpp"
#include "daemon/run/output_limit.hpp"
#include "daemon/sd/log.hpp"

namespace corund::run {

// The sentences of a job's life as the log has them. record: the job's, wherever it is kept.
std::string submitted_text(const job::Job& job);
std::string started_text(const job::Job& job);
std::string attempt_text(const job::Job& job, const job::Attempt& attempt);
std::string ended_text(const job::Job& job, const job::Record& record);
sd::LogLevel ended_level(const job::Job& job) noexcept;

class Journal {
 public:
  // attached_rate: records a second; output_rate: of each job's output. Lifetime: beyond the loop's last callback.
  Journal(sd::Log& log, std::size_t attached_rate, OutputRate output_rate = {})
      : log_(log), attached_rate_(attached_rate), output_rate_(output_rate) {}

  void submitted(const job::Job& job);
  void started(const job::Job& job);
  void ended(const job::Job& job);
  // An attempt failed and joined those before it; another one is due.
  void retried(const job::Job& job);
  // A cancelled job outlived its grace; stack is what it waits for.
  void abandoned(const job::Job& job, std::string_view stack);
  // The daemon's stop has given the running job up: it is lost, or this attempt of it is and the next daemon makes another one.
  void left_at_stop(const job::Job& job, std::string_view why, bool has_next);
  void said(const job::Job& job, int level, std::string_view text, const Labels& fields);
  // A line of a job's output, as far as its rate goes; what is dropped is told in one record.
  void output(const job::Job& job, Stream stream, std::string_view line, pid_t pid);
  // What a former daemon left: so many jobs wait again, so many are lost.
  void recovered(std::size_t waiting, std::size_t lost);
  // The store cannot be written, and why; and it can again. Each told once for each time.
  void store_failing(std::string_view why);
  void store_works();
  // Writes what was only counted so far. By itself a second after the first one counted; once more at the stop.
  void sum_up();

  // Whether the latest that the job came to, its submission, its start or its end, was told, as far as that is known: the success of an
  // attached one may have been counted only.
  bool has_told(const job::Job& job) const noexcept;

  // Others from now on; of output, for jobs that have written nothing yet.
  void set_rates(std::size_t attached, OutputRate output) noexcept {
    attached_rate_ = attached;
    output_rate_ = output;
  }
  sd::Log& log() noexcept { return log_; }
  std::uint64_t dropped() const noexcept { return log_.dropped(); }

 private:
  // The record of a submission, of jobs that are alike in all that it says but the id.
  struct SubmittedForm {
    const job::Kind* kind;
    job::State state;
    std::uint32_t owner;
    std::string group;
    sd::RecordForm record;
  };
  static constexpr std::size_t forms_max = 8;  // the oldest one makes room

  // Null: this job's record says more than its form could.
  const sd::RecordForm* form_of(const job::Job& job);
  bool take_from_rate(std::int64_t now_us);
  void tell_dropped(const job::Job& job, OutputLimit& limit);
  void end_output(const job::Job& job);

  sd::Log& log_;
  std::size_t attached_rate_;
  OutputRate output_rate_;
  std::int64_t second_ = 0;       // the second that written_in_second_ counts in
  std::size_t written_in_second_ = 0;
  bool is_store_failing_ = false;
  std::uint64_t counted_ = 0;     // not written one by one, since the last sum_up()
  std::map<const job::Kind*, std::uint64_t> sums_;
  std::vector<SubmittedForm> submitted_forms_;
  std::map<job::Ulid, OutputLimit> outputs_;  // of jobs that have written something
};

}  // namespace corund::run
