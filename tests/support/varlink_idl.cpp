// SPDX-License-Identifier: MIT
#include "support/varlink_idl.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace tests {
namespace {

using Kind = VarlinkType::Kind;

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  VarlinkInterface read() {
    VarlinkInterface made;
    expect("interface");
    made.name = word();
    while (next_is_there()) {
      const std::string comment = std::exchange(comment_, {});
      const std::string what = word(), name = word();
      if (what == "type") {
        keep(made.types, name, type());
      } else if (what == "error") {
        keep(made.errors, name, type());
      } else if (what == "method") {
        VarlinkMethod method;
        method.in = type();
        expect("->");
        method.out = type();
        method.requires_more = comment.find("[Requires 'more' flag]") != std::string::npos;
        method.supports_more = method.requires_more || comment.find("[Supports 'more' flag]") != std::string::npos;
        keep(made.methods, name, std::move(method));
      } else {
        fail("'" + what + "' declares nothing");
      }
    }
    return made;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw std::runtime_error("line " + std::to_string(1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n')) +
                             ": " + why);
  }

  template <class T>
  void keep(std::map<std::string, T>& into, const std::string& name, T value) {
    if (!into.emplace(name, std::move(value)).second) fail("'" + name + "' is declared twice");
  }

  // Skips space and comments; keeps the comments of the declaration to come.
  bool next_is_there() {
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '#') {
        const auto end = std::min(text_.find('\n', at_), text_.size());
        comment_ += text_.substr(at_, end - at_) + "\n";
        at_ = end;
      } else if (!std::isspace(static_cast<unsigned char>(text_[at_]))) {
        return true;
      }
    }
    return false;
  }

  bool take(std::string_view token) {
    if (!next_is_there() || text_.compare(at_, token.size(), token) != 0) return false;
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) fail("'" + std::string(token) + "' is missing");
  }

  std::string word() {
    if (!next_is_there()) fail("a name is missing");
    const auto begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_' || text_[at_] == '.')) ++at_;
    if (at_ == begin) fail("a name is missing");
    return text_.substr(begin, at_ - begin);
  }

  VarlinkType type() {
    VarlinkType made;
    made.is_nullable = take("?");
    if (take("[]") || take("[string]")) {
      made.kind = text_[at_ - 2] == '[' ? Kind::array : Kind::map;
      made.element = std::make_shared<VarlinkType>(type());
    } else if (take("(")) {
      members(made);
    } else {
      static const std::map<std::string, Kind> plain = {{"bool", Kind::boolean}, {"int", Kind::integer}, {"float", Kind::floating},
                                                        {"string", Kind::text},  {"object", Kind::object}};
      made.name = word();
      const auto known = plain.find(made.name);
      made.kind = known == plain.end() ? Kind::named : known->second;
    }
    return made;
  }

  // "name: type, ..." or "name, ...", up to the closing parenthesis.
  void members(VarlinkType& made) {
    made.kind = Kind::structure;
    if (take(")")) return;
    do {
      std::string name = word();
      if (take(":")) {
        made.fields.push_back({std::move(name), type()});
      } else {
        made.kind = Kind::choice;
        made.values.push_back(std::move(name));
      }
    } while (take(","));
    expect(")");
    if (!made.fields.empty() && !made.values.empty()) fail("fields and values in one");
  }

  const std::string& text_;
  std::size_t at_ = 0;
  std::string comment_;
};

// "io.corund.Jobs" and "Run" of "io.corund.Jobs.Run".
std::pair<std::string, std::string> split(const std::string& name) {
  const auto dot = name.rfind('.');
  return dot == std::string::npos ? std::pair{std::string(), name} : std::pair{name.substr(0, dot), name.substr(dot + 1)};
}

bool is_of(const nlohmann::json& value, Kind kind) {
  switch (kind) {
    case Kind::boolean: return value.is_boolean();
    case Kind::integer: return value.is_number_integer();
    case Kind::floating: return value.is_number();
    case Kind::text:
    case Kind::choice: return value.is_string();
    case Kind::object:
    case Kind::structure:
    case Kind::map: return value.is_object();
    case Kind::array: return value.is_array();
    case Kind::named: break;
  }
  return true;
}

}  // namespace

