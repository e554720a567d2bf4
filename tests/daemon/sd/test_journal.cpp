// SPDX-License-Identifier: MIT
#include "daemon/sd/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "support/catch.hpp"

using namespace corund::sd;

namespace {

bool with_stderr(const std::string& stream, bool (*check)()) {
  pid_t child = ::fork();
  if (child == 0) {
    ::dup2(::open("/dev/null", O_WRONLY), 2);
    struct stat status {};
    ::fstat(2, &status);
    std::string own = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
    ::setenv("JOURNAL_STREAM", stream == "own" ? own.c_str() : stream.c_str(), 1);
    if (stream == "unset") ::unsetenv("JOURNAL_STREAM");
    ::_exit(check() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0;
}

}  // namespace

TEST_CASE("stderr is the journal's only where JOURNAL_STREAM names its very device and inode") {
  CHECK(with_stderr("own", &stderr_is_journal));
  for (const char* other : {"unset", "", "1:2", "8:", ":8", "x:y", "own:3"}) {
    INFO(other);
    CHECK(with_stderr(other, [] { return !stderr_is_journal(); }));
  }
}
