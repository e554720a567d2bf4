// SPDX-License-Identifier: MIT
// The inside of tokens: what the scanner calls where a string's plain bytes end, and for numbers and literals. Each takes up where the last
// piece of the frame left off, and says by string_, number_ or literal_ how far it got.
#include "daemon/wire/frame.hpp"
#include "daemon/wire/plain_run.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace corund::wire {

namespace {

bool is_digit(char byte) noexcept { return byte >= '0' && byte <= '9'; }

bool is_simple_escape(char letter) noexcept {
  switch (letter) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': return true;
    default: return false;
  }
}

// The exponent's value, cut to a million either way: as good as infinite for a double.
int exponent_value(std::string_view text) noexcept {
  bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  int value = 0;
  for (char digit : text) value = std::min(value * 10 + (digit - '0'), 100'000'000);
  value = std::min(value, 1'000'000'000 / 10);
  return negative ? -value : value;
}

// Whether a valid number is too large for a double. Decided by its decimal magnitude, and by conversion at the edge only.
bool overflows(std::string_view number) noexcept {
  std::string_view digits = number;
  if (digits.front() == '-') digits.remove_prefix(1);
  std::size_t mark = digits.find_first_of("eE");
  int exponent = mark == std::string_view::npos ? 0 : exponent_value(digits.substr(mark + 1));
  digits = digits.substr(0, mark);
  std::size_t dot = std::min(digits.find('.'), digits.size());
  std::size_t lead = digits.find_first_not_of("0.");
  if (lead == std::string_view::npos) return false;  // zero
  // The value lies in [10^(magnitude-1), 10^magnitude).
  auto place = static_cast<std::ptrdiff_t>(dot) - static_cast<std::ptrdiff_t>(lead);
  std::ptrdiff_t magnitude = (place > 0 ? place : place + 1) + exponent;
  if (magnitude <= 308) return false;
  if (magnitude > 309) return true;
  double value = 0;
  return std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc{};
}

}  // namespace

// Past the escapes and the UTF-8 sequences that begin at `at`, or go on there. nullptr: bad. string_ says whether the last one is whole.
const char* FrameScanner::scan_special(const char* at, const char* end) noexcept {
  while (at != end) {
    auto byte = static_cast<unsigned char>(*at);
    if (string_ == StringState::plain) {
      if (byte == '\\') {
        key_has_escape_ = true;
        if (end - at >= 2 && is_simple_escape(at[1])) {
          at += 2;
          continue;
        }
        string_ = StringState::escape;
        ++at;
        continue;
      }
      if (byte < 0x80) {
        if (byte >= 0x20) return at;
        fail(at, FrameFaultReason::control_character);
        return nullptr;
      }
      if (int count = utf8_sequence(at, end)) {
        do at += count;  // where there is one there are many
        while (at != end && static_cast<unsigned char>(*at) >= 0x80 && (count = utf8_sequence(at, end)) != 0);
        continue;
      }
    }
    bool utf8 = string_ == StringState::plain || string_ == StringState::continuation;
    at = utf8 ? scan_utf8(at) : scan_escape(at, end);
    if (at == nullptr) return nullptr;
  }
  return at;
}

// One byte of an escape, the backslash being behind us; four digits at once where they are there.
const char* FrameScanner::scan_escape(const char* at, const char* end) noexcept {
  char byte = *at;
  switch (string_) {
    case StringState::escape:
      if (byte == 'u') {
        string_ = StringState::hex;
        high_surrogate_ = false;
        code_unit_ = 0;
        pending_ = 4;
        return at + 1;
      }
      if (is_simple_escape(byte)) {
        string_ = StringState::plain;
        return at + 1;
      }
      fail(at, FrameFaultReason::invalid_escape);
      return nullptr;
    case StringState::hex: {
      if (pending_ == 4 && end - at >= 4) {
        int unit = hex_unit(at);
        if (unit >= 0) {
          code_unit_ = static_cast<std::uint16_t>(unit);
          return end_hex(at + 3) ? at + 4 : nullptr;
        }
      }
      int value = hex_value(byte);
      if (value < 0) {
        fail(at, FrameFaultReason::invalid_escape);
        return nullptr;
      }
      code_unit_ = static_cast<std::uint16_t>(code_unit_ << 4 | value);
      return --pending_ != 0 || end_hex(at) ? at + 1 : nullptr;
    }
    case StringState::low_backslash:
    case StringState::low_u:
      if (byte != (string_ == StringState::low_u ? 'u' : '\\')) {
        fail(at, FrameFaultReason::lone_surrogate);
        return nullptr;
      }
      if (string_ == StringState::low_backslash) {
        string_ = StringState::low_u;
      } else {
        string_ = StringState::hex;
        high_surrogate_ = true;
        code_unit_ = 0;
        pending_ = 4;
      }
      return at + 1;
    default: return nullptr;
  }
}

