// SPDX-License-Identifier: MIT
// What systemd's journal has of one job, read in a thread of its own: its calls read files, and a handle of the journal's belongs to one
// thread for life. Which job, and who may ask, is the caller's; so is what to do where the journal has nothing.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <corun/corun.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace corund::sd {

// A line of a job's log. text may be any bytes.
struct LogEntry {
  std::int64_t timestamp_us = 0;  // when it was written; 0: not known
  int level = 6;                  // syslog's
  std::string stream;             // "stdout", "stderr": the job's own output; empty: what was said about it or by its code
  std::string text;
};

struct JournalQuery {
  std::string job_id;
  uid_t writer = 0;                    // entries of this user only: the job's id in a field proves nothing, anybody may write one
  std::optional<std::uint64_t> lines;  // only the last so many of what is there
  bool follow = false;                 // go on with what is written from now on, until the job's end
  bool job_is_over = false;
  // How long from now what is known to be written may still be on its way into the journal: for so long at most it is waited for, the end
  // of a job that is over, anything at all of another one. 0: nothing has to be there.
  std::chrono::nanoseconds lag{};
  std::string directory;  // of journal files; empty: the machine's
};

class JournalReader {
 public:
  // A text is cut to this, and no more than these are read ahead of who takes them.
  static constexpr std::size_t text_bytes_max = 1024 * 1024;
  static constexpr std::size_t entries_ahead_max = 256;

  // Begins to read. Lifetime: the loop's.
  JournalReader(corun::Loop& loop, JournalQuery query);
  // Ends the thread and waits for it, which blocks where close() has not been awaited.
  ~JournalReader();
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;

  // The next entries, oldest first; none: that was all. Without follow: all that was there when the reading began.
  // Cancellation: loses nothing.
  corun::Coro<std::vector<LogEntry>> next();
  // Once next() has given none: whether the journal had anything of the job, and why it could be read no further; empty: it could.
  bool has_found() const;
  std::string failure() const;
  // The job is over: a follow ends with the entry of its end, or when that does not come for so long.
  void job_ended(std::chrono::nanoseconds lag);
  // Ends the reading; returns when the thread has nothing more to do.
  corun::Coro<> close();

 private:
  struct Channel;
  class Reading;
  void ask_to_end();

  std::shared_ptr<Channel> channel_;  // callbacks that are on their way to the loop are the last ones out
  std::thread thread_;  // none, where it could not be made
};

}  // namespace corund::sd
