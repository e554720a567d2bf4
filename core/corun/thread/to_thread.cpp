// SPDX-License-Identifier: MIT
#include <chrono>
#include <corun/task/task.hpp>
#include <corun/task/wait.hpp>
#include <corun/thread/to_thread.hpp>

namespace corun {
namespace detail {

std::shared_ptr<ThreadPoolExecutor> executor_or_default(LoopCore& loop, std::shared_ptr<ThreadPoolExecutor> given) {
  loop.check_closed();
  if (given) return given;
  if (loop.executor_shut_down) throw RuntimeError("Executor shutdown has been called");
  if (!loop.default_executor)
    loop.default_executor = std::make_shared<ThreadPoolExecutor>(ThreadPoolOptions{.max_workers = 0, .thread_name_prefix = "corun"});
  return loop.default_executor;
}

// The outcome on its way back through the mailbox.
class CallItem::Arrival final : public Callback {
 public:
  Arrival(std::shared_ptr<CallItem> item, bool ran, const Context& none) : Callback(&none), item_(std::move(item)), ran_(ran) {}
  const std::type_info& type() const noexcept override {
    const CallItem& item = *item_;
    return typeid(item);
  }

 private:
  void call() override { item_->arrive(ran_); }
  std::shared_ptr<CallItem> item_;
  bool ran_;
};

// Hears of the future's end before the work's: a cancelled future drops work that waits.
class CallItem::Watch final : public DoneNode, public Pooled {
 public:
  explicit Watch(std::weak_ptr<CallItem> item) : item_(std::move(item)) {}
  void done(FutureCore& future) noexcept override {
    if (future.state == FutureCore::State::cancelled)
      if (auto item = item_.lock()) item->cancel();
    delete this;
  }
  void dropped() noexcept override { delete this; }
  virtual ~Watch() = default;

 private:
  std::weak_ptr<CallItem> item_;
};

CallItem::CallItem(LoopCore& loop, FutureCore& future) : mailbox_(loop.mailbox), loop_(&loop), future_(&future) {
  if (thread_state.scope) scope_ = TaskScope::of(*thread_state.scope);
}

CallItem::~CallItem() = default;

void CallItem::link() {
  future_->retain();
  ++loop_->threads_outstanding;
  loop_->outstanding.push_back(*this);
  auto watch = std::make_unique<Watch>(weak_from_this());
  future_->waiters.push_back(*watch.release());
}

void CallItem::run() noexcept {
  thread_state.scope = scope_ ? &scope_->core() : nullptr;
  auto begin = std::chrono::steady_clock::now();
  try {
    call();
  } catch (...) {
    error_ = std::current_exception();
  }
  if (scope_) scope_->add_thread_time(std::chrono::steady_clock::now() - begin);
  thread_state.scope = nullptr;
}

void CallItem::finished(bool ran) noexcept {
  Context none;
  mailbox_->post(Ref<Callback>(new Arrival(shared_from_this(), ran, none)));
}

// The worker may be anywhere in run(); it reads nothing of this, and what it posts is refused from now on.
void CallItem::loop_closes() noexcept {
  --loop_->threads_outstanding;
  Ref<FutureCore>::adopt(std::exchange(future_, nullptr));
}

void CallItem::arrive(bool ran) {
  Outstanding::unlink();
  --loop_->threads_outstanding;
  Ref<FutureCore> future = Ref<FutureCore>::adopt(std::exchange(future_, nullptr));
  if (future->done() || !ran) return;  // cancelled meanwhile
  if (error_)
    future->set_exception(std::move(error_));
  else
    deliver(*future);
}

}  // namespace detail

namespace detail {
namespace {

// The wait for a pool's last worker. What that worker posts outlives a wait that was given up, so it knows the wait by a record.
struct Drain {
  struct Record {
    Future<>* waiting;  // the loop's thread only; null: nobody waits any more
  };

  Drain(LoopCore& loop, Future<>& drained) : core(loop), record(std::make_shared<Record>(Record{&drained})) {
    ++core.threads_outstanding;
  }
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;
  ~Drain() {
    record->waiting = nullptr;
    --core.threads_outstanding;
  }

  LoopCore& core;
  std::shared_ptr<Record> record;
};

}  // namespace
}  // namespace detail

void Loop::set_default_executor(std::shared_ptr<ThreadPoolExecutor> executor) {
  core_->check_closed();
  core_->default_executor = std::move(executor);
}

Coro<> Loop::shutdown_default_executor(std::optional<std::chrono::nanoseconds> timeout) {
  detail::LoopCore& core = *core_;
  core.executor_shut_down = true;
  std::shared_ptr<ThreadPoolExecutor> pool = core.default_executor;
  if (!pool) co_return;
  nanoseconds limit = timeout.value_or(std::chrono::minutes(5));

  // The last worker reports through the mailbox; the loop serves everything else meanwhile.
  Future<> drained;
  detail::Drain drain(core, drained);
  auto arrived = [record = drain.record] {
    if (record->waiting && !record->waiting->done()) record->waiting->set_result();
  };
  auto mailbox = core.mailbox;
  pool->begin_shutdown([mailbox, arrived] {
    Context none;
    mailbox->post(detail::Ref<detail::Callback>(new detail::CallbackOf(arrived, &none)));
  });

  std::exception_ptr interrupted;
  try {
    std::vector<detail::FutureCore*> all(1, &drained.core());
    co_await detail::wait_futures(std::move(all), limit, ReturnWhen::all_completed);
  } catch (const CancelledError&) {
    interrupted = std::current_exception();
  }
  if (drained.done()) {
    pool->join();
  } else {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%g", std::chrono::duration<double>(limit).count());
    if (!interrupted)
      warn(std::string("The executor did not finishing joining its threads within ") + seconds + " seconds.");
    else
      warn("The executor was interrupted while joining its threads.");
    pool->abandon();
  }
  if (interrupted) std::rethrow_exception(interrupted);
}

}  // namespace corun
