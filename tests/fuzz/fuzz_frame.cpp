// SPDX-License-Identifier: MIT
// libFuzzer's door to the oracle. A crash becomes a file of corpus/frame with a name that says what it is.
#include "fuzz/frame_oracle.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::size_t chunk = size == 0 ? 1 : 1 + (data[0] + data[size - 1] + size) % 19;
  auto broken = tests::broken_promise(bytes, chunk);
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s\n", broken.c_str());
  std::abort();
}
