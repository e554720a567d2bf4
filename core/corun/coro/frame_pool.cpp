// SPDX-License-Identifier: MIT
// A thread's lists are plain thread-local data, so that reading them needs no guard; the first miss of a thread registers the
// object whose destructor gives the blocks back when the thread ends. Frames freed after that (by destructors of other
// thread-locals) see `registered` cleared and go straight to operator delete.
#include <corun/coro/frame_pool.hpp>

namespace corun::detail {

constinit thread_local FramePool frame_pool{{}, std::ptrdiff_t{frame_cached_bytes_max}, false, false};

namespace {

struct ThreadEnd {
  ~ThreadEnd() {
    FramePool& pool = frame_pool;
    for (FreeBlock*& list : pool.lists) {
      while (list) {
        FreeBlock* block = list;
        list = block->next;
        ::operator delete(block);
      }
    }
    pool.room_bytes = 0;  // nothing more is kept
  }
};

thread_local ThreadEnd thread_end;

}  // namespace

void* frame_allocate_slow(std::size_t size_class) {
  FramePool& pool = frame_pool;
  if (!pool.registered) {
    pool.registered = true;
    static_cast<void>(&thread_end);  // odr-use constructs it
    asm volatile("" : : "r"(&thread_end));
  }
  return ::operator new((size_class + 1) * frame_class_bytes);
}

void frame_free_slow(void* block, std::ptrdiff_t kept) noexcept {
  frame_pool.room_bytes += kept;
  ::operator delete(block);
}

}  // namespace corun::detail
