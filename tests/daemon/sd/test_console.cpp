// SPDX-License-Identifier: MIT
#include "daemon/sd/console.hpp"

#include <unistd.h>

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace corund::sd;

namespace {

std::string text_of(std::initializer_list<std::string_view> entries) {
  std::vector<std::string_view> list(entries);
  return console_text(LogRecord{LogLevel::info, {}, list});
}

}  // namespace

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
