// SPDX-License-Identifier: MIT
// What is measured, and who takes part. A row is one kind of work, done `ops` times in a round; a contestant does it in its own way.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// One round of one row.
struct Sample {
  double cpu_ns = 0;       // of the process, per operation
  double wall_ns = 0;      // per operation
  double allocations = 0;  // calls of operator new per operation; negative: not known
  std::optional<double> late_p50_us;  // sleeps: how late the median one ended
};

// What 100,000 sleeping tasks take.
struct Memory {
  double heap_bytes = 0;      // handed out by malloc, per task
  double resident_bytes = 0;  // per task
};

class Contestant {
 public:
  virtual ~Contestant() = default;
  virtual std::string_view name() const = 0;
  virtual bool has(std::string_view row) const = 0;
  virtual Sample round(std::string_view row, std::size_t ops) = 0;
  // Run in a process of its own. Nothing where it cannot say.
  virtual std::optional<Memory> sleeping_tasks(std::size_t) { return std::nullopt; }
};

std::unique_ptr<Contestant> make_corun();
std::unique_ptr<Contestant> make_minimal();
std::unique_ptr<Contestant> make_asio_io_context();    // awaitable<T, io_context::executor_type>
std::unique_ptr<Contestant> make_asio_any_executor();  // awaitable<T>: any_io_executor
// Null where there is no Python 3.13 or newer.
std::unique_ptr<Contestant> make_asyncio(const std::string& script);

// Calls of operator new in this process so far.
std::size_t allocations() noexcept;

// CPU time of this process, in ns.
double cpu_now() noexcept;
double wall_now() noexcept;

// malloc's and the kernel's view of this process, in bytes.
Memory memory_now();

// Does the work of a round and says what it cost.
template <class F>
Sample measured(std::size_t ops, F work) {
  std::size_t allocated = allocations();
  double wall = wall_now();
  double cpu = cpu_now();
  work();
  double n = static_cast<double>(ops);
  Sample sample;
  sample.cpu_ns = (cpu_now() - cpu) / n;
  sample.wall_ns = (wall_now() - wall) / n;
  sample.allocations = static_cast<double>(allocations() - allocated) / n;
  return sample;
}

// The median of some latenesses, in microseconds.
double median_us(std::vector<double> ns);

namespace rows {
inline constexpr std::string_view nested = "nested await";
inline constexpr std::string_view chain = "await chain of 20, per frame";
inline constexpr std::string_view yield = "yield";
inline constexpr std::string_view spawn = "spawn and join one";
inline constexpr std::string_view batch = "spawn and join, batches of 1000";
inline constexpr std::string_view cancel = "cancel a sleeper";
inline constexpr std::string_view throw1 = "throw through 1 frame";
inline constexpr std::string_view throw10 = "throw through 10 frames";
inline constexpr std::string_view sleeps = "1024 sleeps of 10 ms";
inline constexpr std::string_view timer = "sleep 20 us, one by one";
inline constexpr std::string_view socket = "socket pair, write and read a byte";
inline constexpr std::string_view thread = "to_thread";
inline constexpr std::string_view queue = "queue, put and get";
inline constexpr std::string_view handover = "queue, hand over between two tasks";

inline constexpr std::string_view all[] = {nested, chain,   yield,  spawn, batch,  cancel, throw1,
                                           throw10, sleeps, timer, socket, thread, queue,  handover};

inline constexpr std::size_t chain_frames = 20;
inline constexpr std::size_t batch_tasks = 1000;
inline constexpr std::size_t sleepers = 1024;
}  // namespace rows

}  // namespace bench
