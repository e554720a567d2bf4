// SPDX-License-Identifier: MIT
#include "daemon/run/drain.hpp"

#include <algorithm>
#include <map>
#include <vector>

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

// A few are named by their ids, which is what an operator needs for `corunctl stack` and `cancel`; many are counted by kind.
std::string Drain::status() const {
  constexpr std::size_t ids_at_most = 4, kinds_at_most = 8;
  const std::size_t count = supervisor_.awaited();
  std::map<std::string_view, std::size_t> kinds;
  std::vector<std::string> names;
  for (const job::Job& job : supervisor_.running()) {
    if (job.running->abandoned) continue;
    ++kinds[job.spec.kind->name];
    if (count <= ids_at_most) names.push_back(job.spec.kind->name + " " + std::string(job.id_view()));
  }
  if (count > ids_at_most)
    for (const auto& [kind, number] : kinds) {
      if (names.size() == kinds_at_most) {
        names.push_back("...");
        break;
      }
      names.push_back((number > 1 ? std::to_string(number) + " " : "") + std::string(kind));
    }
  std::string text = phase_ == Phase::cancelling ? "cancelled, waiting for " : "waiting for ";
  text += std::to_string(count) + (count == 1 ? " job (" : " jobs (");
  for (std::size_t i = 0; i < names.size(); ++i) text += (i ? ", " : "") + names[i];
  auto left = std::chrono::ceil<std::chrono::seconds>(deadline_ - corun::get_running_loop().time());
  return text + "), " + std::to_string(std::max<std::int64_t>(0, left.count())) + " s left";
}

}  // namespace corund::run
