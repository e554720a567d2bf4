// SPDX-License-Identifier: MIT
// The daemon's log: a bounded queue and a thread that empties it into a backend. Writing to it never waits for the backend: where
// journald or a terminal stands still, records are dropped, counted, and the count is logged when there is room again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "daemon/sd/record.hpp"

namespace corund::sd {

// Where records end. Called by the log's own thread only, one call at a time; may block.
class LogBackend {
 public:
  virtual ~LogBackend() = default;
  virtual void write(const LogRecord& record) noexcept = 0;
  // There is no further record for now: what write() has kept back goes out.
  virtual void flush() noexcept {}
};

struct LogOptions {
  LogLevel level = LogLevel::info;
  std::size_t queue_records = 8192;
  std::size_t queue_bytes = 8 * 1024 * 1024;  // of all records in the queue, so that long lines cannot fill the memory
};

// A record that is written again and again with another value in one of its fields: laid out once, so that writing it is a copy.
class RecordForm {
 public:
  // As Log::write() takes them; all is copied. `varying` is the one of `fields` that is given anew each time, with as many bytes as
  // here, which are some.
  RecordForm(LogLevel level, std::string_view message, MessageId id, std::span<const Field> fields, std::string_view varying);

 private:
  friend class Log;
  LogLevel level_;
  std::uint32_t entries_ = 0;
  std::string bytes_;
  std::size_t at_ = 0, length_ = 0;  // of the value
};

class Log {
 public:
  // Starts the thread, with all signals blocked in it. Without a backend all records are dropped silently.
  explicit Log(std::unique_ptr<LogBackend> backend, LogOptions options = {});
  // close() with a limit of two seconds.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Whether a record of this level would be taken. Threads: any.
  bool wants(LogLevel level) const noexcept { return level <= level_.load(std::memory_order_relaxed); }
  LogLevel level() const noexcept { return level_.load(std::memory_order_relaxed); }
  void set_level(LogLevel level) noexcept { level_.store(level, std::memory_order_relaxed); }

  // Puts a record into the queue: a copy of all it is given, into memory that is used again and again. False where its level is not
  // wanted, or where the queue is full and it was dropped. Threads: any.
  bool write(LogLevel level, std::string_view message, MessageId id, std::span<const Field> fields);
  bool write(LogLevel level, std::string_view message, MessageId id = {}, std::initializer_list<Field> fields = {}) {
    return write(level, message, id, std::span<const Field>(fields.begin(), fields.size()));
  }

  // The same of a form, with this value in its varying field; of another length than the form's it is not taken.
  bool write(const RecordForm& form, std::string_view value);

  // Records dropped since the start.
  std::uint64_t dropped() const noexcept;

  // Waits until everything written before the call has reached the backend. False where that took longer than the limit.
  bool flush(std::chrono::nanoseconds limit);

  // Takes no more records, writes those that wait, and ends the thread. Where that takes longer than the limit (a backend that stands
  // still), the thread is left to itself with its backend and what waits is lost: false. Further calls do nothing.
  bool close(std::chrono::nanoseconds limit);

 private:
  struct Queue;
  static void run(std::shared_ptr<Queue> queue);

  std::atomic<LogLevel> level_;
  std::shared_ptr<Queue> queue_;  // the thread is the last one out where close() gave up on it; null without a backend
};

}  // namespace corund::sd
