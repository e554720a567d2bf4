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
  }
  given_signal_.notify_one();
}

void WriterThread::give(Work work) {
  {
    const std::lock_guard lock(mutex_);
    given_.emplace(std::move(work));
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
  }
  given_signal_.notify_one();
  thread_.join();
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
      lock.unlock();
      for (auto& rows : begun) writer_.begin(std::move(rows));
      folded = true;  // not before the end of the transaction
      lock.lock();
      continue;
    }
    if (!given_) return;
    Work work = *std::exchange(given_, std::nullopt);
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
