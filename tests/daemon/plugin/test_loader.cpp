// SPDX-License-Identifier: MIT
#include "daemon/plugin/loader.hpp"

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"

using namespace corund;

namespace {
struct Directory {
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "corund-plugins-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()));
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }
  void touch(const std::string& name) { std::ofstream(path / name) << "not an object file"; }
  std::filesystem::path path;
};
}  // namespace

TEST_CASE("plugins are found by their names, in their order, the earlier directory first") {
  Directory one, two;
  for (const char* name : {"corund-b.so", "corund-a.so", "corund-.so", "other.so", "corund-c.so.1", "corund-d.txt"}) one.touch(name);
  for (const char* name : {"corund-a.so", "corund-ab.so"}) two.touch(name);
  CHECK(plugin::find_plugins({one.path, (one.path / "missing").string(), two.path}) ==
        std::vector<std::string>{one.path / "corund-a.so", two.path / "corund-ab.so", one.path / "corund-b.so"});
}

TEST_CASE("what is no shared object is refused with the loader's words") {
  Directory directory;
  directory.touch("corund-text.so");
  job::Registry registry;
  const plugin::Loaded loaded = plugin::load_plugins({directory.path}, registry);
  CHECK(loaded.files.empty());
  REQUIRE(loaded.refused.size() == 1);
  CHECK(loaded.refused[0].file == (directory.path / "corund-text.so").string());
  CHECK(!loaded.refused[0].why.empty());
  CHECK(registry.kinds().empty());
}
