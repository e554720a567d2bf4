// SPDX-License-Identifier: MIT
// Room: the frame, the delimited unit of the wire: one JSON object and its terminator. The scanner finds its end and validates it in
// one pass over the bytes, whatever pieces they come in, and notes on the way where the envelope's members lie. What the
// members mean is for wire/request and wire/call to say; reading bytes from a socket is the session's.
#pragma once

#include "daemon/wire/limits.hpp"

#include <corun/base/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace corund::wire {

// What ends a frame. The first frame of a connection fixes it for both directions.
enum class Terminator : char { nul = '\0', newline = '\n' };

// Why bytes are no frame, or a frame is no call.
enum class FrameFaultReason : std::uint8_t {
  none,
  not_an_object,        // the first byte that is not white space is not '{'
  syntax,               // not JSON
  control_character,    // a byte below 0x20 inside a string
  invalid_escape,       // a backslash and something JSON does not know
  nul_escape,           // \u0000
  lone_surrogate,       // \ud800 to \udfff without its other half
  invalid_utf8,         // overlong, a surrogate, past U+10FFFF, or cut short
  invalid_number,       // 01, 1., -, 1e
  number_out_of_range,  // would be infinite as a double
  too_deep,
  too_long,
  unfinished,           // the terminator came before the object was complete
  trailing_bytes,       // something after the object
  wrong_terminator,     // NUL on a connection whose frames end in newlines
  duplicate_member,     // a member of the envelope twice
  no_method,            // of a call
  wrong_type,           // of a member of the envelope
  stalled,              // it began, and nothing more of it came in time
};

// A sentence fragment for BadFrame's reason, in English; static storage.
std::string_view to_string(FrameFaultReason reason) noexcept;

// The first thing wrong. offset counts bytes from the frame's first one; that is the byte after the previous frame's terminator.
struct FrameFault {
  std::size_t offset = 0;
  FrameFaultReason reason = FrameFaultReason::none;
  double limit = 0;  // of too_deep, too_long and stalled (seconds): what the peer was allowed
};

// The whole reason: that of to_string(), and of a limit its key in the configuration and its value.
std::string text_of(const FrameFault& fault);

// What value() of a Result with a fault in it throws: std::logic_error, as the caller should have asked before.
[[noreturn]] void throw_exception_from_error(const FrameFault& fault, const boost::source_location& where);

// Members of the envelope: of a call the first five, of a reply parameters and the last two.
enum class Member : std::uint8_t { method, parameters, more, oneway, upgrade, error, continues };
inline constexpr std::size_t member_count = 7;

// One valid JSON object. All views point into the bytes last given to feed().
struct Frame {
  std::string_view text;                                 // '{' to '}'
  std::array<std::string_view, member_count> members{};  // each member's value as JSON text, a string with its quotes; data() null: absent

  std::string_view member(Member which) const noexcept { return members[static_cast<std::size_t>(which)]; }
  // Where a piece of this frame's text lies, counted from the frame's first byte.
  std::size_t offset_of(std::string_view piece) const noexcept {
    return text_offset + static_cast<std::size_t>(piece.data() - text.data());
  }
  std::size_t text_offset = 0;  // white space before '{'
};

enum class ScanStatus : std::uint8_t { need_more, frame, bad };

// What the caller does next: drop `consumed` bytes from the front of its buffer (after it is done with the frame, if there is one), then feed
// what is left, or that and more. need_more consumes empty frames only.
struct Scan {
  ScanStatus status = ScanStatus::need_more;
  std::size_t consumed = 0;
};

// Cuts a stream of bytes into frames. Works in place on the caller's contiguous buffer, which may move and grow between calls; no byte is
// looked at twice, however small the pieces. Allocates nothing. One a connection.
class FrameScanner {
 public:
  // Limits above their caps are cut down to them.
  explicit FrameScanner(FrameLimits limits = {}) noexcept;

  // Goes on with `buffered`, which must begin at the first byte not yet consumed and hold at least what the last call was given.
  // On `frame`, frame() is the next one: call again for the one after it, as there may be many in one buffer. On `bad`, fault() says why, and
  // stays so for ever: the connection is to be closed.
  Scan feed(std::string_view buffered) noexcept;

