// SPDX-License-Identifier: MIT
// JSON as jobs see it: a tree where a kind asks for one, else text that has been checked and travels as it is.
#pragma once

// The paths in errors of conversions come from these diagnostics; they change nlohmann's types, so all who exchange trees must agree.
#ifndef JSON_DIAGNOSTICS
#define JSON_DIAGNOSTICS 1
#elif JSON_DIAGNOSTICS != 1
#error "include <corund/plugin.hpp> before <nlohmann/json.hpp>, or define JSON_DIAGNOSTICS=1 everywhere"
#endif

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace corund {

using Json = nlohmann::json;

// The text of one complete JSON value: UTF-8 without faults, no \u0000 in its strings. Whoever makes one vouches for that.
// Not an aggregate: it may stand in a co_await expression.
class JsonText {
 public:
  JsonText() noexcept = default;
  explicit JsonText(std::string text) noexcept : text_(std::move(text)) {}

  std::string_view view() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }
  // Keeps its capacity.
  void assign(std::string_view text) { text_.assign(text); }
  void clear() noexcept { text_.clear(); }
  std::string& str() noexcept { return text_; }

 private:
  std::string text_;
};

// The text of a tree. Bytes that are not UTF-8, and NUL characters, come out as U+FFFD.
JsonText to_text(const Json& tree);
// The same for one string, appended to a text that is being written.
void append_string(std::string& to, std::string_view text);

}  // namespace corund
