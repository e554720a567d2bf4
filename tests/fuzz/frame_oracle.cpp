// SPDX-License-Identifier: MIT
// nlohmann::json is the second opinion on validity. Where the two may differ, and why:
// - \u0000, nesting past the limit, members of the envelope twice: valid JSON, refused by the wire;
// - anything but an object: valid JSON, no frame;
// - a byte order mark: passed over by nlohmann, refused by the wire.
#include "fuzz/frame_oracle.hpp"

#include "daemon/wire/json.hpp"
#include "daemon/wire/scanning.hpp"
#include "daemon/wire/writer.hpp"

#include <nlohmann/json.hpp>

namespace tests {

namespace {

using namespace corund::wire;
using Json = nlohmann::json;
using namespace std::string_literals;

// What our reader makes of valid text.
Json read_value(std::string_view text) {
  switch (json_type(text)) {
    case JsonType::object: {
      Json object = Json::object();
      for (JsonCursor cursor(text); cursor.next();) {
        std::string key;
        unescape(cursor.key(), key);
        if (cursor.key_has_escape() != has_escape(cursor.key())) return "the cursor is wrong about an escape";
        object[key] = read_value(cursor.value());
      }
      return object;
    }
    case JsonType::array: {
      Json array = Json::array();
      for (JsonCursor cursor(text); cursor.next();) array.push_back(read_value(cursor.value()));
      return array;
    }
    case JsonType::string: return decode_string(text);
    case JsonType::boolean: return text == "true";
    case JsonType::null: return nullptr;
    case JsonType::number: {
      if (auto integer = decode_int(text)) return *integer;
      return decode_double(text);
    }
  }
  return nullptr;
}

bool may_be_valid_json(FrameFaultReason reason) {
  return reason == FrameFaultReason::nul_escape || reason == FrameFaultReason::too_deep ||
         reason == FrameFaultReason::duplicate_member || reason == FrameFaultReason::not_an_object;
}

// Numbers may be an integer here and a float there (-0, or past 64 bits): compared as what they are worth.
bool same(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return a == b || a.get<double>() == b.get<double>();
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_object()) {
    for (auto at = a.begin(); at != a.end(); ++at)
      if (!b.contains(at.key()) || !same(at.value(), b[at.key()])) return false;
    return true;
  }
  if (a.is_array()) {
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!same(a[i], b[i])) return false;
    return true;
  }
  return a == b;
}

std::string check_frame(std::string_view text) {
  Json theirs = Json::parse(text, nullptr, false);
  if (theirs.is_discarded() || !theirs.is_object()) return "a frame is not a valid object";
  if (!same(read_value(text), theirs)) return "a frame reads differently";
  std::string clean;
  append_sanitized(clean, text);
  if (clean != text) return "a frame's text is not fit for the wire as it is";
  return {};
}

// The bytes before the first NUL as one frame, after another that fixed the terminator.
std::string check_validity(std::string_view bytes) {
  std::string text(bytes.substr(0, bytes.find('\0')));
  Scanned ours = scan_whole("{}\0"s + text + '\0');
  bool accepted = ours.frames.size() == 2;
  bool blank = text.find_first_not_of(" \t\r\n") == std::string::npos;
  bool theirs = Json::accept(text);
  if (accepted && !theirs) return "what is not valid was accepted";
  if (!accepted && theirs && !blank && !may_be_valid_json(ours.fault.reason)) return "what is valid was refused";
  return {};
}

std::string check_writer(std::string_view bytes) {
  std::string text = "{\"a\":";
  append_string(text, bytes);
  text += '}';
  if (scan_whole(text + '\0').frames.size() != 1) return "a string that was written is not valid";
  return check_frame(text);
}

}  // namespace

std::string broken_promise(std::string_view bytes, std::size_t chunk) {
  Scanned whole = scan_whole(bytes);
  if (!(scan_in_chunks(bytes, chunk) == whole)) return "pieces of " + std::to_string(chunk) + " bytes make a difference";
  for (const std::string& frame : whole.frames)
    if (auto broken = check_frame(frame); !broken.empty()) return broken;
  if (auto broken = check_validity(bytes); !broken.empty()) return broken;
  return check_writer(bytes);
}

}  // namespace tests
