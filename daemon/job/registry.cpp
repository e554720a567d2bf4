// SPDX-License-Identifier: MIT
#include "daemon/job/registry.hpp"

#include <algorithm>
#include <corun/base/errors.hpp>

namespace corund::job {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 128 && is_letter(name[0]) && std::ranges::all_of(name, [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
}

}  // namespace

Kind make_kind(std::string_view name, KindBody body, ArgsCheck check, const KindOptions& options) {
  Kind kind;
  kind.name = name;
  kind.body = std::move(body);
  kind.check = std::move(check);
  kind.summary = options.summary;
  kind.args_schema = options.args_schema;
  kind.result_schema = options.result_schema;
  kind.timeout = options.timeout;
  kind.grace = options.grace;
  kind.group = options.group;
  kind.journal_all = options.journal_all;
  return kind;
}

void Registry::check(const Kind& kind) const {
  if (!is_name(kind.name)) throw corun::ValueError("'" + kind.name + "' is no name for a kind");
  if (kinds_.contains(kind.name))
    throw corun::ValueError("there is a kind '" + kind.name + "' already (" + kinds_.find(kind.name)->second.origin + ")");
}

const Kind& Registry::add(Kind kind) {
  check(kind);
  std::string name = kind.name;
  return kinds_.emplace(std::move(name), std::move(kind)).first->second;
}

const Kind* Registry::find(std::string_view name) const noexcept {
  auto at = kinds_.find(name);
  return at == kinds_.end() ? nullptr : &at->second;
}

const Kind& Registry::missing(std::string_view name) {
  auto [at, is_new] = missing_.try_emplace(std::string(name));
  if (is_new) at->second.name = name;
  return at->second;
}

void Registry::change_all(const std::function<void(Kind&)>& change) {
  for (auto& [name, kind] : kinds_) change(kind);
}

void Registry::merge(Registry&& other) {
  for (const auto& [name, kind] : other.kinds_) check(kind);
  kinds_.merge(other.kinds_);
  std::ranges::move(other.start_, std::back_inserter(start_));
  std::ranges::move(other.stop_, std::back_inserter(stop_));
}

}  // namespace corund::job
