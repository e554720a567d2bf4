// SPDX-License-Identifier: MIT
// Floor 3. The border to asio::awaitable: a Coro as an Asio operation. The other way needs nothing: any asio::awaitable is awaited in a Coro by
// co_await boost::asio::co_spawn(executor, awaitable, corun::use_coro).
#pragma once

#include <corun/loop/use_coro.hpp>
#include <corun/task/task.hpp>
#include <memory>

#include <boost/asio/dispatch.hpp>

namespace corun {

namespace detail {

template <class T>
struct SpawnSignature {
  using type = void(std::exception_ptr, T);
};
template <>
struct SpawnSignature<void> {
  using type = void(std::exception_ptr);
};

// A cancelled task, in Asio's words.
CORUN_API std::exception_ptr as_asio_error(const std::exception_ptr& error, bool cancelled);

template <class T, class Handler>
void complete_spawned(const Task<T>& task, Handler handler) {
  std::exception_ptr error = task.core().error;
  task.core().exception_unread = false;
  if (error) error = as_asio_error(error, task.cancelled());
  auto executor = boost::asio::get_associated_executor(handler, io_of(*task.core().loop).get_executor());
  if constexpr (std::is_void_v<T>) {
    boost::asio::dispatch(executor, [handler = std::move(handler), error]() mutable { std::move(handler)(error); });
  } else {
    // Asio hands over a value in any case; T is default-constructed where there is none.
    auto value = error ? std::make_unique<T>() : std::make_unique<T>(task.core().slot.read());
    boost::asio::dispatch(executor, [handler = std::move(handler), error, value = std::move(value)]() mutable {
      std::move(handler)(error, std::move(*value));
    });
  }
}

}  // namespace detail

// Runs a Coro as a task of `loop`, and completes the token with (std::exception_ptr, T): co_await corun::co_spawn(loop, f(),
// boost::asio::use_awaitable) in an asio::awaitable. T must be default-constructible, as Asio's co_spawn wants it.
// Cancellation: any type emitted on the token's slot cancels the task. A cancelled task arrives as system_error(operation_aborted).
// Threads: the loop's. Resumes on the token's associated executor, else on the loop.
template <class T, class Token>
auto co_spawn(Loop& loop, Coro<T> coro, Token&& token) {
  return boost::asio::async_initiate<Token, typename detail::SpawnSignature<T>::type>(
      [](auto handler, Loop* on, Coro<T> body) {
        using Handler = decltype(handler);
        auto slot = boost::asio::get_associated_cancellation_slot(handler);
        Task<T> task = detail::create_task_on(on->core(), body, {}, std::source_location::current());
        auto kept = std::make_shared<Handler>(std::move(handler));
        if (slot.is_connected()) slot.assign([task](boost::asio::cancellation_type) { task.cancel(); });
        task.add_done_callback([kept, slot](const Task<T>& done) mutable {
          if (slot.is_connected()) slot.clear();
          detail::complete_spawned(done, std::move(*kept));
        });
      },
      token, &loop, std::move(coro));
}

}  // namespace corun
