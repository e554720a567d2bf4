// SPDX-License-Identifier: MIT
// A file is parsed to a tree, the tree is walked once: a leaf that the schema knows is read, any other node is a fault. Files are laid
// over each other by reading them one after another into the same Config.
#include "config/load.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <tuple>

#include "config/paths.hpp"
#include "config/schema.hpp"

namespace corund::config {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> group_names(const toml::table& root) {
  std::vector<std::string> names;
  if (const toml::table* groups = root["groups"].as_table())
    for (const auto& [name, node] : *groups) names.emplace_back(name.str());
  return names;
}

// A kind's name may have dots in it, which make tables of it where it is not in quotes.
void add_kind_names(const toml::table& table, const std::string& prefix, std::vector<std::string>& names) {
  for (const auto& [name, node] : table) {
    const std::string full = prefix + std::string(name.str());
    if (const toml::table* inner = node.as_table())
      add_kind_names(*inner, full + ".", names);
    else
      names.push_back(full);
  }
}

std::vector<std::string> kind_names(const toml::table& root) {
  std::vector<std::string> names;
  if (const toml::table* kinds = root["access"]["kinds"].as_table()) add_kind_names(*kinds, "", names);
  return names;
}

bool is_table_name(const std::string& name, const std::vector<Key>& keys) {
  return name == "groups" || name == "access.kinds" ||
         std::any_of(keys.begin(), keys.end(), [&](const Key& key) { return key.name.starts_with(name + "."); });
}

class Reader {
 public:
  Reader(Config& config, const toml::table& root, const std::string& file, Faults& faults)
      : keys_(keys_of(config, group_names(root), kind_names(root))), file_(file), faults_(faults) {
    walk(root, "");
  }

 private:
  const Key* find(const std::string& name) const {
    auto it = std::find_if(keys_.begin(), keys_.end(), [&](const Key& key) { return key.name == name; });
    return it == keys_.end() ? nullptr : &*it;
  }

  void fault(const toml::source_region& where, const std::string& key, std::string reason) {
    faults_.push_back({file_, where.begin.line, key, std::move(reason)});
  }

  void walk(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      std::string name = prefix + std::string(key.str());
      if (const Key* known = find(name)) {
        known->read(node, [&](const toml::node& where, std::string reason) { fault(where.source(), name, std::move(reason)); });
      } else if (is_table_name(name, keys_) || (prefix == "groups." && node.is_table())) {
        if (const toml::table* inner = node.as_table())
          walk(*inner, name + ".");
        else
          fault(key.source(), name, "must be a table: [" + name + "]");
      } else {
        std::string meant = suggestion(name, keys_);
        fault(key.source(), name,
              std::string(node.is_table() ? "there is no such table" : "there is no such key") +
                  (meant.empty() || node.is_table() ? "" : "; did you mean " + meant + "?"));
      }
    }
  }

  std::vector<Key> keys_;
  const std::string& file_;
  Faults& faults_;
};

void apply(std::string_view text, const std::string& file, Config& config, Faults& faults) {
  try {
    const toml::table root = toml::parse(text, file);
    Faults found;
    Reader(config, root, file, found);
    std::sort(found.begin(), found.end(),
              [](const Fault& a, const Fault& b) { return std::tie(a.line, a.key) < std::tie(b.line, b.key); });
    faults.insert(faults.end(), found.begin(), found.end());
  } catch (const toml::parse_error& error) {
    faults.push_back({file, error.source().begin.line, "", std::string(error.description())});
  }
}

corun::Result<Config, Faults> finish(Config config, Faults faults) {
  if (faults.empty()) return config;
  return faults;
}

// Nothing, and why in errno, where it cannot be read.
std::optional<std::string> read_file(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();  // sets the failbit for an empty file, which is none
  if (in.bad()) return std::nullopt;
  return text.str();
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

}  // namespace

std::string to_string(const Fault& fault) {
  std::string text = fault.file;
  if (fault.line) text += ":" + std::to_string(fault.line);
  if (!fault.key.empty()) text += ": " + fault.key;
  return text + ": " + fault.reason;
}

corun::Result<Config, Faults> parse(std::string_view text, const std::string& file) {
  Config config;
  Faults faults;
  apply(text, file, config, faults);
  return finish(std::move(config), std::move(faults));
}

corun::Result<Config, Faults> load(const std::vector<std::string>& files) {
  Config config;
  Faults faults;
  for (const std::string& file : files) {
    std::error_code ignored;
    if (fs::is_directory(file, ignored))
      faults.push_back({file, 0, "", "is a directory"});
    else if (auto text = read_file(file))
      apply(*text, file, config, faults);
    else
      faults.push_back({file, 0, "", std::string("cannot be read: ") + std::strerror(errno ? errno : EIO)});
  }
  return finish(std::move(config), std::move(faults));
}

std::vector<std::string> system_roots() { return {"/etc", "/run", "/usr/lib"}; }

std::vector<std::string> user_roots() {
  // user_config_path() is ROOT/corund/corund.toml.
  return {fs::path(user_config_path()).parent_path().parent_path().string()};
}

std::vector<std::string> configuration_files(const std::vector<std::string>& roots) {
  std::vector<std::string> files;
  for (const fs::path root : roots)
    if (auto main = root / "corund" / "corund.toml"; is_there(main)) {
      files.push_back(main.string());
      break;
    }
  std::map<std::string, std::string> drop_ins;
  for (const fs::path root : roots) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root / "corund" / "corund.toml.d", error)) {
      std::error_code ignored;
      std::string name = entry.path().filename().string();
      if (entry.path().extension() == ".toml" && !name.starts_with('.') && !entry.is_directory(ignored))
        drop_ins.try_emplace(name, entry.path().string());
    }
  }
  for (auto& [name, path] : drop_ins) files.push_back(path);
  return files;
}

std::vector<std::string> default_configuration_files() {
  if (std::string given = configuration_directory(); !given.empty()) {
    std::string root = fs::path(given).parent_path().string();
    return configuration_files(root == "/etc" ? system_roots() : std::vector<std::string>{root});
  }
  return configuration_files(::geteuid() == 0 ? system_roots() : user_roots());
}

}  // namespace corund::config
