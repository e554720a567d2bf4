// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <corun/thread/thread_pool_executor.hpp>

namespace corun {

ThreadPoolExecutor::ThreadPoolExecutor(ThreadPoolOptions options)
    : state_(std::make_shared<detail::PoolState>()),
      max_workers_(options.max_workers ? options.max_workers : std::min<std::size_t>(32, std::thread::hardware_concurrency() + 4)),
      prefix_(options.thread_name_prefix.empty() ? "corun" : options.thread_name_prefix) {}

ThreadPoolExecutor::~ThreadPoolExecutor() { shutdown(); }

std::size_t ThreadPoolExecutor::threads() const {
  std::lock_guard lock(state_->mutex);
  return state_->workers;
}

std::size_t ThreadPoolExecutor::busy() const {
  std::lock_guard lock(state_->mutex);
  return state_->workers - state_->idle;
}

void ThreadPoolExecutor::submit(std::shared_ptr<detail::WorkItem> item) {
  std::lock_guard lock(state_->mutex);
  if (state_->stopping) throw RuntimeError("cannot schedule new futures after shutdown");
  state_->queue.push_back(std::move(item));
  if (state_->idle >= state_->queue.size() || state_->workers >= max_workers_) {
    state_->changed.notify_one();
    return;
  }
  // Signals are for the loop's thread: a new worker inherits a full mask.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    threads_.emplace_back(&ThreadPoolExecutor::work, state_);
    ++state_->workers;
    std::string name = (prefix_ + '_' + std::to_string(started_++)).substr(0, 15);
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (state_->workers == 0) {
      state_->queue.pop_back();
      throw;
    }
    return;  // no more threads to be had: those there are will come to it
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void ThreadPoolExecutor::work(std::shared_ptr<detail::PoolState> state) {
  std::unique_lock lock(state->mutex);
  for (;;) {
    while (state->queue.empty() && !state->stopping) {
      ++state->idle;
      state->changed.wait(lock);
      --state->idle;
    }
    if (state->queue.empty()) break;
    std::shared_ptr<detail::WorkItem> item = std::move(state->queue.front());
    state->queue.pop_front();
    lock.unlock();
    bool begun = item->begin();
    if (begun) item->run();
    item->finished(begun);
    item.reset();
    lock.lock();
  }
  if (--state->workers > 0) return;
  auto callbacks = std::exchange(state->when_empty, {});
  lock.unlock();
  for (auto& callback : callbacks) callback();
}

void ThreadPoolExecutor::begin_shutdown(std::function<void()> drained) {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->changed.notify_all();
    if (state_->workers > 0) {
      if (drained) state_->when_empty.push_back(std::move(drained));
      return;
    }
  }
  if (drained) drained();
}

void ThreadPoolExecutor::join() {
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
  threads_.clear();
}

void ThreadPoolExecutor::abandon() {
  begin_shutdown({});
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.detach();
  threads_.clear();
}

void ThreadPoolExecutor::shutdown() {
  begin_shutdown({});
  join();
}

}  // namespace corun
