// SPDX-License-Identifier: MIT
// The fuzz target's corpus as a test: every file, cut in every size up to a few cache lines.
#include "fuzz/frame_oracle.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

std::vector<std::filesystem::path> corpus_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(CORUND_SOURCE_ROOT "/tests/fuzz/corpus/frame"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("the codec keeps its promises for every file of the fuzz corpus, however it is cut") {
  auto files = corpus_files();
  REQUIRE(files.size() >= 40);
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    INFO(file.filename().string());
    for (std::size_t chunk = 1; chunk <= std::min<std::size_t>(bytes.size() + 1, 200); ++chunk)
      REQUIRE(tests::broken_promise(bytes, chunk) == "");
  }
}
