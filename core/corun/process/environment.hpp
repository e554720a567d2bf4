// SPDX-License-Identifier: MIT
// Floor 4. What children find as their environment.
#pragma once

#include <corun/base/export.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corun {

// Variables with their values. Copies share what they were made from, so that one which is prepared once and copied for each child, with a few
// variables of the child's own, costs no more than these few.
// Errors: std::system_error (EINVAL) where a name or a value holds a zero byte. Threads: copies may be used by different ones.
class CORUN_API Environment {
 public:
  Environment();  // without any variable
  Environment(const std::map<std::string, std::string>& variables);

  // One that is there already is replaced.
  void set(std::string_view name, std::string_view value);
  void unset(std::string_view name);

  // A variable's value, or nothing. Lifetime: until the next change.
  std::optional<std::string_view> find(std::string_view name) const noexcept;

  // "NAME=value" of each, in no order. Lifetime: until the next change.
  std::vector<const char*> entries() const;

 private:
  struct Variable {
    std::string entry;  // "NAME=value"
    std::size_t name_bytes;
    bool is_set;        // false: taken away
    std::string_view name() const noexcept { return std::string_view(entry).substr(0, name_bytes); }
    std::string_view value() const noexcept { return std::string_view(entry).substr(name_bytes + 1); }
  };
  static Variable make(std::string_view name, std::string_view value, bool is_set);
  static const Variable* find_in(const std::vector<Variable>& variables, std::string_view name) noexcept;
  void put(Variable variable);

  std::shared_ptr<const std::vector<Variable>> prepared_;  // the last copy is the last one out
  std::vector<Variable> changes_;                          // laid over it; one for each name
};

}  // namespace corun
