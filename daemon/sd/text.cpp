// SPDX-License-Identifier: MIT
#include "daemon/sd/text.hpp"

#include <algorithm>
#include <cstdint>

namespace corund::sd {
namespace {

// The length of the well-formed character at the beginning (Unicode's table 3-7), 0 where there is none.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto continues = [&](std::size_t i, std::uint8_t low = 0x80, std::uint8_t high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  if (first < 0xE0) return continues(1) ? 2 : 0;
  // Overlong forms, surrogates and what is past U+10FFFF show in the second byte.
  if (first < 0xF0) return continues(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && continues(2) ? 3 : 0;
  return continues(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) && continues(2) && continues(3) ? 4 : 0;
}

bool is_control(std::string_view character) {
  const auto first = static_cast<std::uint8_t>(character[0]);
  // C0, DEL, and C1, which terminals obey as well: U+0080 to U+009F.
  return first < 0x20 || first == 0x7F || (first == 0xC2 && static_cast<std::uint8_t>(character[1]) < 0xA0);
}

// How many characters of ASCII that are no controls it begins with.
std::size_t plain_bytes(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size() && text[i] >= 0x20 && text[i] < 0x7F) ++i;
  return i;
}

}  // namespace

void append_one_line(std::string& line, std::string_view text, std::size_t bytes_max) {
  const std::size_t end = line.size() + bytes_max;
  while (!text.empty()) {
    // Most lines are plain from their beginning to their end.
    const std::size_t plain = std::min(plain_bytes(text), end - line.size());
    line.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    const std::size_t size = character_bytes(text);
    std::string_view character = size ? text.substr(0, size) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(size ? size : 1);
    if (is_control(character)) character = " ";
    if (line.size() + character.size() > end) return;
    line += character;
  }
}

std::string one_line(std::string_view text, std::size_t bytes_max) {
  std::string line;
  append_one_line(line, text, bytes_max);
  return line;
}

}  // namespace corund::sd
