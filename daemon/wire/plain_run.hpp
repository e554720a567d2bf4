// SPDX-License-Identifier: MIT
// Room: running over the bytes of strings that mean themselves, many at a time. What the scanner, the reader and the writer have in common;
// nobody else's business.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace corund::wire {

// The first byte in [at, end) that is a quote, a backslash, below 0x20 or above 0x7f; end where there is none.
[[gnu::always_inline]] inline const char* skip_plain(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
  while (end - at >= 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));  // signed: takes 0x80 and above too
    auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), low)));
    if (found) return at + std::countr_zero(found);
    at += 16;
  }
#endif
  if constexpr (std::endian::native == std::endian::little) {
    constexpr std::uint64_t ones = 0x0101010101010101;
    while (end - at >= 8) {
      std::uint64_t bytes;
      std::memcpy(&bytes, at, 8);
      // A borrow reaches only bytes above the first one found, so the lowest bit set is exact.
      std::uint64_t found = ((bytes - ones * 0x20) | ((bytes ^ (ones * '"')) - ones) |
                             ((bytes ^ (ones * '\\')) - ones) | bytes) &
                            (ones * 0x80);
      if (found) return at + (std::countr_zero(found) >> 3);
      at += 8;
    }
  }
  while (at != end) {
    auto byte = static_cast<unsigned char>(*at);
    if (byte == '"' || byte == '\\' || byte < 0x20 || byte >= 0x80) break;
    ++at;
  }
  return at;
}

// What may follow a byte that begins a UTF-8 sequence (Unicode 15, table 3-7). count 0: it begins none.
struct Utf8Lead {
  std::uint8_t count;  // bytes that follow
  std::uint8_t low;    // what the first of them lies between; the others between 0x80 and 0xbf
  std::uint8_t high;
};

inline Utf8Lead utf8_lead(unsigned char byte) noexcept {
  if (byte < 0xc2) return {0, 0, 0};  // a continuation byte, or overlong
  if (byte < 0xe0) return {1, 0x80, 0xbf};
  if (byte == 0xe0) return {2, 0xa0, 0xbf};  // below: overlong
  if (byte == 0xed) return {2, 0x80, 0x9f};  // above: surrogates
  if (byte < 0xf0) return {2, 0x80, 0xbf};
  if (byte == 0xf0) return {3, 0x90, 0xbf};  // below: overlong
  if (byte < 0xf4) return {3, 0x80, 0xbf};
  if (byte == 0xf4) return {3, 0x80, 0x8f};  // above: past U+10FFFF
  return {0, 0, 0};
}

// How many bytes at `at` are one valid UTF-8 sequence of two bytes or more; 0 where they are none, or are cut short.
inline int utf8_sequence(const char* at, const char* end) noexcept {
  auto byte = [&](int i) { return static_cast<unsigned char>(at[i]); };
  auto follows = [&](int i) { return (byte(i) & 0xc0) == 0x80; };
  unsigned char lead = byte(0);
  if (lead >= 0xc2 && lead < 0xe0) return end - at >= 2 && follows(1) ? 2 : 0;
  Utf8Lead rest = utf8_lead(lead);
  if (rest.count < 2 || end - at <= rest.count || byte(1) < rest.low || byte(1) > rest.high) return 0;
  if (!follows(2) || (rest.count == 3 && !follows(3))) return 0;
  return rest.count + 1;
}

namespace hex {

struct Table {
  std::int8_t value[256];
};

constexpr Table make_table() {
  Table table{};
  for (int i = 0; i < 256; ++i) table.value[i] = -1;
  for (int i = 0; i < 10; ++i) table.value['0' + i] = static_cast<std::int8_t>(i);
  for (int i = 0; i < 6; ++i) table.value['a' + i] = table.value['A' + i] = static_cast<std::int8_t>(10 + i);
  return table;
}

inline constexpr Table table = make_table();

}  // namespace hex

// The value of a hexadecimal digit, or -1.
inline int hex_value(char digit) noexcept { return hex::table.value[static_cast<unsigned char>(digit)]; }

// The value of four of them, or something negative.
inline int hex_unit(const char* at) noexcept {
  return hex_value(at[0]) * 4096 | hex_value(at[1]) * 256 | hex_value(at[2]) * 16 | hex_value(at[3]);
}

}  // namespace corund::wire
