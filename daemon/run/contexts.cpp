// SPDX-License-Identifier: MIT
#include "daemon/run/contexts.hpp"

#include <algorithm>
#include <corun/base/assert.hpp>

#include "daemon/run/clock.hpp"

namespace corund::run {
namespace {

Contexts::Key key_of(const job::JobSpec& spec) { return {spec.owner, spec.extras().context_name}; }

}  // namespace

Contexts::~Contexts() {
  if (timer_) timer_->cancel();
}

void Contexts::configure(std::size_t named_max, std::chrono::nanoseconds idle) {
  named_max_ = named_max;
  if (std::exchange(idle_, idle) == idle || !timer_) return;
  timer_->cancel();
  timer_.reset();
  arm();
}

bool Contexts::has_room_for(const job::JobSpec& spec, const std::set<std::string_view>& among) const {
  if (knows(spec)) return true;
  auto count = named_count_.find(spec.owner);
  const std::size_t there = count == named_count_.end() ? 0 : count->second;
  return there + std::max<std::size_t>(among.size(), 1) <= named_max_;
}

bool Contexts::knows(const job::JobSpec& spec) const { return spec.context != job::ContextChoice::named || knows(key_of(spec)); }

void Contexts::expect(const job::JobSpec& spec) {
  if (spec.context != job::ContextChoice::named) return;
  Key key = key_of(spec);
  if (!knows(key)) ++named_count_[spec.owner];
  ++expected_[std::move(key)];
}

void Contexts::expect_no_more(const job::JobSpec& spec) noexcept {
  if (spec.context != job::ContextChoice::named) return;
  auto at = expected_.find(key_of(spec));
  if (--at->second > 0) return;
  const auto last = expected_.extract(at);
  count_out(last.key());
}

// The name may stand for nothing any more.
void Contexts::count_out(const Key& key) noexcept {
  if (knows(key)) return;
  auto count = named_count_.find(key.first);
  if (--count->second == 0) named_count_.erase(count);
}

corun::Context Contexts::enter(const job::JobSpec& spec) {
  CORUN_ASSERT(shared_.has_value());
  if (spec.context == job::ContextChoice::shared) return *shared_;
  // Entered already: a job of the shared context asks, for a child.
  corun::Context copy = shared_->entered() ? corun::copy_context() : shared_->run([] { return corun::copy_context(); });
  if (spec.context == job::ContextChoice::isolated) return copy;
  Key key = key_of(spec);
  if (!knows(key)) ++named_count_[spec.owner];
  auto at = named_.try_emplace(std::move(key), NamedContext{copy}).first;
  ++at->second.jobs_running;
  at->second.last_used_us = now_us();
  return at->second.context;
}

void Contexts::leave(const job::JobSpec& spec, const corun::Context& given) {
  if (spec.context != job::ContextChoice::named) return;
  auto at = named_.find(key_of(spec));
  if (at == named_.end() || !(at->second.context == given)) return;  // dropped meanwhile; another one may have its name
  at->second.last_used_us = now_us();
  if (--at->second.jobs_running == 0) arm();
}

bool Contexts::drop(uid_t owner, std::string_view name) {
  auto at = named_.find({owner, std::string(name)});
  if (at == named_.end()) return false;
  forget(at);
  return true;
}

void Contexts::forget(std::map<Key, NamedContext>::iterator at) noexcept {
  const auto last = named_.extract(at);
  count_out(last.key());
}

// One timer for all: it comes when the one unused for longest may be dropped, and looks then.
void Contexts::arm() {
  if (timer_) return;
  std::optional<std::int64_t> oldest;
  for (const auto& [key, named] : named_)
    if (named.jobs_running == 0 && (!oldest || named.last_used_us < *oldest)) oldest = named.last_used_us;
  if (!oldest) return;
  const auto idle_us = std::chrono::ceil<std::chrono::microseconds>(idle_);
  const auto wait = std::max(std::chrono::microseconds(*oldest - now_us()) + idle_us, std::chrono::microseconds(1));
  timer_ = corun::get_running_loop().call_later(wait, [this] {
    timer_.reset();
    drop_idle();
    arm();
  });
}

void Contexts::drop_idle() {
  const std::int64_t until = now_us() - std::chrono::duration_cast<std::chrono::microseconds>(idle_).count();
  for (auto at = named_.begin(); at != named_.end();) {
    auto next = std::next(at);
    if (at->second.jobs_running == 0 && at->second.last_used_us <= until) forget(at);
    at = next;
  }
}

}  // namespace corund::run
