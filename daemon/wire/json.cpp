// SPDX-License-Identifier: MIT
// In valid text a value's end is found by its first byte: a string's by its quote, a container's by counting brackets outside of
// strings, anything else's by the first byte that cannot belong to it.
#include "daemon/wire/json.hpp"

#include "daemon/wire/plain_run.hpp"

#include <charconv>

namespace corund::wire {

namespace {

// `at` is behind the opening quote; the result behind the closing one.
[[gnu::always_inline]] inline const char* skip_string(const char* at, const char* end, bool& escape) noexcept {
  for (;;) {
    at = skip_plain(at, end);
    if (at == end) return end;
    if (*at == '"') return at + 1;
    escape |= *at == '\\';
    at += *at == '\\' ? 2 : 1;  // what follows a backslash is never the closing quote
  }
}

const char* skip_string(const char* at, const char* end) noexcept {
  bool escape = false;
  return skip_string(at, end, escape);
}

const char* skip_container(const char* at, const char* end) noexcept {
  int depth = 0;
  while (at != end) {
    char byte = *at++;
    if (byte == '"') {
      at = skip_string(at, end);
    } else if (byte == '{' || byte == '[') {
      ++depth;
    } else if ((byte == '}' || byte == ']') && --depth == 0) {
      break;
    }
  }
  return at;
}

void append_code_point(std::uint32_t code, std::string& out) {
  auto tail = [&](int shift) { out.push_back(static_cast<char>(0x80 | (code >> shift & 0x3f))); };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | code >> 12));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

char simple_escape(char letter) noexcept {
  switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return letter;  // the quote, the backslash, the slash
  }
}

}  // namespace

const char* skip_space(const char* at, const char* end) noexcept {
  while (at != end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
  return at;
}

const char* skip_value(const char* at, const char* end) noexcept {
  if (at == end) return end;
  if (*at == '"') return skip_string(at + 1, end);
  if (*at == '{' || *at == '[') return skip_container(at, end);
  while (at != end && *at != ',' && *at != '}' && *at != ']' && static_cast<unsigned char>(*at) > ' ') ++at;
  return at;
}

bool has_escape(std::string_view text) noexcept { return text.find('\\') != std::string_view::npos; }

void unescape(std::string_view body, std::string& out) {
  while (true) {
    std::size_t backslash = body.find('\\');
    out.append(body.substr(0, backslash));
    if (backslash == std::string_view::npos) return;
    body.remove_prefix(backslash + 1);
    if (body.front() != 'u') {
      out.push_back(simple_escape(body.front()));
      body.remove_prefix(1);
      continue;
    }
    auto code = static_cast<std::uint32_t>(hex_unit(body.data() + 1));
    body.remove_prefix(5);
    if (code >= 0xd800 && code < 0xdc00) {  // the other half follows, the scanner made sure
      code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<std::uint32_t>(hex_unit(body.data() + 2)) - 0xdc00);
      body.remove_prefix(6);
    }
    append_code_point(code, out);
  }
}

std::string decode_string(std::string_view value) {
  std::string out;
  unescape(value.substr(1, value.size() - 2), out);
  return out;
}

std::optional<std::int64_t> decode_int(std::string_view value) noexcept {
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size()) return std::nullopt;
  return number;
}

double decode_double(std::string_view value) noexcept {
  double number = 0;  // stays so where it is too small: the scanner refuses those too large
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

JsonCursor::JsonCursor(std::string_view container) noexcept
    : at_(container.data()),
      end_(container.data() + container.size()),
      object_(!container.empty() && container.front() == '{') {
  if (json_type(container) == JsonType::object || json_type(container) == JsonType::array) {
    ++at_;   // the opening bracket
    --end_;  // the closing one
  } else {
    at_ = end_;
  }
}

bool JsonCursor::next() noexcept {
  at_ = skip_space(at_, end_);
  if (at_ != end_ && *at_ == ',') at_ = skip_space(at_ + 1, end_);
  if (at_ == end_) return false;
  if (object_) {
    const char* key = at_ + 1;
    key_has_escape_ = false;
    at_ = skip_string(key, end_, key_has_escape_);
    key_ = {key, static_cast<std::size_t>(at_ - 1 - key)};
    at_ = skip_space(at_, end_);
    at_ = skip_space(at_ + 1, end_);  // the colon
  }
  const char* value = at_;
  at_ = skip_value(at_, end_);
  value_ = {value, static_cast<std::size_t>(at_ - value)};
  return true;
}

}  // namespace corund::wire
