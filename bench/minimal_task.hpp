// SPDX-License-Identifier: MIT
// The limit that libcorun is measured against: the least that a coroutine task on a loop can be. Frames from free lists, symmetric
// transfer, an intrusive ready queue, a heap of timers. No cancellation but the one bit that the benchmark needs, no context, no scope, no
// name, no signals, no I/O, no await stack; a task is not counted, its handle must outlive it.
#pragma once

#include <time.h>

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

namespace minimal {

inline constexpr std::size_t class_bytes = 32;
inline constexpr std::size_t classes = 64;

struct Block {
  Block* next;
};
inline constinit thread_local Block* free_blocks[classes]{};

inline void* allocate(std::size_t bytes) {
  std::size_t size_class = (bytes - 1) / class_bytes;
  if (size_class >= classes) return ::operator new(bytes);
  if (Block* block = free_blocks[size_class]) {
    free_blocks[size_class] = block->next;
    return block;
  }
  return ::operator new((size_class + 1) * class_bytes);
}

inline void deallocate(void* memory, std::size_t bytes) noexcept {
  std::size_t size_class = (bytes - 1) / class_bytes;
  if (size_class >= classes) return ::operator delete(memory);
  auto* block = static_cast<Block*>(memory);
  block->next = free_blocks[size_class];
  free_blocks[size_class] = block;
}

// Something to resume, linked into the ready queue through itself.
struct Node {
  Node* next = nullptr;
  std::coroutine_handle<> handle;
};

class Loop {
 public:
  using clock = std::chrono::steady_clock;

  void push(Node& node) noexcept {
    node.next = nullptr;
    *tail_ = &node;
    tail_ = &node.next;
  }
  void push_at(clock::time_point when, Node& node) { timers_.push({when, &node}); }

  // Resumes what is ready and what becomes due until `done`.
  void run(const bool& done) {
    while (!done) {
      while (Node* node = head_) {
        head_ = node->next;
        if (!head_) tail_ = &head_;
        node->handle.resume();
      }
      if (done || timers_.empty()) continue;
      auto earliest = timers_.top().when;
      if (clock::now() < earliest) sleep_until(earliest);
      for (auto now = clock::now(); !timers_.empty() && timers_.top().when <= now; timers_.pop()) push(*timers_.top().node);
    }
  }

 private:
  struct Timer {
    clock::time_point when;
    Node* node;
    bool operator>(const Timer& other) const noexcept { return when > other.when; }
  };

  static void sleep_until(clock::time_point when) {
    auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
    timespec at{ns / 1'000'000'000, ns % 1'000'000'000};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
  }

  Node* head_ = nullptr;
  Node** tail_ = &head_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
};

inline constinit thread_local Loop* loop = nullptr;

template <class T>
struct Value {
  std::optional<T> value;
  template <class U>
  void return_value(U&& from) {
    value.emplace(std::forward<U>(from));
  }
  T take() { return std::move(*value); }
};
template <>
struct Value<void> {
  void return_void() noexcept {}
  void take() noexcept {}
};

// Lazy; awaiting it runs it and gives its result.
template <class T = void>
class [[nodiscard]] Task {
 public:
  struct promise_type : Value<T>, Node {
    std::coroutine_handle<> continuation = std::noop_coroutine();
    std::exception_ptr error;

    static void* operator new(std::size_t bytes) { return allocate(bytes); }
    static void operator delete(void* memory, std::size_t bytes) noexcept { deallocate(memory, bytes); }
    Task get_return_object() noexcept { return Task(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    struct Final {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) noexcept {
        return h.promise().continuation;
      }
      void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { error = std::current_exception(); }
  };
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle frame) noexcept : frame_(frame) {}
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (frame_) frame_.destroy();
  }

  struct Awaiter {
    explicit Awaiter(Handle h) noexcept : frame(h) {}
    bool await_ready() noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
      frame.promise().continuation = awaiting;
      return frame;
    }
    T await_resume() {
      if (frame.promise().error) std::rethrow_exception(frame.promise().error);
      return frame.promise().take();
    }
    Handle frame;
  };
  Awaiter operator co_await() && noexcept { return Awaiter(frame_); }

  Handle release() noexcept { return std::exchange(frame_, nullptr); }

 private:
  Handle frame_;
};

// A task that was started by spawn(): awaiting it waits for its end. The handle owns the frame and outlives the run.
template <class T = void>
class Spawned {
 public:
  using Handle = typename Task<T>::Handle;
  explicit Spawned(Handle frame) noexcept : frame_(frame) {
    frame.promise().handle = frame;
    loop->push(frame.promise());
  }
  Spawned(Spawned&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Spawned& operator=(Spawned&&) = delete;
  ~Spawned() {
    if (frame_) frame_.destroy();
  }

  bool done() const noexcept { return frame_.done(); }

  struct Awaiter {
    explicit Awaiter(Handle h) noexcept : frame(h) {}
    bool await_ready() noexcept { return frame.done(); }
    void await_suspend(std::coroutine_handle<> awaiting) noexcept { frame.promise().continuation = awaiting; }
    T await_resume() {
      if (frame.promise().error) std::rethrow_exception(frame.promise().error);
      return frame.promise().take();
    }
    Handle frame;
  };
  Awaiter operator co_await() const noexcept { return Awaiter(frame_); }

 private:
  Handle frame_;
};

template <class T>
Spawned<T> spawn(Task<T> task) {
  return Spawned<T>(task.release());
}

// Gives the others a turn.
struct Yield : Node {
  bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) noexcept {
    handle = h;
    loop->push(*this);
  }
  void await_resume() noexcept {}
};

struct SleepUntil : Node {
  explicit SleepUntil(Loop::clock::time_point at) noexcept : when(at) {}
  bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    handle = h;
    loop->push_at(when, *this);
  }
  void await_resume() noexcept {}
  Loop::clock::time_point when;
};

struct Cancelled {};

// Where a task can park until somebody cancels it.
struct CancelPoint : Node {
  void cancel() noexcept { loop->push(*this); }
  struct Awaiter {
    explicit Awaiter(CancelPoint& p) noexcept : point(p) {}
    bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) noexcept { point.handle = h; }
    void await_resume() { throw Cancelled(); }
    CancelPoint& point;
  };
  Awaiter operator co_await() noexcept { return Awaiter(*this); }
};

inline Task<> run_and_mark(Task<> main, bool& done) {
  co_await std::move(main);
  done = true;
}

// Runs main on a loop of its own.
inline void run(Task<> main) {
  Loop own;
  Loop* before = std::exchange(loop, &own);
  bool done = false;
  auto root = spawn(run_and_mark(std::move(main), done));
  own.run(done);
  loop = before;
}

}  // namespace minimal
