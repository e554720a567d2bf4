// SPDX-License-Identifier: MIT
#include <corund/plugin.hpp>

namespace corund::plugin {

// "[json.exception.type_error.302] (/width) type must be number, but is string"; without a path in the first parentheses right
// after the bracket, the value as a whole is meant. A missing key is named in quotes: "... (/size) key 'x' not found".
std::string path_of(const Json::exception& error) {
  std::string_view text = error.what();
  std::string path = "args";
  std::size_t at = text.find("] ");
  if (at == std::string_view::npos) return path;
  text.remove_prefix(at + 2);
  if (text.starts_with("(/")) {
    std::size_t end = text.find(')');
    std::string_view pointer = text.substr(1, end == std::string_view::npos ? end : end - 1);
    while (!pointer.empty()) {
      pointer.remove_prefix(1);
      std::string_view part = pointer.substr(0, pointer.find('/'));
      pointer.remove_prefix(part.size());
      bool index = !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
      path += index ? "[" + std::string(part) + "]" : "." + std::string(part);
    }
  }
  std::size_t key = text.find("key '");
  if (key != std::string_view::npos && text.find("not found") != std::string_view::npos) {
    std::string_view name = text.substr(key + 5);
    path += "." + std::string(name.substr(0, name.find('\'')));
  }
  return path;
}

}  // namespace corund::plugin
