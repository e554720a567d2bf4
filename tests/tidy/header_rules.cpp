// SPDX-License-Identifier: MIT
#include "rules.hpp"

#include <algorithm>

namespace tidy {
namespace {

constexpr std::string_view licence = "SPDX-License-Identifier: MIT";

Findings licence_line(const Tree& tree) {
  Findings found;
  for (const auto& source : tree.sources)
    if (source.line_text(1).find(licence) == std::string_view::npos)
      found.push_back({source.path, 1, "the first line is not // SPDX-License-Identifier: MIT"});
  for (const auto& text : tree.texts) {
    bool script = !text.lines.empty() && (text.lines[0].starts_with("#!") || text.path.ends_with(".sh"));
    if (!script) continue;
    auto head = text.lines.begin() + std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(text.lines.size()));
    if (std::none_of(text.lines.begin(), head, [](const auto& line) { return line.find(licence) != line.npos; }))
      found.push_back({text.path, 1, "no licence line at its top"});
  }
  return found;
}

Findings pragma_once(const Tree& tree) {
  Findings found;
  for (const auto& source : tree.sources) {
    if (!source.is_header()) continue;
    auto at = source.code.find("#pragma once");
    if (at == source.code.npos)
      found.push_back({source.path, 1, "no #pragma once"});
    else if (source.code.find_first_not_of(" \n") != at)
      found.push_back({source.path, source.line_of(at), "#pragma once comes after code"});
  }
  return found;
}

}  // namespace

std::vector<Rule> header_rules() {
  return {{"licence", "every source and script has its licence line", licence_line},
          {"guard", "every header begins with #pragma once", pragma_once}};
}

}  // namespace tidy
