// SPDX-License-Identifier: MIT
// Floor 4. Queue, PriorityQueue, LifoQueue: items from tasks to tasks, with a bound that makes producers wait.
#pragma once

#include <algorithm>
#include <corun/coro/coro.hpp>
#include <corun/coro/frame_pool.hpp>
#include <corun/sync/wait_list.hpp>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace corun {

namespace detail {

// All of a queue but its items: how many there are, who waits for one, who waits for room, what has been got and not yet done.
class CORUN_API QueueCore {
 public:
  explicit QueueCore(std::size_t maxsize) noexcept : maxsize_(maxsize) {}

  // Waits until there is an item, which the caller takes in the same step. Errors: QueueShutDown.
  Coro<> wait_for_item();
  // Waits until there is room. Errors: QueueShutDown.
  Coro<> wait_for_room();
  Coro<> join();

  void added();    // an item was stored
  void removed();  // an item was taken
  void task_done();
  void shutdown(bool immediate);  // immediate: the caller throws the items away

  void check_open() const;  // Errors: QueueShutDown
  std::size_t size() const noexcept { return size_; }
  std::size_t maxsize() const noexcept { return maxsize_; }
  bool full() const noexcept { return maxsize_ > 0 && size_ >= maxsize_; }
  bool is_shut_down() const noexcept { return shut_down_; }

 private:
  std::size_t size_ = 0;
  std::size_t maxsize_;         // 0: no bound
  std::size_t unfinished_ = 0;  // put, and not yet task_done()
  bool shut_down_ = false;
  LoopBinding binding_{"a queue"};
  WaitList getters_{binding_};
  WaitList putters_{binding_};
  WaitList joiners_{binding_};
};

// First in, first out. Its blocks come from the frame pool.
template <class T>
class FifoStore {
 public:
  void push(T&& item) { items_.push_back(std::move(item)); }
  T pop() {
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }
  auto take_all() { return std::exchange(items_, {}); }

 private:
  using Allocator =
      std::conditional_t<(alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__), std::allocator<T>, PoolAllocator<T>>;
  std::deque<T, Allocator> items_;
};

// Last in, first out.
template <class T>
class LifoStore {
 public:
  void push(T&& item) { items_.push_back(std::move(item)); }
  T pop() {
    T item = std::move(items_.back());
    items_.pop_back();
    return item;
  }
  auto take_all() { return std::exchange(items_, {}); }

 private:
  std::vector<T> items_;
};

// The smallest first: a heap. Less must not throw.
template <class T, class Less>
class HeapStore {
 public:
  HeapStore() = default;
  explicit HeapStore(Less less) : later_{std::move(less)} {}
  void push(T&& item) {
    items_.push_back(std::move(item));
    std::push_heap(items_.begin(), items_.end(), std::ref(later_));
  }
  T pop() {
    std::pop_heap(items_.begin(), items_.end(), std::ref(later_));
    T item = std::move(items_.back());
    items_.pop_back();
    return item;
  }
  auto take_all() { return std::exchange(items_, {}); }

 private:
  struct Later {
    Less less = {};
    bool operator()(const T& a, const T& b) { return less(b, a); }
  };
  Later later_;
  std::vector<T> items_;
};

// What every queue offers.
template <class T, class Store>
class BasicQueue {
 public:
  explicit BasicQueue(std::size_t maxsize = 0, Store store = {}) : core_(maxsize), items_(std::move(store)) {}
  BasicQueue(const BasicQueue&) = delete;
  BasicQueue& operator=(const BasicQueue&) = delete;

  // Adds an item once there is room; does not suspend, nor look at cancellation, where there is.
  // Errors: QueueShutDown, also while it waits; RuntimeError where the queue is bound to another loop. Cancellation: nothing was added; room
  // that had been offered goes to the next one. A put that throws destroys its item.
  Coro<> put(T item) {
    core_.check_open();
    if (core_.full()) co_await core_.wait_for_room();
    core_.check_open();
    add(std::move(item));
  }

  // Takes an item once there is one; does not suspend, nor look at cancellation, where there is.
  // Errors: QueueShutDown where the queue is shut down and empty, also while it waits; RuntimeError where it is bound to another loop.
  // Cancellation: nothing was taken; an item that had been offered goes to the next one.
  Coro<T> get() {
    if (core_.size() == 0) co_await core_.wait_for_item();
    co_return take();
  }

