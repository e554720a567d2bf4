// SPDX-License-Identifier: MIT
#include "daemon/job/json.hpp"

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

}  // namespace

JsonText to_text(const Json& tree) {
  std::string text = tree.dump(-1, ' ', false, Json::error_handler_t::replace);
  replace_nul(text);
  return JsonText(std::move(text));
}

}  // namespace corund
