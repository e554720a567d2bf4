// SPDX-License-Identifier: MIT
// The include law. The table below and the one in docs/architecture.md name the same rooms; that is checked too.
#include "rules.hpp"

#include <algorithm>
#include <set>

namespace tidy {
namespace {

struct Room {
  std::string doc;                  // as docs/architecture.md names it
  std::string prefix;               // paths that belong to it; the longest prefix of a path wins
  std::vector<std::string> allows;  // beside the standard library, the system's headers and itself
};

const std::vector<Room>& rooms() {
  static const std::vector<Room> table = {
      {"core/corun/base", "core/corun/base/", {"boost/system"}},
      {"core/corun/coro", "core/corun/coro/", {"corun/base"}},
      {"core/corun/loop", "core/corun/loop/", {"corun/base", "corun/coro", "asio"}},
      {"core/corun/task", "core/corun/task/", {"corun/base", "corun/coro", "corun/loop"}},
      // The border to asio::awaitable: a task on one side, an Asio operation on the other.
      {"core/corun/task/co_spawn.*",
       "core/corun/task/co_spawn.",
       {"corun/base", "corun/coro", "corun/loop", "corun/task", "asio"}},
      {"core/corun/sync", "core/corun/sync/", {"corun/base", "corun/coro", "corun/loop", "corun/task"}},
      {"core/corun/thread", "core/corun/thread/", {"corun/base", "corun/coro", "corun/loop", "corun/task"}},
      {"core/corun/process",
       "core/corun/process/",
       {"corun/base", "corun/coro", "corun/loop", "corun/task", "asio"}},
      {"core/corun/runner.*", "core/corun/", {"corun"}},
      {"core/corun/testing", "core/corun/testing/", {"corun"}},
      {"daemon/wire", "daemon/wire/", {"corun/base"}},
      {"config", "config/", {"corun/base", "toml++"}},
      {"daemon/job", "daemon/job/", {"corun", "nlohmann"}},
      {"daemon/sd", "daemon/sd/", {"corun", "libsystemd", "spdlog", "asio"}},
      {"daemon/plugin", "daemon/plugin/", {"corun", "daemon/job", "nlohmann", "valijson"}},
      {"daemon/kinds", "daemon/kinds/", {"corun", "daemon/job", "daemon/plugin", "daemon/wire", "nlohmann"}},
      {"daemon/run", "daemon/run/", {"corun", "daemon/job", "daemon/store", "daemon/sd", "config", "nlohmann"}},
      {"daemon/store", "daemon/store/", {"corun", "sqlite"}},
      {"daemon/serve",
       "daemon/serve/",
       {"corun", "daemon/wire", "daemon/job", "daemon/run", "daemon/store", "daemon/sd", "config", "nlohmann",
        "asio"}},
      {"daemon/app.*", "daemon/", {"corun", "daemon", "config", "nlohmann", "spdlog", "cli11"}},
      {"client", "client/", {"corun/base", "daemon/wire", "config", "nlohmann", "cli11"}},
  };
  return table;
}

// "corun/base", "daemon/wire", "config", "asio", ...: what an include brings. "" for the standard library and the system.
std::string brings(const Include& include) {
  std::string_view name = include.name;
  auto under = [&](std::string_view prefix) { return name.substr(0, prefix.size()) == prefix; };
  if (under("corun/") || under("daemon/")) {
    auto second = name.find('/', name.find('/') + 1);
    return std::string(name.substr(0, second == name.npos ? name.find('/') : second));
  }
  if (under("corund/")) return "daemon/plugin";
  for (std::string_view folder : {"config", "client", "tests", "support", "bench"})
    if (under(std::string(folder) + "/")) return std::string(folder);
  if (under("boost/asio")) return "asio";
  if (under("boost/system")) return "boost/system";
  if (under("boost/")) return "boost";
  if (under("nlohmann/")) return "nlohmann";
  if (under("systemd/")) return "libsystemd";
  if (under("spdlog/") || under("fmt/")) return "spdlog";
  if (under("toml++/")) return "toml++";
  if (under("CLI/")) return "cli11";
  if (under("valijson/")) return "valijson";
  if (under("sqlite3.h")) return "sqlite";
  if (under("catch2/") || under("benchmark/")) return "tests";
  return include.angled ? "" : "?" + include.name;
}

const Room* room_of(const Source& source) {
  const Room* best = nullptr;
  for (const auto& room : rooms())
    if (source.starts_with(room.prefix) && (!best || room.prefix.size() > best->prefix.size())) best = &room;
  return best;
}

bool allowed(const Room& room, const Source& source, const std::string& what) {
  if (what.empty() || what == "boost/system") return true;
  std::string own = what.starts_with("corun") ? "core/" + what : what;
  if (own + "/" == room.prefix) return true;  // itself
  if (source.starts_with("daemon/plugin/") && what == "daemon/plugin") return true;
  return std::any_of(room.allows.begin(), room.allows.end(), [&](const std::string& allow) {
    return what == allow || (what.starts_with(allow) && what[allow.size()] == '/');
  });
}

Rule room_rule(const Room& room) {
  std::string list;
  for (const auto& allow : room.allows) list += (list.empty() ? "" : ", ") + allow;
  return {"include", room.doc + " includes only itself and " + list, [&room](const Tree& tree) {
            Findings found;
            for (const auto& source : tree.sources) {
              if (room_of(source) != &room) continue;
              for (const auto& include : source.includes) {
                auto what = brings(include);
                if (what.starts_with("?") || allowed(room, source, what)) continue;
                found.push_back({source.path, include.line, "'" + include.name + "' is not below " + room.doc});
              }
            }
            return found;
          }};
}

Findings asio_only_where_it_may_stand(const Tree& tree) {
  Findings found;
  for (const auto& source : tree.sources) {
    const Room* room = room_of(source);
    if (!room || std::count(room->allows.begin(), room->allows.end(), "asio")) continue;
    for (std::size_t at = source.code.find("asio::"); at != source.code.npos; at = source.code.find("asio::", at + 6)) {
      // The name of a type that a lower floor hands up may be passed on, not used; only a forward declaration does that.
      found.push_back({source.path, source.line_of(at), "Asio is used outside the rooms that may"});
    }
  }
  return found;
}

Findings include_strings_carry_the_floor(const Tree& tree) {
  Findings found;
  for (const auto& source : tree.sources) {
    if (!room_of(source)) continue;
    for (const auto& include : source.includes) {
      auto what = brings(include);
      if (what.starts_with("?"))
        found.push_back({source.path, include.line, "'" + include.name + "' does not say which room it is in"});
      else if (!include.angled && what.starts_with("corun"))
        found.push_back({source.path, include.line, "write <" + include.name + ">"});
      else if (include.angled && (what == "config" || what.starts_with("daemon/")) && !include.name.starts_with("corund/"))
        found.push_back({source.path, include.line, "write \"" + include.name + "\""});
    }
  }
  return found;
}

Findings documented_rooms(const Tree& tree) {
  const std::string path = "docs/architecture.md";
  std::set<std::string> expected, listed;
  for (const auto& room : rooms()) expected.insert(room.doc);
  Findings found;
  int line = 0;
  bool in_law = false;
  for (const auto& text : tree.texts) {
    if (text.path != path) continue;
    for (const auto& row : text.lines) {
      ++line;
      if (row.starts_with("## ")) in_law = row == "## Include law";
      if (!in_law || !row.starts_with("| `")) continue;
      std::string name = row.substr(3, row.find('`', 3) - 3);
      listed.insert(name);
      if (!expected.count(name)) found.push_back({path, line, "tidy does not know the room " + name});
    }
  }
  if (line == 0) return found;  // a tree without that document
  for (const auto& name : expected)
    if (!listed.count(name)) found.push_back({path, 1, "the include law's table has no row for " + name});
  return found;
}

}  // namespace

std::vector<Rule> include_rules() {
  std::vector<Rule> rules;
  for (const auto& room : rooms()) rules.push_back(room_rule(room));
  rules.push_back({"asio", "Asio stands only in core/corun/loop, core/corun/process, co_spawn, daemon/serve and daemon/sd",
                   asio_only_where_it_may_stand});
  rules.push_back({"floor", "every include string says which room it is in", include_strings_carry_the_floor});
  rules.push_back({"documented", "docs/architecture.md and tidy know the same rooms", documented_rooms});
  return rules;
}

}  // namespace tidy
