// SPDX-License-Identifier: MIT
#include "daemon/sd/record.hpp"

#include <cctype>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "daemon/sd/message_ids.hpp"
#include "support/catch.hpp"

using namespace corund::sd;

TEST_CASE("a field's value is a text or any integer") {
  CHECK(Field("A", "text").value() == "text");
  CHECK(Field("A", std::string_view("x\0y", 3)).value().size() == 3);
  CHECK(Field("A", 0).value() == "0");
  CHECK(Field("A", -42).value() == "-42");
  CHECK(Field("A", UINT64_MAX).value() == "18446744073709551615");
  CHECK(Field("A", INT64_MIN).value() == "-9223372036854775808");
  Field copy = Field("A", 7);
  CHECK(copy.value() == "7");
}

TEST_CASE("a record's fields are found by their whole name") {
  const std::array<std::string_view, 4> entries = {"MESSAGE=a=b", "PRIORITY=6", "CORUND_JOB_ID=1", "CORUND_JOB=2"};
  LogRecord record{LogLevel::info, {}, entries};
  CHECK(record.message() == "a=b");
  CHECK(record.find("CORUND_JOB") == "2");
  CHECK(record.find("CORUND_JOB_ID") == "1");
  CHECK(record.find("CORUND").empty());
}

TEST_CASE("every message id is 32 lower-case hexadecimal digits and stands for one event only") {
  std::ifstream in(std::string(CORUND_SOURCE_ROOT) + "/daemon/sd/message_ids.hpp");
  std::ostringstream text;
  text << in.rdbuf();
  const std::string source = text.str();
  std::set<std::string> ids;
  std::regex constant("inline constexpr MessageId ([a-z_]+)\\{\"([^\"]*)\"\\}");
  for (std::sregex_iterator it(source.begin(), source.end(), constant), end; it != end; ++it) {
    INFO((*it)[1].str());
    CHECK(std::regex_match((*it)[2].str(), std::regex("[0-9a-f]{32}")));
    CHECK(ids.insert((*it)[2].str()).second);
  }
  CHECK(ids.size() >= 11);
  CHECK(ids.count(message_ids::job_failed.hex) == 1);
}
