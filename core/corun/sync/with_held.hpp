// SPDX-License-Identifier: MIT
// Floor 4. The `with` of locks, semaphores and conditions: acquire, run a body, give back, whatever way the body ends.
#pragma once

#include <corun/coro/coro.hpp>
#include <corun/sync/wait_list.hpp>
#include <functional>
#include <type_traits>
#include <utility>

namespace corun::detail {

// Gives back what a frame holds when that frame is left by an exception or destroyed.
// P: release(), which may throw where nothing is held, and WaitList& waiters().
template <class P>
class Held {
 public:
  explicit Held(P& primitive) noexcept : primitive_(primitive) { primitive.waiters().receive(visit_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    try {
      release();
    } catch (...) {
      // The body gave it back itself and then threw: what the body threw is what leaves here.
    }
  }

  // Once; nothing where the primitive is gone.
  void release() {
    if (!visit_.host_is_there()) return;
    visit_.unlink();
    primitive_.release();
  }

 private:
  P& primitive_;
  Visit visit_;
};

// The body and its arguments live in this frame until the body has ended.
template <class P, class F, class... A>
auto with_held(P& primitive, F body, A... args) -> std::invoke_result_t<F&, A...> {
  using T = typename std::invoke_result_t<F&, A...>::value_type;
  co_await primitive.acquire();
  Held<P> held(primitive);
  if constexpr (std::is_void_v<T>) {
    co_await std::invoke(body, std::move(args)...);
    held.release();
  } else {
    decltype(auto) result = co_await std::invoke(body, std::move(args)...);
    held.release();
    co_return static_cast<T&&>(result);
  }
}

}  // namespace corun::detail
