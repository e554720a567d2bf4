// SPDX-License-Identifier: MIT
// Floor 1. Where coroutine frames and task records come from: free lists by size, one set per thread, so that in the steady state
// a call of a coroutine touches no allocator. A block goes back to the thread that frees it; what a thread keeps is bounded.
//
// Under the address sanitizer blocks come straight from operator new, so that a use after the end is seen.
#pragma once

#include <corun/base/export.hpp>
#include <cstddef>
#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CORUN_RECYCLE_FRAMES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CORUN_RECYCLE_FRAMES 0
#endif
#endif
#ifndef CORUN_RECYCLE_FRAMES
#define CORUN_RECYCLE_FRAMES 1
#endif

namespace corun::detail {

inline constexpr std::size_t frame_class_bytes = 32;        // step between two size classes
inline constexpr std::size_t frame_pooled_bytes_max = 2048;  // larger frames are rare and go to operator new
inline constexpr std::size_t frame_classes = frame_pooled_bytes_max / frame_class_bytes;
inline constexpr std::size_t frame_cached_bytes_max = 32u << 20;  // what one thread keeps at most: 32 MiB

struct FreeBlock {
  FreeBlock* next;
};

struct FramePool {
  FreeBlock* lists[frame_classes];
  std::ptrdiff_t room_bytes;  // how much more may be kept; falls with each block that is kept, below zero for a moment only
  bool registered;  // whether this thread's end will give the blocks back
  bool traced;      // debug mode: each coroutine's frame is told of when it is made and when it goes
};

extern CORUN_API constinit thread_local FramePool frame_pool;

CORUN_API void* frame_allocate_slow(std::size_t size_class);
CORUN_API void frame_free_slow(void* block, std::ptrdiff_t kept) noexcept;

CORUN_INLINE void* frame_allocate(std::size_t bytes) {
#if CORUN_RECYCLE_FRAMES
  if (bytes > frame_pooled_bytes_max) [[unlikely]]
    return ::operator new(bytes);
  std::size_t size_class = (bytes - 1) / frame_class_bytes;
  FramePool& pool = frame_pool;
  FreeBlock* block = pool.lists[size_class];
  if (!block) [[unlikely]]
    return frame_allocate_slow(size_class);
  pool.lists[size_class] = block->next;
  pool.room_bytes += static_cast<std::ptrdiff_t>((size_class + 1) * frame_class_bytes);
  return block;
#else
  return ::operator new(bytes);
#endif
}

CORUN_INLINE void frame_free(void* block, std::size_t bytes) noexcept {
#if CORUN_RECYCLE_FRAMES
  if (bytes > frame_pooled_bytes_max) [[unlikely]]
    return ::operator delete(block);
  std::size_t size_class = (bytes - 1) / frame_class_bytes;
  FramePool& pool = frame_pool;
  auto kept = static_cast<std::ptrdiff_t>((size_class + 1) * frame_class_bytes);
  if ((pool.room_bytes -= kept) < 0) [[unlikely]]
    return frame_free_slow(block, kept);
  auto* freed = static_cast<FreeBlock*>(block);
  freed->next = pool.lists[size_class];
  pool.lists[size_class] = freed;
#else
  (void)bytes;
  ::operator delete(block);
#endif
}

// Base of what is allocated often and on one thread: frames, tasks, handles.
struct Pooled {
  static void* operator new(std::size_t bytes) { return frame_allocate(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { frame_free(block, bytes); }
};

// The same lists for std::allocate_shared and containers.
template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) noexcept {}
  T* allocate(std::size_t n) { return static_cast<T*>(frame_allocate(n * sizeof(T))); }
  void deallocate(T* p, std::size_t n) noexcept { frame_free(p, n * sizeof(T)); }
  template <class U>
  bool operator==(const PoolAllocator<U>&) const noexcept {
    return true;
  }
};

}  // namespace corun::detail
