// SPDX-License-Identifier: MIT
#include <malloc.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "bench/core/contestant.hpp"

namespace {

std::atomic<std::size_t> allocated{0};

double seconds_of(clockid_t clock) {
  timespec at{};
  ::clock_gettime(clock, &at);
  return 1e9 * static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec);
}

}  // namespace

// Counted without a locked instruction: the rows run on one thread, and in the row that has a second one a lost count does no harm.
void* operator new(std::size_t bytes) {
  allocated.store(allocated.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace bench {

std::size_t allocations() noexcept { return allocated.load(std::memory_order_relaxed); }

double cpu_now() noexcept { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }
double wall_now() noexcept { return seconds_of(CLOCK_MONOTONIC); }

Memory memory_now() {
  auto heap = ::mallinfo2();
  Memory now;
  now.heap_bytes = static_cast<double>(heap.uordblks) + static_cast<double>(heap.hblkhd);
  if (std::FILE* statm = std::fopen("/proc/self/statm", "r")) {
    unsigned long total = 0, resident = 0;
    if (std::fscanf(statm, "%lu %lu", &total, &resident) == 2)
      now.resident_bytes = static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
    std::fclose(statm);
  }
  return now;
}

double median_us(std::vector<double> ns) {
  if (ns.empty()) return 0;
  auto middle = ns.begin() + static_cast<std::ptrdiff_t>(ns.size() / 2);
  std::nth_element(ns.begin(), middle, ns.end());
  return *middle / 1000;
}

}  // namespace bench
