// SPDX-License-Identifier: MIT
#include "daemon/run/drain.hpp"

#include <algorithm>

#include "daemon/job/kind.hpp"

namespace corund::run {

corun::Coro<> Drain::wait_until_none(std::optional<corun::time_point> until) {
  corun::Loop& loop = corun::get_running_loop();
  std::optional<corun::TimerHandle> timer;
  if (until) timer = loop.call_at(*until, [this] { supervisor_.ended().notify(); });
  try {
    while ((supervisor_.awaited() > 0 || admission_.waiting_here() > 0) && (!until || loop.time() < *until))
      co_await supervisor_.ended().wait();
  } catch (...) {
    if (timer) timer->cancel();
    throw;
  }
  if (timer) timer->cancel();
}

corun::Coro<> Drain::finish_all() {
  admission_.close();
  co_await wait_until_none(std::nullopt);
}

corun::Coro<> Drain::stop(std::chrono::nanoseconds grace) {
  corun::Loop& loop = corun::get_running_loop();
  admission_.close();
  admission_.cancel_waiting("the daemon stops");
  if (grace.count() > 0) {
    phase_ = Phase::finishing;
    deadline_ = loop.time() + grace;
    co_await wait_until_none(deadline_);
  }
  phase_ = Phase::cancelling;
  std::chrono::nanoseconds longest{0};
  std::vector<job::JobRef> left;  // a cancellation may end a job at once, so the list is taken first
  for (job::Job& job : supervisor_.running()) {
    left.emplace_back(job);
    longest = std::max(longest, job.grace);
  }
  // A moment more than the slowest escalation: it ends by jobs being over or given up, not by this.
  deadline_ = loop.time() + longest + 2 * Supervisor::last_wait;
  for (auto& job : left) supervisor_.request_stop(*job);
  left.clear();
  co_await wait_until_none(deadline_);
  phase_ = Phase::done;
}

std::string Drain::status() const {
  std::map<std::string_view, std::size_t> kinds;
  for (const job::Job& job : supervisor_.running())
    if (!job.running->abandoned) ++kinds[job.spec.kind->name];
  std::size_t count = supervisor_.awaited();
  std::string text = phase_ == Phase::cancelling ? "cancelled, waiting for " : "waiting for ";
  text += std::to_string(count) + (count == 1 ? " job (" : " jobs (");
  std::size_t named = 0;
  for (const auto& [kind, number] : kinds) {
    if (named++ == 8) {
      text += ", ...";
      break;
    }
    if (named > 1) text += ", ";
    if (number > 1) text += std::to_string(number) + " ";
    text += kind;
  }
  auto left = std::chrono::ceil<std::chrono::seconds>(deadline_ - corun::get_running_loop().time());
  return text + "), " + std::to_string(std::max<std::int64_t>(0, left.count())) + " s left";
}

}  // namespace corund::run
