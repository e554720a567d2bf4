// SPDX-License-Identifier: MIT
// g++ 12 destroys some temporaries of a co_await expression twice, and evaluates one that stands in a Catch2 macro three times. These
// rules read the text of such expressions, from the co_await to the end of its full expression. They know no types, so a capture that is trivially destructible is refused
// as well, unless its line says "tidy: trivial" and means it.
#include "rules.hpp"

#include <cctype>

namespace tidy {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::size_t skip_space(std::string_view code, std::size_t at) {
  while (at < code.size() && std::isspace(static_cast<unsigned char>(code[at]))) ++at;
  return at;
}

// One past the bracket that closes the one at `open`.
std::size_t past_matching(std::string_view code, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < code.size(); ++i) {
    if (code[i] == '(' || code[i] == '[' || code[i] == '{') ++depth;
    if ((code[i] == ')' || code[i] == ']' || code[i] == '}') && --depth == 0) return i + 1;
  }
  return code.size();
}

// Whether the '[' at `at` begins a lambda: nothing that could be subscripted stands before it.
bool begins_lambda(std::string_view code, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && std::isspace(static_cast<unsigned char>(code[before - 1]))) --before;
  if (before == 0) return true;
  char c = code[before - 1];
  if (c == ')' || c == ']') return false;
  if (!is_word(c)) return true;
  std::size_t word = before;
  while (word > 0 && is_word(code[word - 1])) --word;
  auto name = code.substr(word, before - word);
  return name == "return" || name == "co_return" || name == "co_await" || name == "co_yield";
}

// The first capture by value of a capture list (without its brackets), or "".
std::string captured_by_value(std::string_view list) {
  for (std::size_t at = skip_space(list, 0); at < list.size(); at = skip_space(list, at)) {
    std::size_t end = at;
    for (int depth = 0; end < list.size() && (depth > 0 || list[end] != ','); ++end) {
      if (list[end] == '(' || list[end] == '{' || list[end] == '<' || list[end] == '[') ++depth;
      if (list[end] == ')' || list[end] == '}' || list[end] == '>' || list[end] == ']') --depth;
    }
    auto capture = list.substr(at, end - at);
    while (!capture.empty() && std::isspace(static_cast<unsigned char>(capture.back()))) capture.remove_suffix(1);
    if (!capture.empty() && capture[0] != '&' && capture != "this") return std::string(capture);
    at = end < list.size() ? end + 1 : end;
  }
  return {};
}

// Calls `see(offset of '[', capture list)` for each lambda of the full expression that begins at `at`, without those
// inside a lambda's own body: they belong to other expressions.
template <class See>
void each_lambda(std::string_view code, std::size_t at, See see) {
  int depth = 0;
  for (std::size_t i = at; i < code.size(); ++i) {
    char c = code[i];
    if (c == ';' && depth == 0) return;
    if (c == '[' && begins_lambda(code, i)) {
      std::size_t past = past_matching(code, i);
      see(i, code.substr(i + 1, past - i - 2));
      std::size_t body = past;
      while (body < code.size() && code[body] != '{' && code[body] != ';' && code[body] != ')') {
        body = code[body] == '(' ? past_matching(code, body) : body + 1;
      }
      if (body >= code.size() || code[body] != '{') return;
      i = past_matching(code, body) - 1;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' || c == ']' || c == '}') {
      if (--depth < 0) return;
    }
  }
}

template <class See>
void each_co_await(const Source& source, See see) {
  for (std::size_t at = source.code.find("co_await"); at != source.code.npos; at = source.code.find("co_await", at + 8)) {
    if (at > 0 && is_word(source.code[at - 1])) continue;
    if (is_word(source.code[at + 8])) continue;
    std::size_t before = at;
    while (before > 0 && source.code[before - 1] == ' ') --before;
    if (before >= 8 && source.code.compare(before - 8, 8, "operator") == 0) continue;
    see(at);
  }
}

