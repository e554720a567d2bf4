// SPDX-License-Identifier: MIT
// Room: how much one frame may take of us. Units stand in the names; each figure has its reason. The limits on sessions and
// jobs are not the wire's: they belong to the rooms that hold those.
#pragma once

#include <cstddef>
#include <cstdint>

namespace corund::wire {

// The deepest nesting a scanner can be configured for: it keeps one bit a level inside itself, so that a frame of
// brackets costs no memory.
inline constexpr std::uint32_t frame_depth_cap = 1024;

// The longest frame a scanner can be configured for: offsets are kept in 32 bits.
inline constexpr std::size_t frame_bytes_cap = std::size_t{1} << 31;

struct FrameLimits {
  // Bytes of one frame without its terminator, white space included. 16 MiB is what systemd's own varlink takes.
  std::size_t frame_bytes_max = std::size_t{16} << 20;

  // Nested objects and arrays, the frame's own object being the first. Whoever reads the args later may do so by
  // recursion, so it stays far below what a stack of 8 MiB, or of a small thread, can hold.
  std::uint32_t depth_max = 512;
};

static_assert(FrameLimits{}.frame_bytes_max <= frame_bytes_cap);
static_assert(FrameLimits{}.depth_max <= frame_depth_cap);
static_assert(frame_depth_cap % 64 == 0, "the scanner keeps its levels in words of 64 bits");

}  // namespace corund::wire
