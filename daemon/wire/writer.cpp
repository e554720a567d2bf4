// SPDX-License-Identifier: MIT
// Runs of bytes that mean themselves are copied whole; only what stops such a run is looked at by itself.
#include "daemon/wire/writer.hpp"

#include "daemon/wire/plain_run.hpp"

#include <charconv>
#include <cmath>

namespace corund::wire {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

void append_control(std::string& out, unsigned char byte) {
  switch (byte) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\0': out += replacement; return;
    default: {
      constexpr char digits[] = "0123456789abcdef";
      const char escape[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
      out.append(escape, sizeof escape);
    }
  }
}

// Past one byte of 0x80 or above and what belongs to it. What cannot be a character counts as one wrong piece as far as it could have gone on,
// which is how Unicode recommends to replace (and browsers and Python do).
const char* append_utf8(std::string& out, const char* at, const char* end) {
  if (int count = utf8_sequence(at, end)) {
    out.append(at, static_cast<std::size_t>(count));
    return at + count;
  }
  out += replacement;
  Utf8Lead lead = utf8_lead(static_cast<unsigned char>(*at++));
  for (int i = 0; i < lead.count && at != end; ++i, ++at) {
    auto byte = static_cast<unsigned char>(*at);
    if (byte < lead.low || byte > lead.high) break;
    lead.low = 0x80;
    lead.high = 0xbf;
  }
  return at;
}

// The code unit of the \u escape at `at`, or something negative where there is none.
int escape_unit(const char* at, const char* end) noexcept {
  if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return -1;
  return hex_unit(at + 2);
}

// Past the escape at `at`, a pair counting as one; replaced where the wire may not carry it.
const char* append_escape(std::string& out, const char* at, const char* end) {
  int unit = escape_unit(at, end);
  std::size_t length = unit >= 0 ? 6 : 2;
  bool bad = unit == 0;
  if (unit >= 0xd800 && unit <= 0xdfff) {
    int low = unit < 0xdc00 ? escape_unit(at + 6, end) : -1;
    bool pair = low >= 0xdc00 && low <= 0xdfff;
    if (pair) length = 12;
    bad = !pair;
  }
  if (bad) out += replacement;
  else out.append(at, length);
  return at + length;
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  const char* at = text.data();
  const char* end = at + text.size();
  while (true) {
    const char* stop = skip_plain(at, end);
    out.append(at, static_cast<std::size_t>(stop - at));
    if (stop == end) return;
    at = stop;
    auto byte = static_cast<unsigned char>(*at);
    if (byte >= 0x80) {
      at = append_utf8(out, at, end);
    } else {
      append_control(out, byte);
      ++at;
    }
  }
}

void append_string(std::string& out, std::string_view text) {
  const char* end = text.data() + text.size();
  if (text.size() <= 256 && skip_plain(text.data(), end) == end) {  // most are names, ids and paths
    std::size_t at = out.size();
    out.resize(at + text.size() + 2);
    out[at] = '"';
    text.copy(out.data() + at + 1, text.size());
    out.back() = '"';
    return;
  }
  out.push_back('"');
  append_escaped(out, text);
  out.push_back('"');
}

void append_sanitized(std::string& out, std::string_view json) {
  const char* at = json.data();
  const char* end = at + json.size();
  while (at != end) {
    const char* stop = skip_plain(at, end);
    while (stop != end && *stop != '\\' && static_cast<unsigned char>(*stop) < 0x80) {  // quotes, white space
      stop = skip_plain(stop + 1, end);
    }
    out.append(at, static_cast<std::size_t>(stop - at));
    if (stop == end) return;
    at = *stop == '\\' ? append_escape(out, stop, end) : append_utf8(out, stop, end);
  }
}

JsonWriter& JsonWriter::string_key(std::string_view name) {
  separate();
  append_string(out_, name);
  out_.push_back(':');
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  separate();
  append_string(out_, value);
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  separate();
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out_.append(digits, static_cast<std::size_t>(end - digits));
  return *this;
}

JsonWriter& JsonWriter::unsigned_integer(std::uint64_t value) {
  separate();
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out_.append(digits, static_cast<std::size_t>(end - digits));
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  separate();
  char digits[40];  // the shortest text that reads back the same: at most 24 characters
  auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  std::string_view text(digits, static_cast<std::size_t>(end - digits));
  out_.append(text);
  // A whole number stays recognisable as a float, for clients that tell the two apart.
  if (text.find_first_of(".e") == std::string_view::npos) out_.append(".0");
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_.append(value ? "true" : "false");
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_.append("null");
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_.append(json);
  return *this;
}

JsonWriter& JsonWriter::foreign(std::string_view json) {
  separate();
  append_sanitized(out_, json);
  return *this;
}

}  // namespace corund::wire
