// SPDX-License-Identifier: MIT
// Floor 4. A pool of threads for work that blocks.
#pragma once

#include <atomic>
#include <condition_variable>
#include <corun/base/errors.hpp>
#include <corun/loop/handle.hpp>
#include <corun/loop/mailbox.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace corun {

// How an executor is made.
struct ThreadPoolOptions {
  std::size_t max_workers = 0;               // 0: min(32, CPUs + 4), as Python's
  std::string_view thread_name_prefix = {};  // threads are named PREFIX_N where the kernel's 15 characters allow
};

namespace detail {

// One piece of work on its way through a pool.
class WorkItem {
 public:
  virtual ~WorkItem() = default;
  virtual void run() noexcept = 0;                  // in a worker
  virtual void finished(bool ran) noexcept = 0;     // in a worker, after run() or instead of it

  // True: it had not begun, and will not.
  bool cancel() noexcept {
    int queued = 0;
    return state_.compare_exchange_strong(queued, 2);
  }
  bool begin() noexcept {
    int queued = 0;
    return state_.compare_exchange_strong(queued, 1);
  }

 private:
  std::atomic<int> state_{0};  // 0 queued, 1 begun, 2 cancelled
};

// What workers share. Lives until the last of them is gone, which may be after the executor.
struct PoolState {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<WorkItem>> queue;
  std::size_t workers = 0;  // alive
  std::size_t idle = 0;
  bool stopping = false;
  std::vector<std::function<void()>> when_empty;  // called by the last worker that leaves
};

}  // namespace detail

// Threads that start when needed and end with shutdown(). A running function cannot be cancelled; one that waits in the queue can.
// Lifetime: the destructor waits for what was submitted, as Python's does at exit.
// Threads: any. Source: concurrent.futures.ThreadPoolExecutor.
class CORUN_API ThreadPoolExecutor {
 public:
  explicit ThreadPoolExecutor(ThreadPoolOptions options = {});
  ~ThreadPoolExecutor();
  ThreadPoolExecutor(const ThreadPoolExecutor&) = delete;
  ThreadPoolExecutor& operator=(const ThreadPoolExecutor&) = delete;

  // Waits for all that was submitted; nothing is taken any more.
  void shutdown();

  std::size_t max_workers() const noexcept { return max_workers_; }
  std::size_t threads() const;  // alive
  std::size_t busy() const;

  // Library-internal. Errors: RuntimeError after shutdown.
  void submit(std::shared_ptr<detail::WorkItem> item);
  // Takes nothing more; `drained` is called by the last worker (or at once, here, where there is none). Threads: any.
  void begin_shutdown(std::function<void()> drained);
  void join();     // after drained: the threads are at their end
  void abandon();  // the threads go on by themselves

 private:
  static void work(std::shared_ptr<detail::PoolState> state);

  std::shared_ptr<detail::PoolState> state_;
  std::size_t max_workers_;
  std::string prefix_;
  std::vector<std::thread> threads_;
  std::size_t started_ = 0;
};

}  // namespace corun
