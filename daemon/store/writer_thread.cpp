// SPDX-License-Identifier: MIT
#include "daemon/store/writer_thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <utility>

namespace corund::store {
namespace {

// Without work for this long, the thread folds the WAL.
constexpr std::chrono::milliseconds idle{500};
// In the midst of a transaction the next rows are about to come: for so long it looks for them before it sleeps, because waking it costs the
// loop more than reading several of them.
constexpr std::chrono::microseconds attentive{40};

struct SignalsBlocked {
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
  sigset_t before;
};

}  // namespace

WriterThread::WriterThread(Writer& writer, std::function<void()> done)
    : writer_(writer), done_(std::move(done)) {
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "corund-store");
}

WriterThread::~WriterThread() { stop(); }

void WriterThread::begin(std::unique_ptr<Batch> rows) {
  {
    const std::lock_guard lock(mutex_);
    begun_.push_back(std::move(rows));
    is_given_.store(true, std::memory_order_relaxed);
  }
  given_signal_.notify_one();
}

void WriterThread::give(Work work) {
  {
    const std::lock_guard lock(mutex_);
    given_.emplace(std::move(work));
    is_given_.store(true, std::memory_order_relaxed);
  }
  given_signal_.notify_one();
}

std::optional<Work> WriterThread::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(finished_, std::nullopt);
}

void WriterThread::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    is_given_.store(true, std::memory_order_relaxed);
  }
  given_signal_.notify_one();
  thread_.join();
}

void WriterThread::await_more() const {
  const auto until = std::chrono::steady_clock::now() + attentive;
  while (!is_given_.load(std::memory_order_relaxed) && std::chrono::steady_clock::now() < until) std::this_thread::yield();
}

void WriterThread::run() {
  writer_.extend_wal();
  bool folded = false;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto something = [this] { return !begun_.empty() || given_.has_value() || stopping_; };
    if (folded) {
      given_signal_.wait(lock, something);
    } else if (!given_signal_.wait_for(lock, idle, something)) {
      lock.unlock();
      writer_.fold_when_idle();
      folded = true;  // or a reader holds it back: after the next work again
      lock.lock();
      continue;
    }
    if (!begun_.empty()) {
      auto begun = std::exchange(begun_, {});
      is_given_.store(given_.has_value() || stopping_, std::memory_order_relaxed);
      lock.unlock();
      for (auto& rows : begun) writer_.begin(std::move(rows));
      folded = true;  // not before the end of the transaction
      await_more();
      lock.lock();
      continue;
    }
    if (!given_) return;
    Work work = *std::exchange(given_, std::nullopt);
    is_given_.store(stopping_, std::memory_order_relaxed);
    lock.unlock();
    writer_.write(work);
    lock.lock();
    finished_.emplace(std::move(work));
    lock.unlock();
    done_();
    writer_.fold_when_large();  // after who waits was told
    folded = false;
    lock.lock();
  }
}

}  // namespace corund::store
