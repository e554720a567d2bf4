// SPDX-License-Identifier: MIT
// Floor 3. as_completed(): tasks in the order in which they end.
#pragma once

#include <algorithm>
#include <chrono>
#include <corun/coro/async_generator.hpp>
#include <corun/task/future.hpp>
#include <corun/task/task.hpp>
#include <deque>
#include <optional>
#include <vector>

namespace corun {

namespace detail {

// Notes the order in which futures end.
class CORUN_API CompletionOrder {
 public:
  explicit CompletionOrder(const std::vector<FutureCore*>& futures);
  ~CompletionOrder();
  CompletionOrder(const CompletionOrder&) = delete;
  CompletionOrder& operator=(const CompletionOrder&) = delete;

  // The index of the next one that ended. Errors: TimeoutError at the deadline.
  Coro<std::size_t> next(std::optional<time_point> deadline);

 private:
  struct Node final : DoneNode {
    void done(FutureCore&) noexcept override { order->ended(index); }
    TaskCore* waiting_task() const noexcept override { return order->waiting_; }
    CompletionOrder* order = nullptr;
    std::size_t index = 0;
  };
  void ended(std::size_t index) noexcept;

  std::vector<Ref<FutureCore>> futures_;
  std::unique_ptr<Node[]> nodes_;
  std::vector<std::size_t> order_;  // reserved for all: noting an end allocates nothing
  std::size_t given_ = 0;
  std::optional<Future<>> more_;
  TaskCore* waiting_ = nullptr;
};

}  // namespace detail

// Gives the tasks themselves, each once, as they end. Errors: TimeoutError at the end of the time, from next().
// Source: asyncio.as_completed, iterated asynchronously.
template <class T>
AsyncGenerator<Task<T>> as_completed(std::vector<Task<T>> tasks, std::optional<std::chrono::nanoseconds> timeout = {}) {
  std::optional<time_point> deadline;
  if (timeout) deadline = get_running_loop().time() + *timeout;
  std::vector<detail::FutureCore*> cores;
  std::vector<Task<T>> unique;
  for (const Task<T>& task : tasks) {
    if (std::find(cores.begin(), cores.end(), &task.core()) != cores.end()) continue;
    cores.push_back(&task.core());
    unique.push_back(task);
  }
  detail::CompletionOrder order(cores);
  for (std::size_t left = unique.size(); left > 0; --left) {
    std::size_t index = co_await order.next(deadline);
    co_yield unique[index];
  }
}

}  // namespace corun