bool excused(const Source& source, int line) {
  return source.line_text(line).find("tidy: trivial") != std::string_view::npos;
}

Findings lambda_captures(const Tree& tree) {
  Findings found;
  for (const auto& source : tree.sources)
    each_co_await(source, [&](std::size_t await) {
      each_lambda(source.code, await + 8, [&](std::size_t at, std::string_view list) {
        auto capture = captured_by_value(list);
        int line = source.line_of(at);
        if (capture.empty() || excused(source, line)) return;
        found.push_back({source.path, line,
                         "a temporary lambda in a co_await expression captures '" + capture +
                             "' by value: name the lambda first, or pass it as an argument"});
      });
    });
  return found;
}

Findings conditional_awaits(const Tree& tree) {
  Findings found;
  for (const auto& source : tree.sources)
    each_co_await(source, [&](std::size_t await) {
      int line = source.line_of(await);
      if (excused(source, line)) return;
      const auto& code = source.code;
      std::size_t open = skip_space(code, await + 8);
      if (open < code.size() && code[open] == '(') {
        int depth = 0;
        for (std::size_t i = open, past = past_matching(code, open); i < past; ++i) {
          if (code[i] == '(' || code[i] == '{' || code[i] == '[') ++depth;
          if (code[i] == ')' || code[i] == '}' || code[i] == ']') --depth;
          if (code[i] == '?' && depth == 1) {
            found.push_back({source.path, line, "co_await (a ? b : c): use if and else"});
            return;
          }
        }
      }
      std::size_t before = await;
      while (before > 0 && std::isspace(static_cast<unsigned char>(code[before - 1]))) --before;
      if (before > 0 && code[before - 1] == '?')
        found.push_back({source.path, line, "co_await as an arm of ?: destroys its result twice: use if and else"});
    });
  return found;
}

// Whether the word is a macro that decomposes its expression. CHECK_AWAITED is the one of ours that awaits into a local first.
bool asserts(std::string_view word) {
  return (word.substr(0, 5) == "CHECK" || word.substr(0, 7) == "REQUIRE") && word != "CHECK_AWAITED";
}

// The first co_await between two brackets that is not in the body of a lambda there; npos: none.
std::size_t await_within(std::string_view code, std::size_t open, std::size_t past) {
  for (std::size_t i = open; i < past; ++i) {
    if (code[i] == '[' && begins_lambda(code, i)) {
      std::size_t body = past_matching(code, i);
      while (body < past && code[body] != '{') body = code[body] == '(' ? past_matching(code, body) : body + 1;
      if (body >= past) return code.npos;
      i = past_matching(code, body) - 1;
    } else if (code.compare(i, 8, "co_await") == 0 && !is_word(code[i - 1]) && !is_word(code[i + 8])) {
      return i;
    }
  }
  return code.npos;
}

Findings asserted_awaits(const Tree& tree) {
  Findings found;
  for (const auto& source : tree.sources) {
    const std::string_view code = source.code;
    for (std::size_t at = 0; at < code.size();) {
      if (!is_word(code[at])) {
        ++at;
        continue;
      }
      std::size_t end = at;
      while (end < code.size() && is_word(code[end])) ++end;
      auto word = code.substr(at, end - at);
      std::size_t open = skip_space(code, end);
      at = end;
      if (!asserts(word) || open >= code.size() || code[open] != '(') continue;
      std::size_t await = await_within(code, open, past_matching(code, open));
      if (await == code.npos) continue;
      found.push_back({source.path, source.line_of(await),
                       "co_await within " + std::string(word) + "() is evaluated three times: await into a local first"});
    }
  }
  return found;
}

}  // namespace

std::vector<Rule> hazard_rules() {
  return {{"capture", "no temporary lambda in a co_await expression captures by value", lambda_captures},
          {"conditional", "no co_await of a ?:, and none as its arm", conditional_awaits},
          {"asserted", "no co_await within a CHECK or a REQUIRE", asserted_awaits}};
}

}  // namespace tidy
