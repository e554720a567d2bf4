// SPDX-License-Identifier: MIT
// The thread puts entries into the channel, the loop takes all of them at once; the thread is woken by an eventfd, the loop by
// call_soon_threadsafe(). Nothing but poll() and the journal's files ever holds the thread, so that it ends soon after it is asked to.
//
// Entries come in the order in which the daemon wrote them: one thread sends them all, through one socket. So when the entry of a job's end
// is read, all others were. That it is the end which counts, and not one that a crashed daemon wrote before the job ran again, is known by
// no start coming after it.
#include "daemon/sd/journal_reader.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <mutex>
#include <string_view>
#include <system_error>
#include <utility>

#include <corun/base/unique_fd.hpp>

#include "daemon/sd/message_ids.hpp"

namespace corund::sd {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t batch_entries = 64;
constexpr std::size_t bytes_ahead_max = 1024 * 1024;
constexpr std::uint64_t skip_at_once = 4096;  // entries; between them the thread looks whether it is to end

struct CloseJournal {
  void operator()(sd_journal* journal) const noexcept { ::sd_journal_close(journal); }
};
using JournalHandle = std::unique_ptr<sd_journal, CloseJournal>;

std::string match_of(MessageId id) { return std::string("MESSAGE_ID=") + id.hex; }

// Field and value as the journal has them, without the field's name; nothing where the entry has no such field, or it cannot be read.
std::string_view field_of(sd_journal* journal, const char* name) {
  const void* data = nullptr;
  std::size_t size = 0;
  if (::sd_journal_get_data(journal, name, &data, &size) < 0) return {};
  std::string_view text(static_cast<const char*>(data), size);
  text.remove_prefix(std::min(size, std::strlen(name) + 1));
  return text;
}

template <class T>
T number_of(std::string_view text, T otherwise) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : otherwise;
}

// The kernel's time of the sending, where the journal has kept it: its own is that of the storing, which may have stood still.
std::int64_t time_of(sd_journal* journal) {
  std::uint64_t stored_us = 0;
  (void)::sd_journal_get_realtime_usec(journal, &stored_us);
  return number_of(field_of(journal, "_SOURCE_REALTIME_TIMESTAMP"), static_cast<std::int64_t>(stored_us));
}

LogEntry entry_of(sd_journal* journal) {
  LogEntry entry;
  entry.timestamp_us = time_of(journal);
  const int level = number_of(field_of(journal, "PRIORITY"), entry.level);
  if (level >= 0 && level <= 7) entry.level = level;
  const std::string_view stream = field_of(journal, "CORUND_STREAM");
  if (stream == "stdout" || stream == "stderr") entry.stream = stream;
  entry.text = field_of(journal, "MESSAGE").substr(0, JournalReader::text_bytes_max);
  return entry;
}

}  // namespace

struct JournalReader::Channel {
  corun::UniqueFd wake;  // of the thread: an eventfd
  corun::Loop& loop;
  corun::Event arrived;  // the loop's

  std::mutex mutex;
  std::vector<LogEntry> entries;
  std::size_t bytes = 0;
  std::string failure;
  bool has_found = false;
  bool is_told = false;   // the loop will look again
  bool has_ended = false;
  bool is_closing = false;
  bool job_is_over = false;
  steady_clock::time_point until;  // nothing that is not there by then is waited for

  explicit Channel(corun::Loop& of) : loop(of) {}

  void wake_thread() {
    const std::uint64_t one = 1;
    (void)!::write(wake.get(), &one, sizeof one);
  }
  bool is_full() const { return entries.size() >= entries_ahead_max || bytes >= bytes_ahead_max; }
};

// The thread's side.
class JournalReader::Reading {
 public:
  Reading(std::shared_ptr<Channel> channel, JournalQuery query) : channel_(std::move(channel)), query_(std::move(query)) {}

