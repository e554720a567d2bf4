// SPDX-License-Identifier: MIT
// The lines of a batch go out in one write. spdlog's own sinks make one for each line, and more where it has colours.
#include "daemon/sd/console.hpp"

#include <poll.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/details/os.h>
#include <spdlog/pattern_formatter.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "daemon/sd/journal.hpp"
#include "daemon/sd/text.hpp"

namespace corund::sd {
namespace {

// A line of output is as long as the configuration allows; a terminal's reader is served by less.
constexpr std::size_t line_bytes_max = 8192;

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::notice:
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::debug: return spdlog::level::debug;
  }
  return spdlog::level::info;
}

// What a terminal is told before the name of a level.
std::string_view colour_of(LogLevel level) {
  switch (level) {
    case LogLevel::error: return "\x1b[1;31m";
    case LogLevel::warning: return "\x1b[1;33m";
    case LogLevel::notice:
    case LogLevel::info: return "\x1b[32m";
    case LogLevel::debug: return "\x1b[36m";
  }
  return {};
}
constexpr std::string_view no_colour = "\x1b[m";

class Console final : public LogBackend {
 public:
  void write(const LogRecord& record) noexcept override {
    try {
      const std::string text = console_text(record);
      spdlog::details::log_msg message(record.time, {}, {}, level_of(record.level), text);
      line_.clear();
      formatter_.format(message, line_);
      const std::string_view line(line_.data(), line_.size());
      if (has_colours_) {
        const auto begin = message.color_range_start, end = message.color_range_end;
        lines_.append(line.substr(0, begin)).append(colour_of(record.level)).append(line.substr(begin, end - begin));
        lines_.append(no_colour).append(line.substr(end));
      } else {
        lines_ += line;
      }
    } catch (...) {
      // Out of memory for one line: the line is lost, the log goes on.
    }
    if (lines_.size() >= write_bytes) flush();
  }

  void flush() noexcept override {
    for (std::string_view left = lines_; !left.empty();) {
      const ssize_t n = ::write(STDERR_FILENO, left.data(), left.size());
      if (n >= 0) {
        left.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno == EAGAIN) {
        pollfd room{STDERR_FILENO, POLLOUT, 0};
        ::poll(&room, 1, -1);
      } else if (errno != EINTR) {
        break;  // stderr is gone: nobody to tell
      }
    }
    lines_.clear();
  }

 private:
  static constexpr std::size_t write_bytes = 64 * 1024;

  spdlog::pattern_formatter formatter_{"%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v"};
  spdlog::memory_buf_t line_;
  std::string lines_;  // not written yet
  const bool has_colours_ = spdlog::details::os::in_terminal(stderr) && spdlog::details::os::is_color_terminal();
};

}  // namespace

std::string console_text(const LogRecord& record) {
  constexpr std::size_t about_bytes_max = 128;
  std::string text;
  text.reserve(std::min(record.message().size(), line_bytes_max) + about_bytes_max);
  append_one_line(text, record.message(), line_bytes_max);
  std::string_view before = " [";
  for (const char* name : {"CORUND_JOB_ID", "CORUND_KIND", "CORUND_STREAM"}) {
    const std::string_view value = record.find(name);
    if (value.empty()) continue;
    text += std::exchange(before, " ");
    append_one_line(text, value, about_bytes_max);
  }
  if (before == " ") text += ']';
  return text;
}

std::unique_ptr<LogBackend> console_backend() { return std::make_unique<Console>(); }

bool goes_to_journal(LogTarget target) {
  return target == LogTarget::journal || (target == LogTarget::automatic && stderr_is_journal());
}

std::unique_ptr<LogBackend> make_backend(LogTarget target) {
  if (target == LogTarget::null) return nullptr;
  return goes_to_journal(target) ? journal_backend("corund") : console_backend();
}

}  // namespace corund::sd