// The fourth digit of a \u escape, at `at`, has been read.
bool FrameScanner::end_hex(const char* at) noexcept {
  bool low = code_unit_ >= 0xdc00 && code_unit_ <= 0xdfff;
  bool high = code_unit_ >= 0xd800 && code_unit_ <= 0xdbff;
  if (low != high_surrogate_) {
    fail(at, FrameFaultReason::lone_surrogate);
    return false;
  }
  if (code_unit_ == 0) {
    fail(at, FrameFaultReason::nul_escape);
    return false;
  }
  string_ = high ? StringState::low_backslash : StringState::plain;
  return true;
}

// One byte of a UTF-8 sequence that is cut short by the buffer's end, or wrong.
const char* FrameScanner::scan_utf8(const char* at) noexcept {
  auto byte = static_cast<unsigned char>(*at);
  if (string_ == StringState::plain) {
    Utf8Lead lead = utf8_lead(byte);
    if (lead.count == 0) {
      fail(at, FrameFaultReason::invalid_utf8);
      return nullptr;
    }
    pending_ = lead.count;
    low_ = lead.low;
    high_ = lead.high;
    string_ = StringState::continuation;
    return at + 1;
  }
  if (byte < low_ || byte > high_) {
    fail(at, FrameFaultReason::invalid_utf8);
    return nullptr;
  }
  low_ = 0x80;
  high_ = 0xbf;
  if (--pending_ == 0) string_ = StringState::plain;
  return at + 1;
}

// The first byte that is no longer the number's; `end` where it may go on past it; nullptr: bad.
const char* FrameScanner::scan_number(const char* at, const char* end) noexcept {
  for (; at != end; ++at) {
    char byte = *at;
    bool digit = is_digit(byte);
    bool mark = byte == 'e' || byte == 'E';
    bool over = false;
    switch (number_) {
      case NumberState::minus:
        if (!digit) return fail(at, FrameFaultReason::invalid_number), nullptr;
        number_ = byte == '0' ? NumberState::zero : NumberState::integer;
        break;
      case NumberState::zero:
        if (digit) return fail(at, FrameFaultReason::invalid_number), nullptr;
        [[fallthrough]];
      case NumberState::integer:
        if (digit) break;
        if (byte == '.') number_ = NumberState::dot;
        else if (mark) number_ = NumberState::e;
        else over = true;
        break;
      case NumberState::dot:
        if (!digit) return fail(at, FrameFaultReason::invalid_number), nullptr;
        number_ = NumberState::fraction;
        break;
      case NumberState::fraction:
        if (digit) break;
        if (mark) number_ = NumberState::e;
        else over = true;
        break;
      case NumberState::e:
        if (byte == '+' || byte == '-') {
          number_ = NumberState::sign;
          break;
        }
        [[fallthrough]];
      case NumberState::sign:
        if (!digit) return fail(at, FrameFaultReason::invalid_number), nullptr;
        number_ = NumberState::exponent;
        break;
      case NumberState::exponent: over = !digit; break;
    }
    if (!over) continue;
    std::string_view text(begin_ + token_, offset(at) - token_);
    // Without an exponent it takes 309 digits to be too large.
    if ((number_ == NumberState::exponent || text.size() > 308) && overflows(text))
      return fail(begin_ + token_, FrameFaultReason::number_out_of_range), nullptr;
    return at;
  }
  return at;
}

// Past what literal_ still wants; it ends at its NUL where all came. nullptr: bad.
const char* FrameScanner::scan_literal(const char* at, const char* end) noexcept {
  for (; at != end && *literal_ != '\0'; ++at, ++literal_) {
    if (*at == *literal_) continue;
    fail(at, FrameFaultReason::syntax);
    return nullptr;
  }
  return at;
}

}  // namespace corund::wire
