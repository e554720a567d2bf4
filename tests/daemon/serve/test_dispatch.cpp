// SPDX-License-Identifier: MIT
#include "daemon/serve/dispatch.hpp"

#include <set>
#include <sstream>

#include "daemon/wire/interfaces.hpp"
#include "support/catch.hpp"

TEST_CASE("the table of methods is what the interfaces declare") {
  std::set<std::string> declared, present;
  for (const auto& interface : corund::wire::interface_descriptions()) {
    std::istringstream text{std::string(interface.text)};
    for (std::string line; std::getline(text, line);)
      if (line.starts_with("method ")) declared.insert(std::string(interface.name) + "." + line.substr(7, line.find('(') - 7));
  }
  for (const auto& method : corund::serve::method_table()) present.insert(std::string(method.name));
  CHECK(declared == present);
}

TEST_CASE("a method needs `more` where its description says so") {
  for (const auto& method : corund::serve::method_table()) {
    const std::string name(method.name);
    const auto dot = name.rfind('.');
    const std::string text(corund::wire::interface_description(name.substr(0, dot)));
    const auto at = text.find("method " + name.substr(dot + 1) + "(");
    REQUIRE(at != std::string::npos);
    // Its comment is what stands between the last empty line and it.
    const auto begin = text.rfind("\n\n", at);
    INFO(name);
    CHECK(method.requires_more == (text.substr(begin, at - begin).find("[Requires 'more' flag]") != std::string::npos));
  }
}
