// SPDX-License-Identifier: MIT
// The thread that a writer works in: one piece of work at a time, given and taken back by the loop.
#pragma once

#include <atomic>
#include <condition_variable>
#include <corun/loop/loop.hpp>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "daemon/store/writer.hpp"

namespace corund::store {

class WriterThread {
 public:
  // Starts it, with all signals blocked. `done` is called in the thread after each piece of work, when take()
  // has it; it must not throw. Lifetime: writer outlives this object.
  WriterThread(Writer& writer, std::function<void()> done);
  // stop()
  ~WriterThread();
  WriterThread(const WriterThread&) = delete;
  WriterThread& operator=(const WriterThread&) = delete;

  // Gives rows of the transaction that the next work ends; no work may be with the thread, given or done.
  void begin(std::unique_ptr<Batch> rows);
  // Gives work; no other may be with the thread, given or done.
  void give(Work work);
  // What is done; none: it is not, or there was none.
  std::optional<Work> take();
  // Waits until what was given is done, and ends the thread. take() may still have something.
  void stop();

 private:
  void run();
  void await_more() const;

  Writer& writer_;
  std::function<void()> done_;
  std::mutex mutex_;
  std::condition_variable given_signal_;
  std::vector<std::unique_ptr<Batch>> begun_;
  std::optional<Work> given_;
  std::optional<Work> finished_;
  bool stopping_ = false;
  std::atomic<bool> is_given_{false};  // any of these: a hint, read without the lock
  std::thread thread_;
};

}  // namespace corund::store
