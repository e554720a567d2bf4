// SPDX-License-Identifier: MIT
#include "daemon/job/changes.hpp"

#include "daemon/job/job.hpp"
#include "daemon/job/kind.hpp"

namespace corund::job {

void Changes::add(const Job& job, std::int64_t timestamp_us) {
  changes_.push_back({std::string(job.id_view()), job.spec.owner, job.spec.kind ? job.spec.kind->name : std::string(), job.spec.group, job.state,
                      timestamp_us});
  while (changes_.size() > max_) {
    changes_.pop_front();
    ++first_;
  }
  changed_.notify();
}

void Changes::close() {
  is_closed_ = true;
  changed_.notify();
}

Changes::Reader::~Reader() {
  if (!of_ || --of_->readers_ > 0) return;
  of_->first_ += of_->changes_.size();
  of_->changes_.clear();
}

const Change* Changes::Reader::next() {
  if (is_behind() || !has_next()) return nullptr;
  return &of_->changes_[next_++ - of_->first_];
}

}  // namespace corund::job
