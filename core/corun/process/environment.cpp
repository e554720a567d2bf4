// SPDX-License-Identifier: MIT
// The changes are few and are looked through for each prepared variable; a sorted structure would have to be made for each child.
#include <corun/process/environment.hpp>

#include <cerrno>
#include <system_error>
#include <utility>

namespace corun {

Environment::Variable Environment::make(std::string_view name, std::string_view value, bool is_set) {
  Variable variable{{}, name.size(), is_set};
  variable.entry.reserve(name.size() + 1 + value.size());
  variable.entry.append(name).append(1, '=').append(value);
  // It would cut the entry where the kernel stops reading.
  if (variable.entry.find('\0') != std::string::npos)
    throw std::system_error(EINVAL, std::generic_category(), "a variable of the environment holds a zero byte");
  return variable;
}

const Environment::Variable* Environment::find_in(const std::vector<Variable>& variables, std::string_view name) noexcept {
  for (const Variable& variable : variables)
    if (variable.name_bytes == name.size() && variable.entry.starts_with(name)) return &variable;
  return nullptr;
}

Environment::Environment() : prepared_(std::make_shared<const std::vector<Variable>>()) {}

Environment::Environment(const std::map<std::string, std::string>& variables) {
  std::vector<Variable> prepared;
  prepared.reserve(variables.size());
  for (const auto& [name, value] : variables) prepared.push_back(make(name, value, true));
  prepared_ = std::make_shared<const std::vector<Variable>>(std::move(prepared));
}

void Environment::put(Variable variable) {
  if (const Variable* former = find_in(changes_, variable.name()))
    changes_[static_cast<std::size_t>(former - changes_.data())] = std::move(variable);
  else
    changes_.push_back(std::move(variable));
}

void Environment::set(std::string_view name, std::string_view value) { put(make(name, value, true)); }

void Environment::unset(std::string_view name) { put(make(name, {}, false)); }

std::optional<std::string_view> Environment::find(std::string_view name) const noexcept {
  const Variable* found = find_in(changes_, name);
  if (!found) found = find_in(*prepared_, name);
  return found && found->is_set ? std::optional(found->value()) : std::nullopt;
}

std::vector<const char*> Environment::entries() const {
  std::vector<const char*> list;
  list.reserve(prepared_->size() + changes_.size() + 1);
  for (const Variable& variable : *prepared_)
    if (!find_in(changes_, variable.name())) list.push_back(variable.entry.c_str());
  for (const Variable& variable : changes_)
    if (variable.is_set) list.push_back(variable.entry.c_str());
  return list;
}

}  // namespace corun