  // Adds an item now. False: there is no room; an lvalue or moved argument is as it was. Errors: QueueShutDown.
  template <class U = T>
    requires std::is_constructible_v<T, U&&>
  bool try_put(U&& item) {
    core_.check_open();
    if (core_.full()) return false;
    add(T(std::forward<U>(item)));
    return true;
  }

  // Takes an item now; nullopt: there is none. Errors: QueueShutDown where the queue is shut down and empty.
  std::optional<T> try_get() {
    if (core_.size() > 0) return take();
    core_.check_open();
    return std::nullopt;
  }

  // try_put() and try_get() as asyncio has them. Errors: QueueFull, QueueEmpty, QueueShutDown.
  template <class U = T>
    requires std::is_constructible_v<T, U&&>
  void put_nowait(U&& item) {
    if (!try_put(std::forward<U>(item))) throw QueueFull();
  }
  T get_nowait() {
    if (core_.size() > 0) return take();
    core_.check_open();
    throw QueueEmpty();
  }

  // For consumers, once per item that they took: it has been dealt with. Errors: ValueError when called more often than items were put.
  void task_done() { core_.task_done(); }

  // Waits until task_done() has been called for every item that was put; does not suspend where that is so.
  Coro<> join() { return core_.join(); }

  // From now on put() throws QueueShutDown, and get() does once the queue is empty; who waits hears of it. immediate: the items are
  // destroyed, each counts as done. Twice is once; immediate may come second.
  void shutdown(bool immediate = false) {
    std::optional<decltype(std::declval<Store&>().take_all())> dropped;  // destroyed last, when the queue is as it says
    if (immediate) dropped.emplace(items_.take_all());
    core_.shutdown(immediate);
  }

  std::size_t qsize() const noexcept { return core_.size(); }
  bool empty() const noexcept { return core_.size() == 0; }
  // Whether there are maxsize items; never where maxsize is 0.
  bool full() const noexcept { return core_.full(); }
  // The bound; 0: none.
  std::size_t maxsize() const noexcept { return core_.maxsize(); }

 private:
  void add(T&& item) {
    items_.push(std::move(item));
    core_.added();
  }
  T take() {
    T item = items_.pop();
    core_.removed();
    return item;
  }

  QueueCore core_;
  Store items_;
};

}  // namespace detail

// Items in the order in which they were put. Made anywhere; belongs to the loop of its first wait that parks. Move-only items are enough.
//
// Fairness: who waits is served in the order in which they came. As in asyncio a get() that finds an item takes it, even one that a
// waiting task has just been woken for; that task then waits on, in its old place.
// Lifetime: destroyed while tasks wait, it ends their wait with a CancelledError that says so.
// Threads: its loop's thread only; from others Loop::call_soon_threadsafe.
// The operations: detail::BasicQueue, above. Source: asyncio.Queue.
template <class T>
class Queue : public detail::BasicQueue<T, detail::FifoStore<T>> {
 public:
  // maxsize: how many items it holds at most; 0: no bound.
  explicit Queue(std::size_t maxsize = 0) : detail::BasicQueue<T, detail::FifoStore<T>>(maxsize) {}
};

// A Queue that gives the smallest item first; the order among equals is not said. Source: asyncio.PriorityQueue.
template <class T, class Less = std::less<T>>
class PriorityQueue : public detail::BasicQueue<T, detail::HeapStore<T, Less>> {
 public:
  explicit PriorityQueue(std::size_t maxsize = 0) : detail::BasicQueue<T, detail::HeapStore<T, Less>>(maxsize) {}
  PriorityQueue(std::size_t maxsize, Less less)
      : detail::BasicQueue<T, detail::HeapStore<T, Less>>(maxsize, detail::HeapStore<T, Less>(std::move(less))) {}
};

// A Queue that gives the latest item first. Source: asyncio.LifoQueue.
template <class T>
class LifoQueue : public detail::BasicQueue<T, detail::LifoStore<T>> {
 public:
  explicit LifoQueue(std::size_t maxsize = 0) : detail::BasicQueue<T, detail::LifoStore<T>>(maxsize) {}
};

}  // namespace corun
