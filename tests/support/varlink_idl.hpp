// SPDX-License-Identifier: MIT
// Interface descriptions as a program of somebody else reads them: what a reply or an error must look like by its .varlink file. Written from
// varlink.org's grammar, and knows nothing of the daemon's own code.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tests {

struct VarlinkField;

struct VarlinkType {
  enum class Kind { boolean, integer, floating, text, object, structure, choice, array, map, named };
  Kind kind = Kind::object;
  bool is_nullable = false;
  std::string name;                                          // of named
  std::vector<VarlinkField> fields;                          // of structure
  std::vector<std::string> values;                           // of choice
  std::shared_ptr<VarlinkType> element;                      // of array and map
};

struct VarlinkField {
  std::string name;
  VarlinkType type;
};

struct VarlinkMethod {
  VarlinkType in, out;
  bool supports_more = false;  // or requires it, as its comment says
  bool requires_more = false;
};

struct VarlinkInterface {
  std::string name;
  std::map<std::string, VarlinkType> types;
  std::map<std::string, VarlinkMethod> methods;
  std::map<std::string, VarlinkType> errors;
};

// Errors: std::runtime_error with the line.
VarlinkInterface parse_varlink(const std::string& text);

class VarlinkInterfaces {
 public:
  void add(const std::string& text);
  const std::map<std::string, VarlinkInterface>& all() const noexcept { return interfaces_; }
  // By full name; null: there is none.
  const VarlinkMethod* find_method(const std::string& name) const;

  // What is wrong with a reply to a call of that method, envelope and all, that had `more` or not; "" where nothing is.
  std::string misfit(const nlohmann::json& reply, const std::string& method, bool more) const;
  // The same where it is not known what was called: only an error can be judged.
  std::string misfit(const nlohmann::json& reply) const;

 private:
  std::string misfit_error(const nlohmann::json& reply) const;
  std::string misfit(const nlohmann::json& value, const VarlinkType& type, const VarlinkInterface& of, const std::string& path) const;

  std::map<std::string, VarlinkInterface> interfaces_;
};

}  // namespace tests
