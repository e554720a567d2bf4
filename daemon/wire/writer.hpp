// SPDX-License-Identifier: MIT
// Room: writing JSON into a buffer that grows. Allocates nothing beyond it. Whatever bytes a string holds, what is written is valid:
// a byte that is none of UTF-8's, and NUL, become U+FFFD, because clients drop a reply with either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace corund::wire {

// Appends `text` as a JSON string, quotes included.
void append_string(std::string& out, std::string_view text);

// Appends the same without the quotes.
void append_escaped(std::string& out, std::string_view text);

// Appends JSON text that another library wrote (valid syntax, strings of any bytes): invalid UTF-8, \u0000 and lone surrogates become U+FFFD.
void append_sanitized(std::string& out, std::string_view json);

// Writes one JSON value, commas by itself. The caller sees to the order: key() before each value in an object, ends for beginnings.
// Lifetime: a reference to the buffer; others may append to it only between complete values.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) noexcept : out_(out) {}

  JsonWriter& begin_object() { return begin('{'); }
  JsonWriter& end_object() { return end('}'); }
  JsonWriter& begin_array() { return begin('['); }
  JsonWriter& end_array() { return end(']'); }

  // `name` is written as it is: a literal without characters that need an escape. string_key() takes any.
  JsonWriter& key(std::string_view name);
  JsonWriter& string_key(std::string_view name);

  JsonWriter& string(std::string_view value);
  JsonWriter& integer(std::int64_t value);
  JsonWriter& unsigned_integer(std::uint64_t value);
  JsonWriter& number(double value);  // infinite or not a number: null
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  // One value of valid wire JSON: a call's args, what append_sanitized() made.
  JsonWriter& raw(std::string_view json);
  // One value from another library, sanitized.
  JsonWriter& foreign(std::string_view json);

  std::string& buffer() noexcept { return out_; }

 private:
  void separate() {
    if (comma_) out_.push_back(',');
    comma_ = true;
  }

  JsonWriter& begin(char bracket) {
    separate();
    out_.push_back(bracket);
    comma_ = false;
    return *this;
  }
  JsonWriter& end(char bracket) {
    out_.push_back(bracket);
    comma_ = true;
    return *this;
  }

  std::string& out_;
  bool comma_ = false;  // the next key or element needs one before it
};

// Here, so that a name which is a literal is copied as a few words.
inline JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  std::size_t at = out_.size();
  out_.resize(at + name.size() + 3);
  char* piece = out_.data() + at;
  piece[0] = '"';
  name.copy(piece + 1, name.size());
  piece[name.size() + 1] = '"';
  piece[name.size() + 2] = ':';
  comma_ = false;
  return *this;
}

}  // namespace corund::wire
