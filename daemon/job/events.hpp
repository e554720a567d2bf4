// SPDX-License-Identifier: MIT
// What a job tells while it runs, kept for those who watch it: bounded, the oldest fall out. That a job was queued, started for the first
// time and ended is not kept here but in its record.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/job/json.hpp"

namespace corund {

enum class Stream : std::uint8_t { out, err };

// fraction of 1 where it is known.
struct Progress {
  std::optional<double> fraction;
  std::string text;
  std::int64_t timestamp_us = 0;
};

}  // namespace corund

namespace corund::job {

enum class EventType : std::uint8_t { output, progress, log, event, retry, started };

// text: of output, progress and log; fraction: of progress; level (syslog's): of log; data: of event; retry: another attempt
// follows; started: it has begun.
struct Event {
  EventType type = EventType::event;
  Stream stream = Stream::out;
  int level = 6;
  std::int64_t timestamp_us = 0;
  std::optional<double> fraction;
  std::string text;
  JsonText data;

  std::size_t bytes() const noexcept { return sizeof(Event) + text.size() + data.view().size(); }
};

// The latest events of one job, numbered from 0 on; a reader that falls behind finds that the ones it missed are gone.
class EventLog {
 public:
  static constexpr std::size_t events_max = 1024;
  static constexpr std::size_t bytes_max = 256 * 1024;

  void add(Event event);
  // The first event numbered `number` or higher; null where there is none yet. Valid until the next add().
  const Event* from(std::uint64_t& number) const noexcept;
  std::uint64_t dropped() const noexcept { return first_; }
  // Whether so much stands from that number on that soon some of it would fall out.
  bool is_filling(std::uint64_t from) const noexcept;
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::deque<Event> events_;
  std::uint64_t first_ = 0;  // number of events_.front()
  std::size_t bytes_ = 0;
};

}  // namespace corund::job
