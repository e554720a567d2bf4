// SPDX-License-Identifier: MIT
#include "daemon/job/json.hpp"

#include <algorithm>

namespace corund {
namespace {

constexpr std::string_view escaped_nul = "\\u0000";
constexpr std::string_view replacement = "\xEF\xBF\xBD";

// dump() writes a NUL as \u0000; a backslash before it that is itself escaped makes it plain text.
void replace_nul(std::string& text) {
  std::size_t at = text.find(escaped_nul);
  while (at != std::string::npos) {
    std::size_t backslashes = 0;
    while (backslashes < at && text[at - 1 - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 0)
      text.replace(at, escaped_nul.size(), replacement);
    else
      ++at;
    at = text.find(escaped_nul, at);
  }
}

bool stands_for_itself(char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

}  // namespace

JsonText to_text(const Json& tree) {
  std::string text = tree.dump(-1, ' ', false, Json::error_handler_t::replace);
  replace_nul(text);
  return JsonText(std::move(text));
}

// ASCII and line ends, which is what most strings are made of; the tree's writer knows the rest.
void append_string(std::string& to, std::string_view text) {
  const std::size_t before = to.size();
  to += '"';
  for (std::string_view left = text; !left.empty();) {
    const auto plain = static_cast<std::size_t>(std::find_if_not(left.begin(), left.end(), stands_for_itself) - left.begin());
    to += left.substr(0, plain);
    left.remove_prefix(plain);
    if (left.empty()) break;
    if (left.front() != '\n') {
      to.resize(before);
      to += to_text(Json(text)).view();
      return;
    }
    to += "\\n";
    left.remove_prefix(1);
  }
  to += '"';
}

}  // namespace corund
