// SPDX-License-Identifier: MIT
// Two messages go to the loop, through its mailbox: begin, which makes a task of the coroutine, and cancel. The outcome comes back under
// the mutex. A task's count is the loop thread's, so this side never holds one: the task is known by a node in its list of waiters,
// which the task's end or death takes out, both on the loop's thread.
//
// The delivery of begin owns the question whether the coroutine will ever run: destroyed undelivered, because the loop was closed, it
// ends the waiting with an error.
#include <corun/loop/mailbox.hpp>
#include <corun/task/task_core.hpp>
#include <corun/thread/run_coroutine_threadsafe.hpp>

namespace corun::detail {
namespace {

std::exception_ptr closed_error() { return std::make_exception_ptr(RuntimeError("Event loop is closed")); }

// The scope does not travel: its count is its own loop's.
template <class F>
bool post(Mailbox& mailbox, F f, const Context* context) {
  AmbientGuard ambient(thread_state.context, nullptr);
  return mailbox.post(Ref<Callback>(new CallbackOf<F>(std::move(f), context)));
}

}  // namespace

// Stands in the task's list of waiters.
class ConcurrentCore::Watch final : public DoneNode, public Pooled {
 public:
  explicit Watch(std::shared_ptr<ConcurrentCore> core) noexcept : core_(std::move(core)) {}

  void done(FutureCore& task) noexcept override {
    core_->task_ = nullptr;
    // Where nobody holds a handle, an exception stays the task's, which reports that it was never retrieved.
    if (core_.use_count() > 1) core_->end(task);
    delete this;
  }
  void dropped() noexcept override {
    core_->task_ = nullptr;
    core_->finish(State::finished, closed_error());
    delete this;
  }

 private:
  std::shared_ptr<ConcurrentCore> core_;
};

// The begin message.
struct ConcurrentCore::Delivery {
  Delivery(std::shared_ptr<ConcurrentCore> to, LoopCore& on) noexcept : core(std::move(to)), loop(&on) {}
  Delivery(Delivery&&) noexcept = default;
  ~Delivery() {
    if (!core) return;
    core->close_coroutine();
    core->finish(State::finished, closed_error());
  }
  void operator()() { std::exchange(core, nullptr)->begin(*loop); }

  std::shared_ptr<ConcurrentCore> core;
  LoopCore* loop;
};

void ConcurrentCore::submit(Loop& loop) {
  mailbox_ = loop.core().mailbox;
  if (!post(*mailbox_, Delivery(shared_from_this(), loop.core()), nullptr)) throw RuntimeError("Event loop is closed");
}

void ConcurrentCore::begin(LoopCore& loop) {
  if (done()) return close_coroutine();  // cancelled on its way: the body never runs
  try {
    auto watch = std::make_unique<Watch>(shared_from_this());
    task_ = start(loop);
    task_->waiters.push_back(*watch.release());
  } catch (...) {
    finish(State::finished, std::current_exception());
  }
}

void ConcurrentCore::end(FutureCore& task) noexcept {
  std::unique_lock lock(mutex_);
  if (state_ != State::pending) return;
  if (task.state == FutureCore::State::cancelled) return settle(std::move(lock), State::cancelled, task.error);
  std::exception_ptr error = task.error;
  task.exception_unread = false;
  if (!error) {
    try {
      take_result(task);
    } catch (...) {
      error = std::current_exception();
    }
  }
  settle(std::move(lock), State::finished, std::move(error));
}

void ConcurrentCore::finish(State how, std::exception_ptr error) noexcept {
  std::unique_lock lock(mutex_);
  if (state_ == State::pending) settle(std::move(lock), how, std::move(error));
}

void ConcurrentCore::settle(std::unique_lock<std::mutex> lock, State how, std::exception_ptr error) noexcept {
  state_ = how;
  error_ = std::move(error);
  lock.unlock();
  changed_.notify_all();
}

bool ConcurrentCore::cancel(const std::string& message) {
  {
    std::unique_lock lock(mutex_);
    if (state_ != State::pending) return false;
    settle(std::move(lock), State::cancelled, std::make_exception_ptr(CancelledError(message)));
  }
  Context none;
  auto ask = [core = shared_from_this(), message] {
    if (core->task_) core->task_->cancel(message);
  };
  post(*mailbox_, std::move(ask), &none);  // refused: the loop is closed, and the task with it
  return true;
}

bool ConcurrentCore::done() const {
  std::lock_guard lock(mutex_);
  return state_ != State::pending;
}

bool ConcurrentCore::cancelled() const {
  std::lock_guard lock(mutex_);
  return state_ == State::cancelled;
}

std::unique_lock<std::mutex> ConcurrentCore::wait(std::optional<nanoseconds> timeout) {
  std::unique_lock lock(mutex_);
  if (state_ != State::pending) return lock;
  if (thread_state.loop && thread_state.loop->mailbox == mailbox_)
    throw RuntimeError("waiting here for a coroutine of this thread's own loop would never end");
  auto over = [this] { return state_ != State::pending; };
  if (!timeout)
    changed_.wait(lock, over);
  else if (!changed_.wait_until(lock, std::chrono::steady_clock::now() + *timeout, over))
    throw TimeoutError();
  return lock;
}

void ConcurrentCore::throw_error() const { std::rethrow_exception(error_); }

std::exception_ptr ConcurrentCore::wait_for_error(std::optional<nanoseconds> timeout) {
  auto lock = wait(timeout);
  if (state_ == State::cancelled) throw_error();
  return error_;
}

}  // namespace corun::detail
