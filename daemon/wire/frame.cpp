// SPDX-License-Identifier: MIT
// The scanner is a pushdown automaton over bytes: between tokens `state_` says what may come next, inside one it says which token, and the
// token's own state says how far it got. A bit a level says object or array. scan() is one function of labels and jumps rather than a loop
// around a switch: what follows a token is mostly known where it ends, so each place has a branch of its own for the processor to
// learn. The labels carry the names of the states at which it can be suspended; each token's own scanner stands apart.
//
// Invariant: everything before begin_ + scanned_ has been judged, and no step looks behind it, but for keys of the envelope (compared
// when they end) and numbers with an exponent (measured when they end).
#include "daemon/wire/frame.hpp"

#include "daemon/wire/json.hpp"
#include "daemon/wire/plain_run.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace corund::wire {

namespace {

constexpr std::string_view longest_member_name = "parameters";

// The envelope's member of that name, or -1. By length first: a comparison with a constant of known length is one or two words.
[[gnu::always_inline]] inline std::int8_t member_of(std::string_view name) noexcept {
  auto pick = [&](std::string_view expected, Member member) {
    return name == expected ? static_cast<std::int8_t>(member) : std::int8_t{-1};
  };
  switch (name.size()) {
    case 4: return pick("more", Member::more);
    case 5: return pick("error", Member::error);
    case 6: return name[0] == 'm' ? pick("method", Member::method) : pick("oneway", Member::oneway);
    case 7: return pick("upgrade", Member::upgrade);
    case 9: return pick("continues", Member::continues);
    case 10: return pick(longest_member_name, Member::parameters);
    default: return -1;
  }
}

[[gnu::noinline]] std::int8_t decoded_member_of(std::string_view name) {
  if (name.size() > longest_member_name.size() * std::string_view("\\u0041").size()) return -1;
  std::string decoded;
  unescape(name, decoded);
  return member_of(decoded);
}

[[gnu::always_inline]] inline bool skip_space_to_token(const char*& at, const char* end) noexcept {
  while (at != end) {
    if (static_cast<unsigned char>(*at) > ' ') return true;
    if (*at != ' ' && *at != '\n' && *at != '\r' && *at != '\t') return true;
    ++at;
  }
  return false;
}

bool is_digit(char byte) noexcept { return byte >= '0' && byte <= '9'; }

// Past a number without an exponent that ends before `end` and is too short to be too large: most are. nullptr: any other, or none.
[[gnu::always_inline]] inline const char* skip_plain_number(const char* at, const char* end) noexcept {
  constexpr std::ptrdiff_t digits_max = 300;
  if (end - at > digits_max) end = at + digits_max;
  if (*at == '-') ++at;
  if (at == end || !is_digit(*at)) return nullptr;
  if (*at == '0') ++at;
  else while (at != end && is_digit(*at)) ++at;
  if (at != end && *at == '.') {
    if (++at == end || !is_digit(*at)) return nullptr;
    while (at != end && is_digit(*at)) ++at;
  }
  if (at == end || is_digit(*at) || *at == '.' || *at == 'e' || *at == 'E') return nullptr;
  return at;
}

}  // namespace

std::string_view to_string(FrameFaultReason reason) noexcept {
  switch (reason) {
    case FrameFaultReason::none: return "nothing is wrong";
    case FrameFaultReason::not_an_object: return "a call is a JSON object, and this does not begin one";
    case FrameFaultReason::syntax: return "not valid JSON";
    case FrameFaultReason::control_character: return "control character inside a string";
    case FrameFaultReason::invalid_escape: return "invalid escape inside a string";
    case FrameFaultReason::nul_escape: return "\\u0000 inside a string";
    case FrameFaultReason::lone_surrogate: return "surrogate without its other half inside a string";
    case FrameFaultReason::invalid_utf8: return "invalid UTF-8";
    case FrameFaultReason::invalid_number: return "invalid number";
    case FrameFaultReason::number_out_of_range: return "number too large";
    case FrameFaultReason::too_deep: return "nested too deep";
    case FrameFaultReason::too_long: return "frame too long";
    case FrameFaultReason::unfinished: return "the frame ends before its object does";
    case FrameFaultReason::trailing_bytes: return "something follows the object";
    case FrameFaultReason::wrong_terminator: return "NUL on a connection whose frames end in newlines";
    case FrameFaultReason::duplicate_member: return "a member of the call comes twice";
    case FrameFaultReason::no_method: return "no method";
    case FrameFaultReason::wrong_type: return "a member of the call has the wrong type";
    case FrameFaultReason::stalled: return "the rest of the frame did not come in time";
  }
  return "unknown";
}

