// SPDX-License-Identifier: MIT
#include "tree.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <sstream>

namespace tidy {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view code_folders[] = {"core", "daemon", "client", "config", "tests", "examples", "bench"};
constexpr std::string_view text_folders[] = {"scripts", ".ci", "systemd", "docs", "tests/systemd", "tests/tidy"};

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool is_identifier(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::string trimmed(std::string_view text) {
  auto first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

// From the raw text: a quoted name is a literal, which the blanked code no longer shows.
std::vector<Include> find_includes(const Source& source) {
  std::vector<Include> found;
  std::istringstream lines(source.text);
  std::string line;
  std::size_t offset = 0;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::size_t hash = line.find_first_not_of(" \t");
    bool is_code = hash != line.npos && source.code[offset + hash] == '#';
    offset += line.size() + 1;
    if (!is_code) continue;
    std::size_t word = line.find_first_not_of(" \t", hash + 1);
    if (word == line.npos || line.compare(word, 7, "include") != 0) continue;
    std::size_t open = line.find_first_of("<\"", word + 7);
    if (open == line.npos) continue;
    std::size_t close = line.find(line[open] == '<' ? '>' : '"', open + 1);
    if (close == line.npos) continue;
    found.push_back({number, line.substr(open + 1, close - open - 1), line[open] == '<'});
  }
  return found;
}

Text read_text(const fs::path& path, std::string name) {
  Text text{std::move(name), {}};
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) text.lines.push_back(line);
  return text;
}

}  // namespace

int Source::line_of(std::size_t offset) const {
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

std::string_view Source::line_text(int line) const {
  std::size_t begin = 0;
  for (int n = 1; n < line; ++n) {
    begin = text.find('\n', begin);
    if (begin == text.npos) return {};
    ++begin;
  }
  return std::string_view(text).substr(begin, text.find('\n', begin) - begin);
}

bool Source::is_header() const { return path.ends_with(".hpp") || path.ends_with(".h"); }

std::string blank_comments_and_literals(std::string_view text) {
  std::string out(text);
  auto blank = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < std::min(end, out.size()); ++i)
      if (out[i] != '\n') out[i] = ' ';
    return end;
  };
  auto end_of = [&](std::string_view mark, std::size_t from) {
    auto at = text.find(mark, from);
    return at == text.npos ? text.size() : at + mark.size();
  };
  for (std::size_t i = 0; i < text.size();) {
    char c = text[i], next = i + 1 < text.size() ? text[i + 1] : '\0';
    char before = i > 0 ? text[i - 1] : '\0';
    if (c == '/' && next == '/') {
      i = blank(i, std::min(text.find('\n', i), text.size()));
    } else if (c == '/' && next == '*') {
      i = blank(i, end_of("*/", i + 2));
    } else if (c == '"' && before == 'R') {
      std::size_t open = std::min(text.find('(', i), text.size());
      std::string close = ")" + std::string(text.substr(i + 1, open - i - 1)) + "\"";
      std::size_t end = end_of(close, open);
      blank(i + 1, end - 1);
      i = end;
    } else if (c == '"' || (c == '\'' && !is_identifier(before))) {  // 1'000 is a number
      std::size_t j = i + 1;
      while (j < text.size() && text[j] != c && text[j] != '\n') j += text[j] == '\\' ? 2 : 1;
      blank(i + 1, j);
      i = j + 1;
    } else {
      ++i;
    }
  }
  return out;
}

Tree read_tree(const fs::path& root, std::string_view skip) {
  Tree tree;
  tree.root = root;
  auto walk = [&](std::string_view folder, auto&& visit) {
    if (!fs::is_directory(root / folder)) return;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!entry.is_regular_file()) continue;
      std::string name = fs::relative(entry.path(), root).generic_string();
      if (!skip.empty() && name.rfind(skip, 0) == 0) continue;
      visit(entry.path(), std::move(name));
    }
  };
  for (auto folder : code_folders)
    walk(folder, [&](const fs::path& path, std::string name) {
      if (!name.ends_with(".cpp") && !name.ends_with(".hpp") && !name.ends_with(".h")) return;
      Source source{std::move(name), read_file(path), {}, {}};
      source.code = blank_comments_and_literals(source.text);
      source.includes = find_includes(source);
      tree.sources.push_back(std::move(source));
    });
  for (auto folder : text_folders)
    walk(folder, [&](const fs::path& path, std::string name) {
      if (name.ends_with(".cpp") || name.ends_with(".hpp")) return;
      tree.texts.push_back(read_text(path, std::move(name)));
    });
  if (fs::exists(root / "README.md")) tree.texts.push_back(read_text(root / "README.md", "README.md"));
  auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
  std::sort(tree.sources.begin(), tree.sources.end(), by_path);
  std::sort(tree.texts.begin(), tree.texts.end(), by_path);
  return tree;
}

std::vector<ListEntry> read_list(const Tree& tree, const std::string& path) {
  std::vector<ListEntry> entries;
  int number = 0;
  for (const auto& line : read_text(tree.root / path, path).lines) {
    ++number;
    auto hash = line.find('#');
    ListEntry entry{number, trimmed(std::string_view(line).substr(0, hash)),
                    hash == line.npos ? std::string() : trimmed(std::string_view(line).substr(hash + 1))};
    if (!entry.entry.empty()) entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace tidy
