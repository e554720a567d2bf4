// SPDX-License-Identifier: MIT
#include "daemon/store/lock.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/store/trouble.hpp"
#include "store_load.hpp"
#include "support/catch.hpp"
#include "support/child_process.hpp"

using namespace corund::store;
using namespace tests;

TEST_CASE("a second opener is refused with the pid of the first", "[store]") {
  const StoreDirectory directory;
  const DirectoryLock lock(directory.path);
  const std::string pid = std::to_string(::getpid());
  CHECK(bytes_of(directory.path + "/lock") == pid + "\n");
  const auto refusal = [&] {
    try {
      const DirectoryLock second(directory.path);
    } catch (const StoreError& error) {
      return (error.trouble() == Trouble::locked ? "locked: " : "") + std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal() == "locked: another corund (pid " + pid + ") uses " + directory.path);
  const ChildEnd other = in_child([&] {
    const std::string text = refusal();
    return text.find("(pid " + pid + ")") != text.npos ? 0 : 1;
  });
  CHECK(other.exit_code == 0);
}

TEST_CASE("a store is refused the same way", "[store]") {
  const StoreDirectory directory;
  Store first(directory.options());
  try {
    Store second(directory.options());
    FAIL("two at once");
  } catch (const StoreError& error) {
    CHECK(error.trouble() == Trouble::locked);
  }
  CHECK_FALSE(first.close());
  Store third(directory.options());
}

TEST_CASE("a lock that a killed process has left behind is no obstacle", "[store]") {
  const StoreDirectory directory;
  const ChildEnd killed = in_child([&] {
    const DirectoryLock lock(directory.path);
    ::kill(::getpid(), SIGKILL);
    return 0;
  });
  CHECK(killed.signal == SIGKILL);
  CHECK(bytes_of(directory.path + "/lock") != "");
  const DirectoryLock lock(directory.path);
  CHECK(bytes_of(directory.path + "/lock") == std::to_string(::getpid()) + "\n");
}
