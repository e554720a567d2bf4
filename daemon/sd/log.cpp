// SPDX-License-Identifier: MIT
// The queue is one buffer of bytes: a record is a header and its entries, one after the other. The thread takes the whole buffer by
// exchanging it for its own empty one, so both keep their capacity, nothing is allocated once they have grown, and the lock is held
// for a copy of a record or for the exchange of two pointers. (A ring of record objects was the other road: it allocates for each
// string, or holds the longest line ever seen in every slot.)
//
// Waking the thread costs both sides more than a record does. So, once woken, it gathers for a moment before it takes the buffer: the handful of
// records that one command leaves are then one wake-up.
#include "daemon/sd/log.hpp"

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/sd/message_ids.hpp"

namespace corund::sd {
namespace {

constexpr auto gather_time = std::chrono::milliseconds(5);
// A thousand records are most of a millisecond, in which the loop or the store would wait for this thread's processor.
constexpr std::size_t at_once = 32;
constexpr std::size_t message_id_digits = 32;

// In the buffer, unaligned: the header, then for each entry its length and its bytes.
struct Header {
  std::int64_t time_ns;
  std::uint32_t entries;
  LogLevel level;
};

template <class T>
void put_raw(char*& to, const T& value) {
  std::memcpy(to, &value, sizeof(T));
  to += sizeof(T);
}

void put_text(char*& to, std::string_view text) {
  if (text.empty()) return;  // there may be no address
  std::memcpy(to, text.data(), text.size());
  to += text.size();
}

template <class T>
T read_raw(const char*& from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  from += sizeof(T);
  return value;
}

void put_entry(char*& to, std::string_view name, std::string_view value) {
  put_raw(to, static_cast<std::uint32_t>(name.size() + 1 + value.size()));
  put_text(to, name);
  *to++ = '=';
  put_text(to, value);
}

std::size_t entry_bytes(std::string_view name, std::string_view value) {
  return sizeof(std::uint32_t) + name.size() + 1 + value.size();
}

// The entries of a record: MESSAGE, PRIORITY, MESSAGE_ID where there is one, and the fields that have a value.
struct Extent {
  std::uint32_t entries;
  std::size_t bytes;
};

Extent extent_of(std::string_view message, MessageId id, std::span<const Field> fields) {
  Extent extent{2, entry_bytes("MESSAGE", message) + entry_bytes("PRIORITY", "0")};
  if (id.hex) extent.bytes += entry_bytes("MESSAGE_ID", {id.hex, message_id_digits}), ++extent.entries;
  for (const Field& field : fields)
    if (!field.value().empty()) extent.bytes += entry_bytes(field.name(), field.value()), ++extent.entries;
  return extent;
}

void put_entries(char* to, LogLevel level, std::string_view message, MessageId id, std::span<const Field> fields) {
  const char priority = static_cast<char>('0' + static_cast<int>(level));
  put_entry(to, "MESSAGE", message);
  put_entry(to, "PRIORITY", {&priority, 1});
  if (id.hex) put_entry(to, "MESSAGE_ID", {id.hex, message_id_digits});
  for (const Field& field : fields)
    if (!field.value().empty()) put_entry(to, field.name(), field.value());
}

struct SignalsBlocked {
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
  sigset_t before;
};

}  // namespace

struct Log::Queue {
  std::unique_ptr<LogBackend> backend;
  LogOptions options;
  std::thread thread;

  std::mutex mutex;
  std::condition_variable written;   // for the thread: there is something, or an end
  std::condition_variable progress;  // for flush() and close()
  std::string bytes;                 // the records that wait
  std::size_t records = 0;           // of them
  std::uint64_t dropped = 0;         // in all
  std::uint64_t dropped_told = 0;    // of these, said in a record
  std::uint64_t taken_in = 0;        // records ever queued
  std::uint64_t done = 0;            // records ever handed to the backend
  bool is_half_full() const { return records >= options.queue_records / 2 || bytes.size() >= options.queue_bytes / 2; }
  bool idle = false;                 // the thread waits for `written`, and nobody has woken it yet
  bool gathering = false;            // it has been woken and waits a moment longer, unless
  bool hurry = false;                // it has been woken once more, and gathers no longer
  bool awaited = false;              // somebody waits for what is in the queue, or it may be the last that is written at all
  bool closing = false;
  bool ended = false;                // the thread touches nothing of the backend's any more

