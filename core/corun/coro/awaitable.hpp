// SPDX-License-Identifier: MIT
// Floor 1. What can stand behind co_await in a Coro, and what it gives.
#pragma once

#include <concepts>
#include <corun/coro/frame.hpp>
#include <corun/coro/frame_pool.hpp>
#include <type_traits>
#include <utility>

namespace corun {

namespace detail {

template <class A>
concept HasMemberCoAwait = requires(A&& a) { static_cast<A&&>(a).operator co_await(); };
template <class A>
concept HasFreeCoAwait = requires(A&& a) { operator co_await(static_cast<A&&>(a)); };

// The awaiter of an awaitable, as a prvalue. Library objects are never awaiters themselves: g++ 12 copies an awaiter that it is
// given by reference.
template <class A>
  requires HasMemberCoAwait<A>
auto get_awaiter(A&& awaitable) {
  return static_cast<A&&>(awaitable).operator co_await();
}
template <class A>
  requires(!HasMemberCoAwait<A> && HasFreeCoAwait<A>)
auto get_awaiter(A&& awaitable) {
  return operator co_await(static_cast<A&&>(awaitable));
}

}  // namespace detail

// Coro, Task, Future, shield(...), and anything whose operator co_await gives one of their awaiters.
template <class A>
concept Awaitable = detail::HasMemberCoAwait<A> || detail::HasFreeCoAwait<A>;

// What co_await of an A gives.
template <Awaitable A>
using await_result_t = decltype(detail::get_awaiter(std::declval<A>()).await_resume());

namespace detail {

// What promises of ours have in common: the place of each await is kept, and only awaitables are awaited.
struct PromiseBase : FrameBase {
  using FrameBase::FrameBase;

  // Inlined into the function that makes the coroutine, so that frame_made() returns into it.
  CORUN_INLINE static void* operator new(std::size_t bytes) {
    void* block = frame_allocate(bytes);
    if (frame_pool.traced) [[unlikely]]
      frame_made(block);
    return block;
  }
  CORUN_INLINE static void operator delete(void* block, std::size_t bytes) noexcept {
    if (frame_pool.traced) [[unlikely]]
      frame_gone(block);
    frame_free(block, bytes);
  }

  template <Awaitable A>
  CORUN_INLINE auto await_transform(A&& awaitable, std::source_location where = std::source_location::current()) {
    await_at = where;
    return get_awaiter(static_cast<A&&>(awaitable));
  }
};

}  // namespace detail
}  // namespace corun
