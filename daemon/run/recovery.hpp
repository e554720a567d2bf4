// SPDX-License-Identifier: MIT
// What a former daemon left in the store: jobs that waited wait again, in their order; those that ran when it died count an attempt, and
// are tried again or are lost, as their policy says; what ended is known again. Read once, before anything is submitted.
#pragma once

#include <cstddef>
#include <vector>

#include "daemon/job/registry.hpp"
#include "daemon/run/admission.hpp"

namespace corund::run {

class Recovery {
 public:
  Recovery(job::Table& table, job::Registry& registry, Admission& admission, Ledger& ledger, Journal& journal)
      : table_(table), registry_(registry), admission_(admission), ledger_(ledger), journal_(journal) {}

  // Reads all jobs into the table; blocks. Before store.start(). Errors: store::StoreError.
  void read(store::Store& store);
  // Ends what commands have left running, and lets the jobs go on. On the loop, after store.start().
  void resume();

  // The daemon stops: durable jobs that still run and are not waited for any more end here for the record, or wait for another attempt. After
  // the loop's last step but for its closing.
  void leave_running();

  std::size_t waiting() const noexcept { return waiting_; }
  std::size_t lost() const noexcept { return lost_; }

 private:
  struct Left {
    job::JobRef job;
    bool was_running;
  };
  struct Process {
    job::JobRef job;
    store::ProcessRow row;
  };

  void begin(const store::JobRow& row);
  void add(const store::AttemptRow& row);
  void finish();
  void take_over(job::Job& job, bool was_running);
  void lose(job::Job& job, job::State state, std::string_view why);

  job::Table& table_;
  job::Registry& registry_;
  Admission& admission_;
  Ledger& ledger_;
  Journal& journal_;
  job::Job* current_ = nullptr;  // the job whose rows are being read
  bool is_current_running_ = false;
  std::vector<Left> left_;
  std::vector<Process> processes_;
  std::size_t waiting_ = 0;
  std::size_t lost_ = 0;
};

}  // namespace corund::run