  // Puts a record into the queue, or drops it; `lay` writes its entries, which are so many bytes.
  template <class Lay>
  bool put(LogLevel level, Extent extent, const Lay& lay);
  // Between two records of what the thread has taken: lets others have the processor, as long as what comes meanwhile finds room.
  void give_way();
};

template <class Lay>
bool Log::Queue::put(LogLevel level, Extent extent, const Lay& lay) {
  const Header header{std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count(),
                      extent.entries, level};
  const std::size_t size = sizeof header + extent.bytes;
  std::unique_lock lock(mutex);
  if (closing) return false;
  if (records >= options.queue_records || bytes.size() + size > options.queue_bytes) {
    ++dropped;
    return false;
  }
  bytes.resize(bytes.size() + size);
  char* to = bytes.data() + bytes.size() - size;
  put_raw(to, header);
  lay(to);
  ++records;
  ++taken_in;
  // A wake-up is a system call: only where the thread sleeps.
  bool wake = std::exchange(idle, false);
  if (level <= LogLevel::error) awaited = true;
  if (gathering && !hurry && (awaited || is_half_full())) wake = hurry = true;
  lock.unlock();
  if (wake) written.notify_one();
  return true;
}

void Log::Queue::give_way() {
  std::unique_lock lock(mutex);
  const bool has_time = !is_half_full() && !awaited && !closing;
  lock.unlock();
  if (has_time) std::this_thread::yield();
}

Log::Log(std::unique_ptr<LogBackend> backend, LogOptions options) : level_(options.level) {
  if (!backend) return;
  queue_ = std::make_shared<Queue>();
  queue_->backend = std::move(backend);
  queue_->options = options;
  SignalsBlocked inherited_by_the_thread;
  queue_->thread = std::thread(&Log::run, queue_);
  ::pthread_setname_np(queue_->thread.native_handle(), "corund-log");
}

Log::~Log() { close(std::chrono::seconds(2)); }

RecordForm::RecordForm(LogLevel level, std::string_view message, MessageId id, std::span<const Field> fields, std::string_view varying)
    : level_(level) {
  const Extent extent = extent_of(message, id, fields);
  entries_ = extent.entries;
  bytes_.resize(extent.bytes);
  put_entries(bytes_.data(), level, message, id, fields);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name() != varying) continue;
    length_ = fields[i].value().size();
    at_ = extent_of(message, id, fields.first(i + 1)).bytes - length_;
  }
}

bool Log::write(LogLevel level, std::string_view message, MessageId id, std::span<const Field> fields) {
  if (!queue_ || !wants(level)) return false;
  return queue_->put(level, extent_of(message, id, fields), [&](char* to) { put_entries(to, level, message, id, fields); });
}

bool Log::write(const RecordForm& form, std::string_view value) {
  if (!queue_ || !wants(form.level_) || value.size() != form.length_) return false;
  return queue_->put(form.level_, {form.entries_, form.bytes_.size()}, [&](char* to) {
    std::memcpy(to, form.bytes_.data(), form.bytes_.size());
    value.copy(to + form.at_, value.size());
  });
}

std::uint64_t Log::dropped() const noexcept {
  if (!queue_) return 0;
  std::lock_guard lock(queue_->mutex);
  return queue_->dropped;
}

bool Log::flush(std::chrono::nanoseconds limit) {
  if (!queue_) return true;
  std::unique_lock lock(queue_->mutex);
  const std::uint64_t goal = queue_->taken_in;
  if (queue_->done < goal) {
    queue_->awaited = true;
    queue_->written.notify_one();
  }
  return queue_->progress.wait_for(lock, limit, [&] { return queue_->done >= goal || queue_->ended; });
}

bool Log::close(std::chrono::nanoseconds limit) {
  if (!queue_ || !queue_->thread.joinable()) return true;
  Queue& q = *queue_;
  std::unique_lock lock(q.mutex);
  q.closing = true;
  q.written.notify_one();
  bool ended = q.progress.wait_for(lock, limit, [&] { return q.ended; });
  lock.unlock();
  if (ended)
    q.thread.join();
  else
    q.thread.detach();
  return ended;
}

void Log::run(std::shared_ptr<Queue> queue) {
  Queue& q = *queue;
  std::string batch;
  std::vector<std::string_view> entries;
  std::unique_lock lock(q.mutex);
  for (;;) {
    q.idle = true;
    q.written.wait(lock, [&] { return q.records > 0 || q.dropped > q.dropped_told || q.closing; });
    q.idle = false;
    q.gathering = true;
    q.written.wait_for(lock, gather_time, [&] { return q.hurry || q.awaited || q.closing; });
    q.gathering = q.hurry = false;
    const bool awaited = std::exchange(q.awaited, false);
    batch.clear();
    std::swap(batch, q.bytes);
    const std::size_t records = std::exchange(q.records, 0);
    const std::uint64_t dropped = q.dropped - std::exchange(q.dropped_told, q.dropped);
    const bool closing = q.closing;
    lock.unlock();

    const char* at = batch.data();
    for (std::size_t i = 0; i < records; ++i) {
      if (!awaited && i % at_once == at_once - 1) q.give_way();
      const auto header = read_raw<Header>(at);
      entries.clear();
      for (std::uint32_t n = 0; n < header.entries; ++n) {
        const auto size = read_raw<std::uint32_t>(at);
        entries.emplace_back(at, size);
        at += size;
      }
      using std::chrono::system_clock;
      auto since_epoch = std::chrono::duration_cast<system_clock::duration>(std::chrono::nanoseconds(header.time_ns));
      q.backend->write({header.level, system_clock::time_point(since_epoch), entries});
    }
    if (dropped) {
      const std::string count = std::to_string(dropped);
      const std::string message = "MESSAGE=" + count + (dropped == 1 ? " record was" : " records were") +
                                  " dropped: the log could not be written fast enough";
      const std::string id = std::string("MESSAGE_ID=") + message_ids::records_dropped.hex;
      const std::string field = "CORUND_COUNT=" + count;
      entries = {message, "PRIORITY=4", id, field};
      q.backend->write({LogLevel::warning, std::chrono::system_clock::now(), entries});
    }
    q.backend->flush();

    lock.lock();
    q.done += records;
    q.progress.notify_all();
    if (closing && q.records == 0) break;
  }
  q.ended = true;
  q.progress.notify_all();
}

}  // namespace corund::sd
