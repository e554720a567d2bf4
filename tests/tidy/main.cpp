// SPDX-License-Identifier: MIT
// tidy ROOT: reads the tree, one TAP line a rule.
// tidy --samples ROOT: the test of that test. ROOT is a tree of bad samples whose lines say "expect: RULE..."; each must
// be found exactly there, and nothing anywhere else.
#include "rules.hpp"

#include <cstdio>
#include <cstring>
#include <set>
#include <sstream>
#include <tuple>

namespace tidy {
namespace {

std::vector<Rule> all_rules() {
  std::vector<Rule> rules;
  for (auto make : {include_rules, header_rules, hazard_rules, house_rules})
    for (auto& rule : make()) rules.push_back(std::move(rule));
  return rules;
}

// One TAP line; returns whether it was good.
bool report(int number, const std::string& name, const Findings& found) {
  std::printf("%s %d - %s\n", found.empty() ? "ok" : "not ok", number, name.c_str());
  for (const auto& finding : found)
    std::printf("# %s:%d: %s\n", finding.path.c_str(), finding.line, finding.what.c_str());
  return found.empty();
}

bool check_tree(const std::filesystem::path& root) {
  Tree tree = read_tree(root, "tests/tidy/bad/");
  bool good = !tree.sources.empty();
  int number = 0;
  for (const auto& rule : all_rules()) good &= report(++number, rule.name, rule.check(tree));
  std::printf("1..%d\n", number);
  return good;
}

using Place = std::tuple<std::string, std::string, int>;  // rule id, path, line

void expected_in(const std::string& path, int line, std::string_view text, std::set<Place>& expected) {
  constexpr std::string_view mark = "expect: ";
  auto at = text.find(mark);
  if (at == text.npos) return;
  std::istringstream ids{std::string(text.substr(at + mark.size()))};
  for (std::string id; ids >> id;) expected.emplace(id, path, line);
}

bool check_samples(const std::filesystem::path& root) {
  Tree tree = read_tree(root, "");
  tree.lines_max = 40;
  std::set<Place> expected;
  for (const auto& source : tree.sources) {
    std::istringstream lines(source.text);
    int number = 0;
    for (std::string line; std::getline(lines, line);) expected_in(source.path, ++number, line, expected);
  }
  for (const auto& text : tree.texts) {
    int number = 0;
    for (const auto& line : text.lines) expected_in(text.path, ++number, line, expected);
  }

  // The rooms' rules share the id "include": one line for all of them.
  std::vector<std::string> ids;
  std::set<Place> seen;
  for (const auto& rule : all_rules()) {
    if (ids.empty() || ids.back() != rule.id) ids.push_back(rule.id);
    for (const auto& finding : rule.check(tree)) seen.emplace(rule.id, finding.path, finding.line);
  }
  bool good = true;
  int number = 0;
  for (const auto& id : ids) {
    Findings wrong;
    bool has_sample = false;
    for (const auto& place : expected) {
      if (std::get<0>(place) != id) continue;
      has_sample = true;
      if (!seen.count(place)) wrong.push_back({std::get<1>(place), std::get<2>(place), "expected, and not found"});
    }
    for (const auto& place : seen)
      if (std::get<0>(place) == id && !expected.count(place))
        wrong.push_back({std::get<1>(place), std::get<2>(place), "found, and not expected"});
    if (!has_sample) wrong.push_back({root.string(), 1, "there is no bad sample for this rule"});
    good &= report(++number, "the rule '" + id + "' finds its bad samples and nothing else", wrong);
  }
  std::printf("1..%d\n", number);
  return good;
}

}  // namespace
}  // namespace tidy

int main(int argc, char* argv[]) {
  if (argc == 3 && std::strcmp(argv[1], "--samples") == 0) return tidy::check_samples(argv[2]) ? 0 : 1;
  if (argc == 2) return tidy::check_tree(argv[1]) ? 0 : 1;
  std::fprintf(stderr, "usage: tidy [--samples] ROOT\n");
  return 2;
}
