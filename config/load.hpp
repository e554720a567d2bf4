// SPDX-License-Identifier: MIT
// From TOML files to a Config, or to everything that is wrong with them at once. What the keys are is schema's.
#pragma once

#include <corun/base/result.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace corund::config {

// One thing wrong. line is 0 where none is to blame (a file that cannot be read), key is dotted and empty for a fault of syntax.
struct Fault {
  std::string file;
  std::size_t line = 0;
  std::string key;
  std::string reason;
  bool operator==(const Fault&) const = default;
};
using Faults = std::vector<Fault>;

// "FILE:LINE: KEY: REASON", without the parts that are empty.
std::string to_string(const Fault& fault);

// The defaults with what `text` says. `file` names it in faults. Errors: all faults, in the order of lines; of faults of syntax
// the first only, since what follows it cannot be read.
corun::Result<Config, Faults> parse(std::string_view text, const std::string& file);

// The same for files: each one is laid over those before it, key by key (an array replaces an array). No files: the defaults.
// Errors: the faults of all files; a file that cannot be read is one.
corun::Result<Config, Faults> load(const std::vector<std::string>& files);

// Where configuration is looked for: roots in falling precedence, each of which may hold corund/corund.toml and
// corund/corund.toml.d/*.toml.
std::vector<std::string> system_roots();  // /etc, /run, /usr/lib
std::vector<std::string> user_roots();    // $XDG_CONFIG_HOME

// The files to load from these roots, in the order to lay them: the main file of the first root that has one, then the drop-ins of
// all roots sorted by basename, where of two with the same basename the earlier root's counts. An empty file, or a link to
// /dev/null, so masks one of a later root. Directories that are not there or cannot be read count as empty.
// Source: the UAPI group's specification of configuration files (UAPI.6).
std::vector<std::string> configuration_files(const std::vector<std::string>& roots);

// What a daemon started without --config reads: where systemd says (configuration_directory()), else the system's roots for euid 0,
// else the user's.
std::vector<std::string> default_configuration_files();

}  // namespace corund::config