VarlinkInterface parse_varlink(const std::string& text) { return Parser(text).read(); }

void VarlinkInterfaces::add(const std::string& text) {
  VarlinkInterface interface = parse_varlink(text);
  interfaces_[interface.name] = std::move(interface);
}

const VarlinkMethod* VarlinkInterfaces::find_method(const std::string& name) const {
  const auto [interface, method] = split(name);
  const auto of = interfaces_.find(interface);
  if (of == interfaces_.end()) return nullptr;
  const auto found = of->second.methods.find(method);
  return found == of->second.methods.end() ? nullptr : &found->second;
}

std::string VarlinkInterfaces::misfit(const nlohmann::json& reply, const std::string& method, bool more) const {
  if (reply.contains("error")) return misfit(reply);
  for (const auto& [key, value] : reply.items())
    if (key != "parameters" && key != "continues") return key + ": no reply has that";
  if (reply.contains("continues") && reply["continues"] != true) return "continues: is not true";
  const VarlinkMethod* declared = find_method(method);
  if (!declared) return method + ": there is no such method, and it was answered";
  if (reply.contains("continues") && !(more && declared->supports_more)) return "continues: nobody asked for more";
  return misfit(reply.value("parameters", nlohmann::json::object()), declared->out, interfaces_.at(split(method).first), "parameters");
}

std::string VarlinkInterfaces::misfit(const nlohmann::json& reply) const {
  if (!reply.is_object()) return "it is no object";
  if (!reply.contains("error")) return "";
  for (const auto& [key, value] : reply.items())
    if (key != "parameters" && key != "error") return key + ": no error has that";
  return reply["error"].is_string() ? misfit_error(reply) : "error: is no string";
}

std::string VarlinkInterfaces::misfit_error(const nlohmann::json& reply) const {
  const auto [interface, name] = split(reply["error"].get<std::string>());
  const auto of = interfaces_.find(interface);
  if (of == interfaces_.end()) return "error: of an interface that is not there: " + interface;
  const auto declared = of->second.errors.find(name);
  if (declared == of->second.errors.end()) return "error: not declared: " + interface + "." + name;
  return misfit(reply.value("parameters", nlohmann::json::object()), declared->second, of->second, "parameters");
}

std::string VarlinkInterfaces::misfit(const nlohmann::json& value, const VarlinkType& type, const VarlinkInterface& of,
                                      const std::string& path) const {
  if (value.is_null()) return type.is_nullable ? "" : path + ": is null";
  if (type.kind == Kind::named) {
    const auto named = of.types.find(type.name);
    return named == of.types.end() ? path + ": no type " + type.name : misfit(value, named->second, of, path);
  }
  if (!is_of(value, type.kind)) return path + ": of the wrong type: " + value.dump();
  if (type.kind == Kind::choice && std::find(type.values.begin(), type.values.end(), value.get<std::string>()) == type.values.end())
    return path + ": no value of its choice: " + value.dump();
  if (type.kind == Kind::array || type.kind == Kind::map) {
    for (const auto& [key, element] : value.items())
      if (std::string wrong = misfit(element, *type.element, of, path + "[" + key + "]"); !wrong.empty()) return wrong;
  }
  if (type.kind != Kind::structure) return "";
  for (const auto& [name, field] : type.fields) {
    if (!value.contains(name)) {
      if (!field.is_nullable) return path + "." + name + ": is missing";
    } else if (std::string wrong = misfit(value[name], field, of, path + "." + name); !wrong.empty()) {
      return wrong;
    }
  }
  for (const auto& [key, element] : value.items())
    if (std::none_of(type.fields.begin(), type.fields.end(), [&key = key](const auto& field) { return field.name == key; }))
      return path + "." + key + ": is not declared";
  return "";
}

}  // namespace tests
