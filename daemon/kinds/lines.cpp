// SPDX-License-Identifier: MIT
#include "daemon/kinds/lines.hpp"

#include <algorithm>

namespace corund::kinds {
namespace {

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// No character is longer; what goes on for longer is no UTF-8 and may be cut anywhere.
constexpr std::size_t character_bytes_max = 4;

}  // namespace

std::size_t LineSplitter::cut_position() const noexcept {
  std::size_t cut = line_bytes_max_;
  while (cut > 0 && line_bytes_max_ - cut < character_bytes_max && continues_character(part_[cut])) --cut;
  return cut > 0 && !continues_character(part_[cut]) ? cut : line_bytes_max_;
}

void Tail::add(std::string_view bytes) {
  if (bytes.size() > bytes_max_) bytes.remove_prefix(bytes.size() - bytes_max_);
  kept_ += bytes;
  if (kept_.size() > 2 * bytes_max_) kept_.erase(0, kept_.size() - bytes_max_);
}

std::string_view Tail::view() const noexcept {
  std::string_view tail = kept_;
  if (tail.size() <= bytes_max_) return tail;
  tail.remove_prefix(tail.size() - bytes_max_);
  for (std::size_t i = 0; i < std::min(tail.size(), character_bytes_max); ++i)
    if (!continues_character(tail[i])) return tail.substr(i);
  return tail;
}

}  // namespace corund::kinds
