// SPDX-License-Identifier: MIT
// What must hold of the wire's codec for any bytes whatever. The fuzz target asks it about what it makes up, a test about the corpus.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tests {

// A sentence about the first promise broken by `bytes`, taken as what a connection sends, in pieces of `chunk` bytes; empty where all are kept.
std::string broken_promise(std::string_view bytes, std::size_t chunk);

}  // namespace tests