std::string text_of(const FrameFault& fault) {
  std::string text(to_string(fault.reason));
  if (fault.limit <= 0) return text;
  char value[32];
  std::snprintf(value, sizeof value, "%.15g", fault.limit);
  switch (fault.reason) {
    case FrameFaultReason::too_deep: return text + ": limits.json_depth is " + value;
    case FrameFaultReason::too_long: return text + ": limits.frame_bytes is " + value;
    case FrameFaultReason::stalled: return text + ": limits.partial_frame_timeout is " + value + " seconds";
    default: return text;
  }
}

void throw_exception_from_error(const FrameFault& fault, const boost::source_location& where) {
  throw std::logic_error(where.to_string() + ": value() of a frame that is bad at byte " + std::to_string(fault.offset) + ": " +
                         std::string(to_string(fault.reason)));
}

FrameScanner::FrameScanner(FrameLimits limits) noexcept : limits_(limits) {
  limits_.frame_bytes_max = std::min(limits_.frame_bytes_max, frame_bytes_cap);
  limits_.depth_max = std::min(limits_.depth_max, frame_depth_cap);
}

Scan FrameScanner::feed(std::string_view buffered) noexcept {
  if (state_ == State::bad) return {ScanStatus::bad, 0};
  const char* const buffer_end = buffered.data() + buffered.size();
  begin_ = buffered.data();
  const char* at = begin_ + scanned_;
  ScanStatus status = ScanStatus::frame;
  if (state_ == State::start) status = skip_empty(at, buffer_end);
  if (status == ScanStatus::frame) status = scan(at, end_of_frame(buffer_end));
  // Suspended with a byte past the limit looked at: the frame did not end within it.
  if (status == ScanStatus::need_more && scanned_ > limits_.frame_bytes_max)
    status = fail(begin_ + limits_.frame_bytes_max, FrameFaultReason::too_long);
  std::size_t consumed = static_cast<std::size_t>(begin_ - buffered.data());
  if (status == ScanStatus::frame) consumed += std::exchange(scanned_, 0);
  return {status, consumed};
}

// One byte more than a frame may have: room for the terminator.
const char* FrameScanner::end_of_frame(const char* buffer_end) const noexcept {
  return begin_ + std::min<std::size_t>(static_cast<std::size_t>(buffer_end - begin_), limits_.frame_bytes_max + 1);
}

// Up to the '{' that begins a frame; begin_ moves past the empty frames. `frame` means: there is one to scan.
ScanStatus FrameScanner::skip_empty(const char*& at, const char* buffer_end) noexcept {
  const char* end = end_of_frame(buffer_end);
  for (; at != end; ++at) {
    if (*at == '{') {
      text_begin_ = offset(at);
      present_ = 0;
      member_ = -1;
      depth_ = 0;
      if (!open(at++, true)) return ScanStatus::bad;
      state_ = State::key_or_close;
      return ScanStatus::frame;
    }
    if (*at == ' ' || *at == '\t' || *at == '\r' || (*at == '\n' && mode_ == Mode::nul)) continue;
    if (*at == '\0' && mode_ == Mode::newline) return fail(at, FrameFaultReason::wrong_terminator);
    if (*at != '\0' && *at != '\n') return fail(at, FrameFaultReason::not_an_object);
    begin_ = at + 1;
    end = end_of_frame(buffer_end);
  }
  return suspend(State::start, at);
}

