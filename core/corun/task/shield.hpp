// SPDX-License-Identifier: MIT
// Floor 3. shield(): who waits may be cancelled, what is waited for is not.
#pragma once

#include <corun/task/gather.hpp>

namespace corun {

namespace detail {

// Carries the inner future's end to the outer one. Stands in the inner's list and owns itself.
class CORUN_API ShieldNode : public DoneNode, public Pooled {
 public:
  explicit ShieldNode(FutureCore& outer) : outer_(&outer) {}
  virtual ~ShieldNode() = default;
  void done(FutureCore& inner) noexcept override;
  void dropped() noexcept override { delete this; }
  FutureCore* waiting_future() const noexcept override { return outer_.get(); }

 protected:
  virtual void pass_value(FutureCore& inner, FutureCore& outer) = 0;

 private:
  Ref<FutureCore> outer_;
};

template <class S, class T>
class ShieldNodeOf final : public ShieldNode {
 public:
  using ShieldNode::ShieldNode;

 private:
  void pass_value(FutureCore& inner, FutureCore& outer) override {
    auto& to = static_cast<FutureState<T>&>(outer).slot;
    if constexpr (std::is_void_v<T>)
      to.emplace();
    else
      to.emplace(static_cast<S&>(inner).slot.read());
  }
};

}  // namespace detail

// A Future that ends as its argument does, but whose cancellation does not reach it. The argument starts at the call. Cancelled itself,
// the argument cancels the shield. Where the shield was cancelled and the argument fails later, the exception handler is told.
// Keep a handle on what you shield: a task that nobody holds still runs, but nobody hears of its end. Source: asyncio.shield.
template <class A>
auto shield(A&& awaitable, std::source_location where = std::source_location::current()) {
  auto inner = detail::ensure_future(std::forward<A>(awaitable), where);
  using T = typename decltype(inner)::value_type;
  using S = std::remove_reference_t<decltype(inner.core())>;
  Future<T> outer(where);
  auto* node = new detail::ShieldNodeOf<S, T>(outer.core());
  if (inner.done())
    node->done(inner.core());
  else
    inner.core().waiters.push_back(*node);
  return outer;
}

}  // namespace corun
