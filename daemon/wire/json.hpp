// SPDX-License-Identifier: MIT
// Room: reading JSON text that is known to be valid, because the frame scanner or our own writer made sure. Nothing here checks syntax:
// text from elsewhere has no business in it. Views in, views out; only decoding an escape makes a string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace corund::wire {

enum class JsonType : std::uint8_t { object, array, string, number, boolean, null };

// By its first byte. `value` is one JSON value without white space around it; an empty one counts as null.
inline JsonType json_type(std::string_view value) noexcept {
  if (value.empty()) return JsonType::null;
  switch (value.front()) {
    case '{': return JsonType::object;
    case '[': return JsonType::array;
    case '"': return JsonType::string;
    case 't':
    case 'f': return JsonType::boolean;
    case 'n': return JsonType::null;
    default: return JsonType::number;
  }
}

// The end of the value that begins at `at`: its strings, numbers, objects whole.
const char* skip_value(const char* at, const char* end) noexcept;
const char* skip_space(const char* at, const char* end) noexcept;

// Whether a string's text, with or without its quotes, holds an escape.
bool has_escape(std::string_view text) noexcept;

// Appends what a string means. `body` is the text between the quotes.
void unescape(std::string_view body, std::string& out);

// `value` is a string's text with its quotes.
std::string decode_string(std::string_view value);

// Nothing where it has a fraction or an exponent, or does not fit.
std::optional<std::int64_t> decode_int(std::string_view value) noexcept;
double decode_double(std::string_view value) noexcept;

// Walks an object's or an array's direct children: while (next()) use key() and value().
class JsonCursor {
 public:
  // `container` is an object, an array, or empty: no children.
  explicit JsonCursor(std::string_view container) noexcept;

  // Goes to the next child. Cost: the length of it, once, for finding its end.
  bool next() noexcept;

  // Of an object: the key's text between its quotes, escapes and all.
  std::string_view key() const noexcept { return key_; }
  bool key_has_escape() const noexcept { return key_has_escape_; }
  std::string_view value() const noexcept { return value_; }

 private:
  const char* at_;
  const char* end_;
  bool object_;
  bool key_has_escape_ = false;
  std::string_view key_;
  std::string_view value_;
};

}  // namespace corund::wire
