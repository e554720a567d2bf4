// SPDX-License-Identifier: MIT
// One thing that happened, for the log: a level, a sentence, which kind of event it is, and fields to find it by. Plain values: how
// they travel is log.hpp's, where they end is a backend's.
#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>

namespace corund::sd {

// Syslog's values, which are the journal's PRIORITY.
enum class LogLevel : std::uint8_t { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

// Which event a record tells of: 32 lower-case hexadecimal digits of static storage, or none. The constants are message_ids.hpp's.
struct MessageId {
  const char* hex = nullptr;
};

// A field to log: the journal's name (A-Z, 0-9, _, not starting with a digit or _; others are dropped by the journal) and a value,
// which may be any bytes. Views: what it was made from must live until the call that takes it returns. An empty value is left out.
class Field {
 public:
  Field(std::string_view name, std::string_view value) : name_(name), text_(value) {}
  Field(std::string_view name, const char* value) : name_(name), text_(value) {}
  template <std::integral I>
    requires(!std::same_as<I, bool> && !std::same_as<I, char>)
  Field(std::string_view name, I value) : name_(name) {
    auto end = std::to_chars(digits_.data(), digits_.data() + digits_.size(), value);
    length_ = static_cast<std::uint8_t>(end.ptr - digits_.data());
  }

  std::string_view name() const { return name_; }
  std::string_view value() const { return length_ ? std::string_view(digits_.data(), length_) : text_; }

 private:
  std::string_view name_;
  std::string_view text_;
  std::array<char, 20> digits_{};
  std::uint8_t length_ = 0;  // of digits_; 0: text_ counts
};

// A record on its way out, as a backend sees it. Each entry is "NAME=value", as the journal wants it; the first is MESSAGE, the second
// PRIORITY. Views into the log's memory, valid during the backend's call only.
struct LogRecord {
  LogLevel level = LogLevel::info;
  std::chrono::system_clock::time_point time;
  std::span<const std::string_view> entries;

  std::string_view message() const { return entries.front().substr(entries.front().find('=') + 1); }
  // The value of a field, or nothing.
  std::string_view find(std::string_view name) const {
    for (std::string_view entry : entries)
      if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) return entry.substr(name.size() + 1);
    return {};
  }
};

}  // namespace corund::sd
