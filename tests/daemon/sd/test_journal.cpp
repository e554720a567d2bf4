// SPDX-License-Identifier: MIT
#include "daemon/sd/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "daemon/sd/console.hpp"
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

std::string text_of(std::initializer_list<std::string_view> entries) {
  std::vector<std::string_view> list(entries);
  return console_text(LogRecord{LogLevel::info, {}, list});
}

}  // namespace

TEST_CASE("stderr is the journal's only where JOURNAL_STREAM names its very device and inode") {
  CHECK(with_stderr("own", &stderr_is_journal));
  for (const char* other : {"unset", "", "1:2", "8:", ":8", "x:y", "own:3"}) {
    INFO(other);
    CHECK(with_stderr(other, [] { return !stderr_is_journal(); }));
  }
}

TEST_CASE("a console line says which job it is of, and cannot rule the terminal") {
  CHECK(text_of({"MESSAGE=Ready", "PRIORITY=6"}) == "Ready");
  CHECK(text_of({"MESSAGE=out", "CORUND_STREAM=stdout", "CORUND_KIND=exec", "CORUND_JOB_ID=01J"}) == "out [01J exec stdout]");
  CHECK(text_of({"MESSAGE=\x1b[2Jgone\nnext\xff"}) == " [2Jgone next\xEF\xBF\xBD");
  CHECK(text_of({std::string_view("MESSAGE=\xC2\x9B" "31m")}) == " 31m");
}

TEST_CASE("the target says where records go") {
  CHECK(make_backend(LogTarget::null) == nullptr);
  CHECK(make_backend(LogTarget::console) != nullptr);
  CHECK(make_backend(LogTarget::journal) != nullptr);
  CHECK(make_backend(LogTarget::automatic) != nullptr);
}

TEST_CASE("the console writes lines with time and level to stderr, plain where it is no terminal") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  int kept = ::dup(2);
  ::dup2(ends[1], 2);
  {
    Log log(console_backend());
    log.write(LogLevel::warning, "100% of {} is text", {}, {{"CORUND_JOB_ID", "01J"}});
    CHECK(log.close(std::chrono::seconds(30)));
  }
  ::dup2(kept, 2);
  ::close(kept);
  ::close(ends[1]);
  char buffer[1024];
  auto n = ::read(ends[0], buffer, sizeof buffer);
  ::close(ends[0]);
  REQUIRE(n > 0);
  std::string line(buffer, static_cast<std::size_t>(n));
  CHECK(line.substr(line.find(' ', 12) + 1) == "warning 100% of {} is text [01J]\n");
}
