// SPDX-License-Identifier: MIT
// One spelling of Catch2 for 2.13 (Debian 12) and 3 (Debian 13), and a skip that says why.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

namespace tests {

// Marks the running test case as skipped; the runner refuses a skip whose name is not in tests/skips.txt.
void skip(std::string reason);

}  // namespace tests

// Ends the test case as skipped. Use only at the test case's own level (not inside a helper or a coroutine).
#define CORUND_SKIP(reason)  \
  do {                       \
    ::tests::skip((reason)); \
    SUCCEED();               \
    return;                  \
  } while (false)
