// SPDX-License-Identifier: MIT
// The tree as the tidy rules see it: every source file with its comments and literals blanked out, so that a rule about
// code does not stumble over prose. Reads files and judges nothing; the rules are in rules.hpp.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tidy {

struct Finding {
  std::string path;
  int line = 1;
  std::string what;
};
using Findings = std::vector<Finding>;

struct Include {
  int line = 0;
  std::string name;  // without its quotes or brackets
  bool angled = false;
};

// A C++ file. `code` has the length and line breaks of `text`; comments and the insides of literals are spaces in it.
struct Source {
  std::string path;  // from the root, with '/'
  std::string text;
  std::string code;
  std::vector<Include> includes;

  int line_of(std::size_t offset) const;
  std::string_view line_text(int line) const;  // of `text`
  bool is_header() const;
  bool starts_with(std::string_view prefix) const { return std::string_view(path).substr(0, prefix.size()) == prefix; }
};

// Any other text file: scripts, units, documents, lists.
struct Text {
  std::string path;
  std::vector<std::string> lines;
};

struct Tree {
  std::filesystem::path root;
  int lines_max = 450;
  std::vector<Source> sources;
  std::vector<Text> texts;

  bool exists(const std::string& path) const { return std::filesystem::exists(root / path); }
};

// What tidy looks at below `root`; `skip` is a folder, from the root, that is left out ("" for none).
Tree read_tree(const std::filesystem::path& root, std::string_view skip);

// A list file: lines "entry  # reason". Lines that are empty or only a comment are left out.
struct ListEntry {
  int line = 0;
  std::string entry, reason;
};
std::vector<ListEntry> read_list(const Tree&, const std::string& path);

// `text` with comments and the contents of string and character literals (raw ones too) replaced by spaces.
std::string blank_comments_and_literals(std::string_view text);

}  // namespace tidy