ScanStatus FrameScanner::scan(const char* at, const char* const end) noexcept {
  bool in_object = depth_ != 0 && innermost_is_object();
  switch (state_) {
    case State::key_or_close: goto key_or_close;
    case State::key: goto key;
    case State::colon: goto colon;
    case State::value: goto value;
    case State::value_or_close: goto value_or_close;
    case State::comma_or_close: goto comma_or_close;
    case State::done: goto done;
    case State::string: goto special;
    case State::number: goto number;
    case State::literal: goto literal;
    case State::start:
    case State::bad: return ScanStatus::bad;
  }

key_or_close:
  if (!skip_space_to_token(at, end)) return suspend(State::key_or_close, at);
  if (*at == '}') goto close;
key:
  if (!skip_space_to_token(at, end)) return suspend(State::key, at);
  if (*at != '"') return fail(at, FrameFaultReason::syntax);
  token_ = offset(++at);
  string_is_key_ = true;
  key_has_escape_ = false;
  goto string;

value_or_close:
  if (!skip_space_to_token(at, end)) return suspend(State::value_or_close, at);
  if (*at == ']') goto close;
value:
  if (!skip_space_to_token(at, end)) return suspend(State::value, at);
  if (depth_ == 1 && member_ >= 0) spans_[static_cast<std::size_t>(member_)].begin = offset(at);
  if (*at == '"') {  // before the jump by table: half of all values are
    ++at;
    string_is_key_ = false;
    goto string;
  }
  switch (*at) {
    case '{':
      if (!open(at++, true)) return ScanStatus::bad;
      in_object = true;
      goto key_or_close;
    case '[':
      if (!open(at++, false)) return ScanStatus::bad;
      in_object = false;
      goto value_or_close;
    case 't': literal_ = "true"; goto literal;
    case 'f': literal_ = "false"; goto literal;
    case 'n': literal_ = "null"; goto literal;
    case '-': number_ = NumberState::minus; break;
    case '0': number_ = NumberState::zero; break;
    case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
      number_ = NumberState::integer;
      break;
    default: return fail(at, FrameFaultReason::syntax);
  }
  if (const char* past = skip_plain_number(at, end)) {
    at = past;
    goto value_end;
  }
  token_ = offset(at++);

number:
  at = scan_number(at, end);
  if (at == nullptr) return ScanStatus::bad;
  if (at == end) return suspend(State::number, at);
  goto value_end;

literal:
  at = scan_literal(at, end);
  if (at == nullptr) return ScanStatus::bad;
  if (*literal_ != '\0') return suspend(State::literal, at);
  goto value_end;

special:
  at = scan_special(at, end);
  if (at == nullptr) return ScanStatus::bad;
  if (string_ != StringState::plain) return suspend(State::string, at);
string:
  at = skip_plain(at, end);
  if (at == end) return suspend(State::string, at);
  if (*at != '"') goto special;
  ++at;
  if (!string_is_key_) goto value_end;
  if (depth_ == 1 && !end_key(at - 1)) return ScanStatus::bad;

colon:
  if (!skip_space_to_token(at, end)) return suspend(State::colon, at);
  if (*at != ':') return fail(at, FrameFaultReason::syntax);
  ++at;
  goto value;

value_end:
  if (depth_ == 1 && member_ >= 0) spans_[static_cast<std::size_t>(member_)].end = offset(at);
comma_or_close:
  if (!skip_space_to_token(at, end)) return suspend(State::comma_or_close, at);
  if (*at == ',') {
    ++at;
    if (in_object) goto key;
    goto value;
  }
  if (*at != (in_object ? '}' : ']')) return fail(at, FrameFaultReason::syntax);

close:
  ++at;
  if (--depth_ != 0) {
    in_object = innermost_is_object();
    goto value_end;
  }
  text_end_ = offset(at);
done:
  for (; at != end; ++at) {
    if (*at == '\0') {
      if (mode_ == Mode::newline) return fail(at, FrameFaultReason::wrong_terminator);
      finish(at, Mode::nul);
      return ScanStatus::frame;
    }
    if (*at == '\n' && mode_ != Mode::nul) {
      finish(at, Mode::newline);
      return ScanStatus::frame;
    }
    if (*at != ' ' && *at != '\t' && *at != '\r' && *at != '\n')
      return fail(at, FrameFaultReason::trailing_bytes);
  }
  return suspend(State::done, at);
}

// A name in the envelope has ended: is its value one to note?
bool FrameScanner::end_key(const char* quote) noexcept {
  std::string_view name(begin_ + token_, static_cast<std::size_t>(quote - begin_) - token_);
  member_ = key_has_escape_ ? decoded_member_of(name) : member_of(name);
  if (member_ < 0) return true;
  auto bit = static_cast<std::uint8_t>(1u << member_);
  if (present_ & bit) {
    fail(begin_ + token_, FrameFaultReason::duplicate_member);
    return false;
  }
  present_ |= bit;
  return true;
}

// `at` is the terminator.
void FrameScanner::finish(const char* at, Mode mode) noexcept {
  mode_ = mode;
  state_ = State::start;
  scanned_ = offset(at) + 1;
  frame_.text = {begin_ + text_begin_, text_end_ - text_begin_};
  frame_.text_offset = text_begin_;
  for (std::size_t i = 0; i < member_count; ++i) {
    frame_.members[i] = {};
    if (present_ >> i & 1) frame_.members[i] = {begin_ + spans_[i].begin, spans_[i].end - spans_[i].begin};
  }
}

ScanStatus FrameScanner::suspend(State state, const char* at) noexcept {
  state_ = state;
  scanned_ = offset(at);
  return ScanStatus::need_more;
}

ScanStatus FrameScanner::fail(const char* at, FrameFaultReason reason) noexcept {
  // A NUL is nowhere part of an object: whatever was wanted there, the frame has ended.
  if (*at == '\0' && reason != FrameFaultReason::too_long && reason != FrameFaultReason::wrong_terminator)
    reason = FrameFaultReason::unfinished;
  state_ = State::bad;
  fault_ = {offset(at), reason, 0};
  if (reason == FrameFaultReason::too_long) fault_.limit = static_cast<double>(limits_.frame_bytes_max);
  if (reason == FrameFaultReason::too_deep) fault_.limit = limits_.depth_max;
  return ScanStatus::bad;
}

}  // namespace corund::wire
