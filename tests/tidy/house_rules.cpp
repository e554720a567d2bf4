// SPDX-License-Identifier: MIT
// The house: a room has its test and a bearable length, things have one name, and what is pointed at exists.
#include "rules.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <regex>
#include <set>

namespace tidy {
namespace {

const std::string unpaired_list = "tests/tidy/unpaired.txt";
const std::string long_list = "tests/tidy/long.txt";

// Calls check(entry) for each entry of a list; entries need a reason.
template <class Check>
void each_entry(const Tree& tree, const std::string& path, Findings& found, Check check) {
  for (const auto& entry : read_list(tree, path)) {
    if (entry.reason.empty()) found.push_back({path, entry.line, entry.entry + " has no reason: entry  # reason"});
    check(entry);
  }
}

bool is_room(const Source& source) {
  if (!source.is_header()) return false;
  if (source.path.find("/pch/") != source.path.npos || source.path.ends_with("_impl.hpp")) return false;
  return source.starts_with("core/") || source.starts_with("daemon/") || source.starts_with("config/");
}

std::string noun_of(std::string_view path) {
  auto name = path.substr(path.rfind('/') + 1);
  return std::string(name.substr(0, name.rfind('.')));
}

std::string folder_of(std::string_view path) {
  auto folder = path.substr(0, path.rfind('/'));
  return std::string(folder.substr(folder.rfind('/') + 1));  // all of it where there is no '/'
}

// A room's test is test_NOUN.cpp in the half that the room is in (config belongs to the daemon's), directly, or in a folder
// named like one that the room is in.
bool is_test_of(const Source& test, const Source& room) {
  const bool in_core = room.starts_with("core/");
  if (in_core != test.starts_with("tests/core/")) return false;
  const std::string folder = folder_of(test.path);
  if (folder == "core" || folder == "daemon" || folder == "integration") return true;
  return ("/" + room.path).find("/" + folder + "/") != std::string::npos;
}

Findings rooms_have_tests(const Tree& tree) {
  std::map<std::string, std::vector<const Source*>> tests;  // by noun
  for (const auto& source : tree.sources)
    if (std::string noun = noun_of(source.path); source.starts_with("tests/") && noun.starts_with("test_"))
      tests[noun.substr(5)].push_back(&source);
  std::map<std::string, bool> without_test;  // room -> excused
  for (const auto& source : tree.sources) {
    if (!is_room(source)) continue;
    const auto& named = tests[noun_of(source.path)];
    if (std::none_of(named.begin(), named.end(), [&](const Source* test) { return is_test_of(*test, source); }))
      without_test[source.path] = false;
  }
  Findings found;
  each_entry(tree, unpaired_list, found, [&](const ListEntry& entry) {
    auto room = without_test.find(entry.entry);
    if (room == without_test.end())
      found.push_back({unpaired_list, entry.line, entry.entry + " has a test, or is no room: drop the entry"});
    else
      room->second = true;
  });
  for (const auto& [path, is_excused] : without_test)
    if (!is_excused)
      found.push_back({path, 1, "no test_" + noun_of(path) + ".cpp below tests/, and not in " + unpaired_list});
  return found;
}

Findings lengths(const Tree& tree) {
  Findings found;
  std::map<std::string, int> too_long;
  for (const auto& source : tree.sources) {
    int lines = source.line_of(source.text.size()) - 1;
    if (lines > tree.lines_max) too_long[source.path] = lines;
  }
  std::set<std::string> excused;
  each_entry(tree, long_list, found, [&](const ListEntry& entry) {
    if (!too_long.count(entry.entry))
      found.push_back({long_list, entry.line, entry.entry + " is no longer too long: drop the entry"});
    excused.insert(entry.entry);
  });
  for (const auto& [path, lines] : too_long)
    if (!excused.count(path))
      found.push_back({path, tree.lines_max + 1,
                       std::to_string(lines) + " lines, more than " + std::to_string(tree.lines_max) +
                           ": is there a second noun inside?"});
  return found;
}

// A word that has another name here, as a part of an identifier (recv_packet, PacketQueue).
struct Word {
  std::string never, rather;
};
const std::vector<Word>& words() {
  static const std::vector<Word> table = {
      {"packet", "Frame"}, {"fiber", "Task"}, {"fibre", "Task"}, {"response", "Reply"}, {"asyncfunction", "Coro"},
  };
  return table;
}

Findings vocabulary(const Tree& tree) {
  Findings found;
  for (const auto& source : tree.sources) {
    if (source.starts_with("tests/") || source.starts_with("bench/")) continue;
    const auto& code = source.code;
    for (std::size_t at = 0; at < code.size();) {
      if (!std::isalpha(static_cast<unsigned char>(code[at])) && code[at] != '_') {
        ++at;
        continue;
      }
      std::size_t end = at;
      std::string folded;
      while (end < code.size() && (std::isalnum(static_cast<unsigned char>(code[end])) || code[end] == '_')) {
        if (code[end] != '_') folded += static_cast<char>(std::tolower(static_cast<unsigned char>(code[end])));
        ++end;
      }
      for (const auto& word : words())
        if (folded.find(word.never) != folded.npos)
          found.push_back({source.path, source.line_of(at),
                           "'" + code.substr(at, end - at) + "': the word here is " + word.rather});
      at = end;
    }
  }
  return found;
}

Findings man_pages(const Tree& tree) {
  static const std::regex page(R"(\b(corund?|corunctl|corund\.toml|io\.corund\.[A-Za-z]+)\*?\(([1-8])\))");
  static const std::regex documentation(R"(man:([A-Za-z0-9._-]+)\(([1-8])\))");
  Findings found;
  for (const auto& text : tree.texts) {
    if (text.path.starts_with("tests/")) continue;
    int number = 0;
    for (const auto& line : text.lines) {
      ++number;
      for (const auto* pattern : {&page, &documentation})
        for (std::sregex_iterator it(line.begin(), line.end(), *pattern), end; it != end; ++it) {
          std::string file = "docs/man/" + (*it)[1].str() + "." + (*it)[2].str() + ".scd";
          bool ours = pattern == &page || (*it)[1].str().starts_with("coru");
          if ((pattern == &page || !std::regex_match((*it)[0].str().substr(4), page)) && ours && !tree.exists(file))
            found.push_back({text.path, number, (*it)[0].str() + " is mentioned, and there is no " + file});
        }
    }
  }
  return found;
}

// Each message id of the daemon is explained in the journal's catalog, and the catalog explains no other.
Findings message_ids(const Tree& tree) {
  const std::string ids_path = "daemon/sd/message_ids.hpp", catalog_path = "systemd/corund.catalog";
  static const std::regex constant(R"re(MessageId (\w+)\{"([^"]*)"\})re"), entry("^-- ([0-9a-f]{32})( .*)?$");
  std::map<std::string, int> explained;  // id -> line of the catalog
  for (const auto& text : tree.texts)
    if (text.path == catalog_path)
      for (std::size_t i = 0; i < text.lines.size(); ++i)
        if (std::smatch match; std::regex_match(text.lines[i], match, entry)) explained[match[1]] = static_cast<int>(i) + 1;
  Findings found;
  for (const auto& source : tree.sources) {
    if (source.path != ids_path) continue;
    for (std::sregex_iterator it(source.text.begin(), source.text.end(), constant), end; it != end; ++it) {
      int line = source.line_of(static_cast<std::size_t>(it->position()));
      if (!explained.erase((*it)[2]))
        found.push_back({ids_path, line, (*it)[1].str() + " has no entry in " + catalog_path});
    }
  }
  for (const auto& [id, line] : explained) found.push_back({catalog_path, line, "no event has this id"});
  return found;
}

// Each field that the daemon gives a record of its own, and each variable that it reads or sets, is in its man page: who reads a journal looks there.
Findings journal_fields(const Tree& tree) {
  const std::string page_path = "docs/man/corund.8.scd";
  static const std::regex literal(R"re("(CORUND_[A-Z_]+)[="])re"), documented(R"(\*(CORUND_[A-Z_]+)\*)");
  std::set<std::string> known;
  for (const auto& text : tree.texts)
    if (text.path == page_path)
      for (const auto& line : text.lines)
        for (std::sregex_iterator it(line.begin(), line.end(), documented), end; it != end; ++it) known.insert((*it)[1]);
  Findings found;
  for (const auto& source : tree.sources) {
    if (!source.path.starts_with("daemon/")) continue;
    for (std::sregex_iterator it(source.text.begin(), source.text.end(), literal), end; it != end; ++it)
      if (!known.contains((*it)[1]))
        found.push_back({source.path, source.line_of(static_cast<std::size_t>(it->position())),
                         (*it)[1].str() + " is not described in " + page_path});
  }
  return found;
}

}  // namespace

std::vector<Rule> house_rules() {
  return {{"pairing", "every room has its test", rooms_have_tests},
          {"length", "no file is longer than its limit", lengths},
          {"word", "nothing is called by a second name", vocabulary},
          {"catalog", "every message id has its entry in the journal's catalog", message_ids},
          {"field", "every field of the journal's records is in corund(8)", journal_fields},
          {"man", "every man page that is mentioned exists", man_pages}};
}

}  // namespace tidy