  // The frame just found. Lifetime: until the next feed(), or until the buffer moves.
  const Frame& frame() const noexcept { return frame_; }
  const FrameFault& fault() const noexcept { return fault_; }

  // How this connection's frames end. nul as long as no frame has come.
  Terminator terminator() const noexcept {
    return mode_ == Mode::newline ? Terminator::newline : Terminator::nul;
  }

  // Whether a frame has begun and not ended, so that the peer owes us bytes.
  bool is_inside_frame() const noexcept { return state_ != State::start && state_ != State::bad; }

 private:
  enum class Mode : std::uint8_t { open, nul, newline };
  enum class State : std::uint8_t {
    start, key_or_close, key, colon, value, value_or_close, comma_or_close, done, bad,  // between tokens
    string, number, literal,                                                            // inside one
  };
  enum class StringState : std::uint8_t { plain, escape, hex, low_backslash, low_u, continuation };
  enum class NumberState : std::uint8_t { minus, zero, integer, dot, fraction, e, sign, exponent };
  ScanStatus skip_empty(const char*& at, const char* buffer_end) noexcept;
  ScanStatus scan(const char* at, const char* end) noexcept;
  const char* scan_special(const char* at, const char* end) noexcept;
  const char* scan_escape(const char* at, const char* end) noexcept;
  const char* scan_utf8(const char* at) noexcept;
  const char* scan_number(const char* at, const char* end) noexcept;
  const char* scan_literal(const char* at, const char* end) noexcept;
  bool end_hex(const char* at) noexcept;
  bool end_key(const char* quote) noexcept;
  void finish(const char* at, Mode mode) noexcept;
  ScanStatus suspend(State state, const char* at) noexcept;
  ScanStatus fail(const char* at, FrameFaultReason reason) noexcept;
  const char* end_of_frame(const char* buffer_end) const noexcept;
  std::uint32_t offset(const char* at) const noexcept { return static_cast<std::uint32_t>(at - begin_); }
  bool innermost_is_object() const noexcept { return is_object_[(depth_ - 1) / 64] >> ((depth_ - 1) % 64) & 1; }
  bool open(const char* at, bool object) noexcept {
    if (depth_ >= limits_.depth_max) return fail(at, FrameFaultReason::too_deep), false;
    std::uint64_t bit = std::uint64_t{1} << (depth_ % 64);
    std::uint64_t& word = is_object_[depth_ / 64];
    word = object ? word | bit : word & ~bit;
    ++depth_;
    return true;
  }

  FrameLimits limits_;
  State state_ = State::start;
  Mode mode_ = Mode::open;
  StringState string_ = StringState::plain;
  NumberState number_ = NumberState::zero;
  bool string_is_key_ = false;
  bool key_has_escape_ = false;
  std::uint8_t pending_ = 0;       // hex digits, or bytes of a UTF-8 sequence, still to come
  std::uint8_t low_ = 0;           // what the next byte of a UTF-8 sequence must lie between
  std::uint8_t high_ = 0;
  bool high_surrogate_ = false;    // the escape being read is the second half of a pair
  std::uint16_t code_unit_ = 0;    // the \u escape so far
  const char* literal_ = nullptr;  // what is left to match of true, false, null
  std::uint32_t scanned_ = 0;      // bytes of this frame already looked at
  std::uint32_t depth_ = 0;
  std::uint32_t token_ = 0;        // where the current key or number began
  std::uint32_t text_begin_ = 0;   // the frame's '{'
  std::uint32_t text_end_ = 0;     // one past its '}'
  std::int8_t member_ = -1;        // envelope member whose value is being read, at depth 1
  std::uint8_t present_ = 0;       // bit a member seen
  struct Span {
    std::uint32_t begin, end;
  };
  std::array<Span, member_count> spans_;                       // valid where present_ has the bit
  std::array<std::uint64_t, frame_depth_cap / 64> is_object_;  // a bit a level: object or array
  const char* begin_ = nullptr;    // the frame's first byte; holds within one feed() only
  Frame frame_;
  FrameFault fault_;
};

}  // namespace corund::wire