  void run() noexcept {
    std::string failure;
    try {
      open();
      if (settle()) read();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    journal_.reset();
    hand_over(std::move(failure), true);
  }

 private:
  struct Ask {
    bool is_closing, job_is_over;
    steady_clock::time_point until;
  };
  Ask asked() {
    std::lock_guard lock(channel_->mutex);
    return {channel_->is_closing, channel_->job_is_over, channel_->until};
  }

  [[noreturn]] static void fail(int error) {
    throw std::system_error(-error, std::system_category(), "the journal can be read no further");
  }
  static int checked(int result) {
    if (result < 0) fail(result);
    return result;
  }

  void open() {
    sd_journal* opened = nullptr;
    // Of all namespaces: the daemon's unit may have one of its own (LogNamespace=).
    checked(query_.directory.empty() ? ::sd_journal_open_namespace(&opened, nullptr, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_ALL_NAMESPACES)
                                     : ::sd_journal_open_directory(&opened, query_.directory.c_str(), 0));
    journal_.reset(opened);
    checked(::sd_journal_set_data_threshold(opened, text_bytes_max + 64));  // 64: the field's name
    is_watched_ = false;
  }

  void match(const std::string& text) { checked(::sd_journal_add_match(journal_.get(), text.data(), text.size())); }
  void match_writer() {
    ::sd_journal_flush_matches(journal_.get());
    match("_UID=" + std::to_string(query_.writer));
  }
  void match_job() {
    match_writer();
    match("CORUND_JOB_ID=" + query_.job_id);
  }

  bool has_any() { return checked(::sd_journal_seek_head(journal_.get())) >= 0 && checked(::sd_journal_next(journal_.get())) > 0; }

  // Whether the latest start or end that the journal has of the job is an end.
  bool has_end() {
    match_job();
    for (MessageId id : {message_ids::job_started, message_ids::job_ended, message_ids::job_failed}) match(match_of(id));
    checked(::sd_journal_seek_tail(journal_.get()));
    return checked(::sd_journal_previous(journal_.get())) > 0 && is_end();
  }
  bool is_end() {
    const std::string_view id = field_of(journal_.get(), "MESSAGE_ID");
    return id == message_ids::job_ended.hex || id == message_ids::job_failed.hex;
  }

  // Waits until what is known to be written is there. False: the journal has nothing of the job.
  bool settle() {
    match_writer();
    if (!has_any()) return false;  // it is not there, or not for us to read
    for (;;) {
      const Ask ask = asked();
      bool is_there = false;
      if (ask.job_is_over) {
        is_there = has_end();
        match_job();
      } else {
        match_job();
        is_there = has_any();
      }
      if (is_there || ask.is_closing || steady_clock::now() >= ask.until) break;
      wait(ask.until);
    }
    if (!has_any()) return false;
    std::lock_guard lock(channel_->mutex);
    return channel_->has_found = true;
  }

  // Before the first entry that is wanted, or on it: true.
  bool take_place() {
    sd_journal* journal = journal_.get();
    if (!query_.lines) return checked(::sd_journal_seek_head(journal)), false;
    checked(::sd_journal_seek_tail(journal));
    const std::uint64_t steps = std::max<std::uint64_t>(*query_.lines, 1);
    for (std::uint64_t done = 0; done < steps && !asked().is_closing;) {
      const std::uint64_t asked_for = std::min(steps - done, skip_at_once);
      const auto skipped = static_cast<std::uint64_t>(checked(::sd_journal_previous_skip(journal, asked_for)));
      done += skipped;
      if (skipped < asked_for) return checked(::sd_journal_seek_head(journal)), false;  // there are fewer
    }
    return *query_.lines > 0;
  }

  void read() {
    if (query_.follow) has_read_end_ = has_end();
    match_job();
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto begun_us = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
    bool is_on_entry = take_place();
    if (!query_.follow && query_.lines == 0u) return;
    for (;;) {
      const int there = is_on_entry ? 1 : step();
      if (there > 0) {
        is_on_entry = false;
        std::uint64_t stored_us = 0;
        // A job that writes as fast as it is read would never let us come to an end.
        if (!query_.follow && ::sd_journal_get_realtime_usec(journal_.get(), &stored_us) >= 0 && stored_us > begun_us) return;
        if (!take()) return;
        continue;
      }
      hand_over();
      if (!query_.follow) return;
      const Ask ask = asked();
      if (ask.is_closing || (ask.job_is_over && (has_read_end_ || steady_clock::now() >= ask.until))) return;
      wait(ask.job_is_over ? std::optional(ask.until) : std::nullopt);
    }
  }

  // To the next entry: 1; 0: there is none yet. Where the journal is broken under our hands, it is opened anew, and gone on with where we were.
  int step() {
    const int result = ::sd_journal_next(journal_.get());
    if (result >= 0) return result;
    char* text = nullptr;
    if (::sd_journal_get_cursor(journal_.get(), &text) < 0) fail(result);
    const std::unique_ptr<char, decltype(&::free)> cursor(text, &::free);
    open();
    match_job();
    checked(::sd_journal_seek_cursor(journal_.get(), cursor.get()));
    if (checked(::sd_journal_next(journal_.get())) == 0) return 0;
    return ::sd_journal_test_cursor(journal_.get(), cursor.get()) > 0 ? checked(::sd_journal_next(journal_.get())) : 1;
  }

  // The entry where we are, to the batch; false: the reading is to end.
  bool take() {
    if (is_end())
      has_read_end_ = true;
    else if (field_of(journal_.get(), "MESSAGE_ID") == message_ids::job_started.hex)
      has_read_end_ = false;
    batch_.push_back(entry_of(journal_.get()));
    batch_bytes_ += batch_.back().text.size();
    return batch_.size() < batch_entries && batch_bytes_ < bytes_ahead_max ? true : hand_over();
  }

  // Gives the batch to the loop, and waits where that has enough; false: the reading is to end.
  bool hand_over(std::string failure = {}, bool is_last = false) {
    Channel& channel = *channel_;
    std::unique_lock lock(channel.mutex);
    for (LogEntry& entry : batch_) channel.entries.push_back(std::move(entry));
    channel.bytes += std::exchange(batch_bytes_, 0);
    const bool is_news = !batch_.empty() || is_last;
    batch_.clear();
    if (is_last) channel.has_ended = true, channel.failure = std::move(failure);
    if (is_news && !std::exchange(channel.is_told, true)) {
      lock.unlock();
      tell_loop();
      lock.lock();
    }
    while (!is_last && channel.is_full() && !channel.is_closing) {
      lock.unlock();
      wait_for_loop();
      lock.lock();
    }
    return !channel.is_closing;
  }

  void tell_loop() {
    try {
      channel_->loop.call_soon_threadsafe([channel = channel_] { channel->arrived.set(); });
    } catch (const corun::RuntimeError&) {
      // The loop is closed: nobody waits.
    }
  }

  // Returns when the loop has said something.
  void wait_for_loop() {
    struct pollfd loop {channel_->wake.get(), POLLIN, 0};
    (void)::poll(&loop, 1, -1);
    drain_wake();
  }

  // Returns when the loop has said something, when the journal has changed, or at that time.
  void wait(std::optional<steady_clock::time_point> until) {
    using namespace std::chrono;
    sd_journal* journal = journal_.get();
    const int fd = checked(::sd_journal_get_fd(journal));
    if (!std::exchange(is_watched_, true)) return;  // from now on: what came before is looked for once more
    std::uint64_t journals_us = UINT64_MAX;  // CLOCK_MONOTONIC, as steady_clock
    checked(::sd_journal_get_timeout(journal, &journals_us));
    if (journals_us != UINT64_MAX) {
      const steady_clock::time_point journals{microseconds(journals_us)};
      if (!until || journals < *until) until = journals;
    }
    int timeout_ms = -1;
    if (until) timeout_ms = static_cast<int>(std::clamp<std::int64_t>(ceil<milliseconds>(*until - steady_clock::now()).count(), 0, 60'000));
    struct pollfd fds[] = {{channel_->wake.get(), POLLIN, 0},
                           {fd, static_cast<short>(checked(::sd_journal_get_events(journal))), 0}};
    (void)::poll(fds, 2, timeout_ms);
    drain_wake();
    checked(::sd_journal_process(journal));
  }

  void drain_wake() {
    std::uint64_t count = 0;
    (void)!::read(channel_->wake.get(), &count, sizeof count);
  }

  std::shared_ptr<Channel> channel_;
  JournalQuery query_;
  JournalHandle journal_;
  std::vector<LogEntry> batch_;
  std::size_t batch_bytes_ = 0;
  bool is_watched_ = false;
  bool has_read_end_ = false;  // of the job, and no start after it
};

JournalReader::JournalReader(corun::Loop& loop, JournalQuery query) : channel_(std::make_shared<Channel>(loop)) {
  channel_->job_is_over = query.job_is_over;
  channel_->until = steady_clock::now() + query.lag;
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the loop's thread's
  try {
    channel_->wake.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!channel_->wake) throw std::system_error(errno, std::system_category(), "eventfd");
    thread_ = std::thread([reading = Reading(channel_, std::move(query))]() mutable { reading.run(); });
    ::pthread_setname_np(thread_.native_handle(), "corund-logs");
  } catch (const std::system_error& error) {
    channel_->failure = error.what();
    channel_->has_ended = true;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

JournalReader::~JournalReader() {
  ask_to_end();
  if (thread_.joinable()) thread_.join();
}

void JournalReader::ask_to_end() {
  {
    std::lock_guard lock(channel_->mutex);
    channel_->is_closing = true;
  }
  channel_->wake_thread();
}

bool JournalReader::has_found() const {
  std::lock_guard lock(channel_->mutex);
  return channel_->has_found;
}

std::string JournalReader::failure() const {
  std::lock_guard lock(channel_->mutex);
  return channel_->failure;
}

corun::Coro<std::vector<LogEntry>> JournalReader::next() {
  Channel& channel = *channel_;
  for (;;) {
    {
      std::lock_guard lock(channel.mutex);
      std::vector<LogEntry> entries = std::exchange(channel.entries, {});
      if (!entries.empty()) {
        const bool was_full = entries.size() >= entries_ahead_max || channel.bytes >= bytes_ahead_max;
        channel.bytes = 0;
        if (was_full) channel.wake_thread();
        co_return entries;
      }
      if (channel.has_ended) co_return entries;
      channel.is_told = false;
      channel.arrived.clear();
    }
    co_await channel.arrived.wait();
  }
}

void JournalReader::job_ended(std::chrono::nanoseconds lag) {
  {
    std::lock_guard lock(channel_->mutex);
    channel_->job_is_over = true;
    channel_->until = steady_clock::now() + lag;
  }
  channel_->wake_thread();
}

corun::Coro<> JournalReader::close() {
  ask_to_end();
  Channel& channel = *channel_;
  for (;;) {
    {
      std::lock_guard lock(channel.mutex);
      if (channel.has_ended) co_return;
      channel.is_told = false;
      channel.arrived.clear();
    }
    co_await channel.arrived.wait();
  }
}

}  // namespace corund::sd
