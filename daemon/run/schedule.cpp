// SPDX-License-Identifier: MIT
// Times are the wall clock's, since they must hold over a restart; the timer is the loop's. Where the wall clock is stepped meanwhile, a
// timer that comes too early is armed again, and none is armed for longer than `longest`, so that a step forward is seen.
#include "daemon/run/schedule.hpp"

#include <algorithm>

#include "daemon/run/clock.hpp"

namespace corund::run {
namespace {

constexpr std::chrono::microseconds longest = std::chrono::minutes(1);

}  // namespace

void Schedule::add(const job::Job& job) {
  // Entries of jobs that left otherwise would stay for as long as their peers once said.
  constexpr std::size_t spare = 1024;
  if (entries_.size() > 2 * table_.counts()[static_cast<std::size_t>(job::State::delayed)] + spare) forget_left();
  entries_.push({job.eligible_us, job.id});
  arm();
}

void Schedule::stop() noexcept {
  if (timer_) timer_->cancel();
  timer_.reset();
  armed_for_us_ = 0;
}

void Schedule::arm() {
  if (entries_.empty()) return stop();
  const std::int64_t next = entries_.top().at_us;
  if (timer_ && armed_for_us_ == next) return;
  stop();
  armed_for_us_ = next;
  auto wait = std::clamp(std::chrono::microseconds(next - now_us()), std::chrono::microseconds(0), longest);
  timer_ = corun::get_running_loop().call_later(wait, [this] {
    timer_.reset();
    run_due();
  });
}

bool Schedule::is_awaited(const Entry& entry) const noexcept {
  const job::Job* job = table_.find(entry.id);
  return job && job->wait == job::Wait::time && job->eligible_us == entry.at_us;
}

void Schedule::forget_left() {
  decltype(entries_) kept;
  for (; !entries_.empty(); entries_.pop())
    if (is_awaited(entries_.top())) kept.push(entries_.top());
  entries_ = std::move(kept);
}

void Schedule::run_due() {
  const std::int64_t now = now_us();
  while (!entries_.empty() && entries_.top().at_us <= now) {
    Entry entry = entries_.top();
    entries_.pop();
    if (is_awaited(entry)) due_(*table_.find(entry.id));
  }
  armed_for_us_ = 0;
  arm();
}

}  // namespace corund::run
