// SPDX-License-Identifier: MIT
// Floor 2. AnyTask, a task whatever its result: only its shape stands here, because reports carry one; its functions are the task
// floor's (task/any_task.cpp).
#pragma once

#include <cstdint>
#include <corun/base/export.hpp>
#include <exception>
#include <functional>
#include <string>

namespace corun {

class Context;
class AnyTask;

// Names a done callback, for remove_done_callback.
using CallbackId = std::uint64_t;

namespace detail {
struct TaskCore;
class DoneAwaiter;
}  // namespace detail

// A shared handle on a task, whatever it returns; implicit from every Task<T>. All of Task but result(). Awaiting it waits for the
// task's end and throws what the task threw; its value is dropped.
// Threads: the loop's thread only.
class CORUN_API AnyTask {
 public:
  AnyTask(const AnyTask& other) noexcept;
  AnyTask& operator=(const AnyTask& other) noexcept;
  ~AnyTask();

  // See Task (task/task.hpp) for each of these.
  bool cancel(std::string message = {}) const;
  int cancelling() const noexcept;
  int uncancel() const noexcept;
  bool done() const noexcept;
  bool cancelled() const noexcept;
  std::exception_ptr exception() const;
  const std::string& name() const;
  void set_name(std::string name) const;
  Context context() const;
  CallbackId add_done_callback(std::function<void(const AnyTask&)> callback, const Context* context = nullptr) const;
  bool remove_done_callback(CallbackId id) const;
  detail::DoneAwaiter operator co_await() const;
  friend bool operator==(const AnyTask& a, const AnyTask& b) noexcept { return a.core_ == b.core_; }

  // Library-internal: the record behind the handle.
  explicit AnyTask(detail::TaskCore* core) noexcept;
  detail::TaskCore& core() const noexcept { return *core_; }

 private:
  detail::TaskCore* core_;
};

}  // namespace corun
