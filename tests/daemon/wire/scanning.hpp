// SPDX-License-Identifier: MIT
// What the wire's tests share: feeding a scanner in pieces, as a session would, and writing down all it says.
#pragma once

#include "daemon/wire/frame.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tests {

// What came of some bytes: each frame's text, then the fault if there was one.
struct Scanned {
  std::vector<std::string> frames;
  corund::wire::FrameFault fault;
  corund::wire::Terminator terminator = corund::wire::Terminator::nul;
  bool inside = false;        // a frame is begun and not ended
  std::size_t left = 0;       // bytes not consumed at the end

  bool operator==(const Scanned& other) const {
    return frames == other.frames && fault.offset == other.fault.offset && fault.reason == other.fault.reason &&
           terminator == other.terminator && inside == other.inside && left == other.left;
  }
};

// Feeds `bytes` in pieces that end at `cuts` (ascending; the end is one by itself). The buffer is a fresh allocation each time, so that whoever looks at
// bytes through an old pointer is found by the address sanitizer.
inline Scanned scan_in_pieces(std::string_view bytes, const std::vector<std::size_t>& cuts, corund::wire::FrameLimits limits = {}) {
  corund::wire::FrameScanner scanner(limits);
  Scanned result;
  std::size_t consumed = 0;
  auto give = [&](std::size_t upto) {
    for (;;) {
      std::vector<char> buffer(bytes.begin() + static_cast<std::ptrdiff_t>(consumed), bytes.begin() + static_cast<std::ptrdiff_t>(upto));
      auto scan = scanner.feed({buffer.data(), buffer.size()});
      if (scan.status == corund::wire::ScanStatus::frame) result.frames.emplace_back(scanner.frame().text);
      if (scan.status == corund::wire::ScanStatus::bad) result.fault = scanner.fault();
      consumed += scan.consumed;
      if (scan.status != corund::wire::ScanStatus::frame) return scan.status;
    }
  };
  auto status = corund::wire::ScanStatus::need_more;
  for (std::size_t cut : cuts)
    if (status != corund::wire::ScanStatus::bad && cut < bytes.size()) status = give(cut);
  if (status != corund::wire::ScanStatus::bad) give(bytes.size());
  result.terminator = scanner.terminator();
  result.inside = scanner.is_inside_frame();
  result.left = bytes.size() - consumed;
  return result;
}

inline Scanned scan_whole(std::string_view bytes, corund::wire::FrameLimits limits = {}) {
  return scan_in_pieces(bytes, {}, limits);
}

// In pieces of `size` bytes.
inline Scanned scan_in_chunks(std::string_view bytes, std::size_t size, corund::wire::FrameLimits limits = {}) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = size; at < bytes.size(); at += size) cuts.push_back(at);
  return scan_in_pieces(bytes, cuts, limits);
}

}  // namespace tests
