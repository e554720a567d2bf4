// SPDX-License-Identifier: MIT
#include "client/cli/completion.hpp"

#include "client/cli/options.hpp"
#include "daemon/wire/interfaces.hpp"

#include <CLI/CLI.hpp>

#include <sstream>
#include <string_view>

namespace corunctl {

namespace {

struct Line {
  const CLI::App* verb = nullptr;     // null: it is still to come
  const CLI::Option* value = nullptr;  // the option whose value is being typed
  std::size_t positionals = 0;        // before the last word
  std::size_t command = 0;            // where a command begins; 0: there is none
  std::string kind;                   // the first positional
  std::string socket;
};

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

const CLI::Option* option_of(const CLI::App& app, const std::string& word) { return app.get_option_no_throw(word.substr(0, word.find('='))); }

const CLI::App* verb_of(const CLI::App& app, const std::string& word) {
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    if (verb->get_name() == word) return verb;
  return nullptr;
}

Line read(const CLI::App& app, const std::vector<std::string>& typed) {
  Line line;
  bool is_behind_dashes = false;
  for (std::size_t i = 0; i + 1 < typed.size(); ++i) {
    const std::string& word = typed[i];
    const bool is_exec = line.verb && line.verb->get_name() == "exec";
    if (line.value) {
      if (line.value->get_name() == "--socket") line.socket = word;
      line.value = nullptr;
    } else if (word == "--" && !is_behind_dashes) {
      is_behind_dashes = true;
      if (is_exec || line.kind == "exec") line.command = i + 1;
    } else if (word.size() > 1 && word[0] == '-' && !is_behind_dashes) {
      const CLI::Option* option = option_of(line.verb ? *line.verb : app, word);
      if (option && takes_value(*option) && word.find('=') == std::string::npos) line.value = option;
    } else if (!line.verb) {
      line.verb = verb_of(app, word);
      if (!line.verb) line.command = i + 1;  // no verb of ours: there is nothing to say
    } else {
      if (is_exec) line.command = i;
      if (line.positionals++ == 0) line.kind = word;
    }
    if (line.command != 0) break;
  }
  return line;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(verb->get_name());
  return names;
}

// "TEXT:{memory,disk}" names what an option takes.
std::vector<std::string> values_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{'), close = type.find('}');
  std::vector<std::string> values;
  if (open == std::string::npos || close == std::string::npos) return values;
  std::istringstream text(type.substr(open + 1, close - open - 1));
  for (std::string value; std::getline(text, value, ',');) values.push_back(value);
  return values;
}

std::vector<std::string> methods() {
  std::vector<std::string> names;
  for (const auto& interface : corund::wire::interface_descriptions()) {
    std::istringstream text{std::string(interface.text)};
    for (std::string line; std::getline(text, line);)
      if (line.starts_with("method ")) names.push_back(std::string(interface.name) + "." + line.substr(7, line.find('(') - 7));
  }
  return names;
}

Candidates jobs_for(const std::string& verb) {
  if (verb == "cancel" || verb == "wait" || verb == "watch" || verb == "stack") return Candidates::open_jobs;
  if (verb == "retry" || verb == "remove") return Candidates::ended_jobs;
  return Candidates::all_jobs;
}

void complete_value(const CLI::Option& option, Completion& out) {
  const std::string name = option.get_name();
  if (name == "--socket") out.candidates = Candidates::files;
  else if (name == "--directory") out.candidates = Candidates::directories;
  else if (name == "--after") out.candidates = Candidates::all_jobs;
  else if (name == "--kind") out.candidates = Candidates::kinds;
  else if (name == "--group") out.candidates = Candidates::groups;
  else if (name == "--context" || name == "--drop") out.candidates = Candidates::contexts;
  else if (out.words = values_of(option); !out.words.empty()) out.candidates = Candidates::words;
}

const CLI::Option* positional_of(const CLI::App& verb, std::size_t place) {
  std::size_t at = 0;
  for (const CLI::Option* option : verb.get_options())
    if (option->get_positional() && (at++ == place || option->get_items_expected_max() > 1)) return option;
  return nullptr;
}

void complete_positional(const CLI::App& verb, std::size_t place, Completion& out) {
  const CLI::Option* option = positional_of(verb, place);
  const std::string name = option ? option->get_single_name() : "";
  if (name == "id") out.candidates = jobs_for(verb.get_name());
  else if (name == "kind") out.candidates = Candidates::kinds;
  else if (name == "group") out.candidates = Candidates::groups;
  else if (name == "method") out = {Candidates::words, methods(), 0, std::move(out.socket)};
}

}  // namespace

Completion complete(const std::vector<std::string>& typed) {
  Completion out;
  if (typed.empty()) return out;
  Options unused;
  CLI::App app;
  describe(app, unused);
  const Line line = read(app, typed);
  out.socket = line.socket;
  const std::string& last = typed.back();
  if (line.command != 0) {
    if (line.verb) out = {Candidates::command, {}, line.command, std::move(out.socket)};
  } else if (line.value) {
    complete_value(*line.value, out);
  } else if (last.starts_with('-')) {
    out = {Candidates::words, options_of(line.verb ? *line.verb : app), 0, std::move(out.socket)};
  } else if (!line.verb) {
    out = {Candidates::words, verbs_of(app), 0, std::move(out.socket)};
  } else if (line.verb->get_name() == "exec") {
    out = {Candidates::command, {}, typed.size() - 1, std::move(out.socket)};
  } else {
    complete_positional(*line.verb, line.positionals, out);
  }
  return out;
}

}  // namespace corunctl
