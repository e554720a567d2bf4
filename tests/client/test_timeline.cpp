// SPDX-License-Identifier: MIT
#include "client/timeline.hpp"

#include "support/catch.hpp"

#include <string>

using namespace corunctl;

namespace {

constexpr std::int64_t second = 1'000'000, begin = 1'760'000'000 * second;

Json job(const char* id, const char* state, std::int64_t submitted, std::int64_t started, std::int64_t ended) {
  Json made = {{"id", id}, {"kind", "exec"}, {"state", state}, {"submittedUSec", begin + submitted}, {"startedUSec", nullptr}, {"endedUSec", nullptr}};
  made["attempts"] = Json::array();
  if (started >= 0) {
    made["startedUSec"] = begin + started;
    made["attempts"].push_back({{"number", 1}, {"startedUSec", begin + started}, {"endedUSec", nullptr}, {"state", nullptr}});
  }
  if (ended >= 0) {
    made["endedUSec"] = begin + ended;
    made["attempts"].back()["endedUSec"] = begin + ended;
    made["attempts"].back()["state"] = state;
  }
  return made;
}

std::size_t count(const std::string& text, const std::string& piece) {
  std::size_t found = 0;
  for (std::size_t at = text.find(piece); at != text.npos; at = text.find(piece, at + 1)) ++found;
  return found;
}

// The x and width of the n-th bar; the first rectangle is the background.
std::pair<double, double> bar(const std::string& svg, std::size_t n) {
  std::size_t at = svg.find("<rect ");
  while (n-- > 0) at = svg.find("<rect ", at + 1);
  REQUIRE(at != svg.npos);
  auto number = [&](const char* name) { return std::stod(svg.substr(svg.find(name, at) + std::string(name).size())); };
  return {number(" x=\""), number(" width=\"")};
}

}  // namespace

TEST_CASE("a job is a line: how long it waited, and each attempt where it was") {
  const std::string svg = timeline_svg({job("A", "succeeded", 0, 2 * second, 6 * second), job("B", "running", 4 * second, 5 * second, -1)}, begin + 10 * second);
  CHECK(svg.starts_with("<svg "));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(count(svg, "<g>") == 2);
  CHECK(count(svg, "<rect ") == 5);
  CHECK(svg.find("A  exec") < svg.find("B  exec"));
  CHECK(svg.find("waited 2s, took 4s") != svg.npos);
  const auto [waiting, whole] = bar(svg, 1);
  const auto [first, four_seconds] = bar(svg, 2);
  const auto [second_job, six_seconds] = bar(svg, 3);
  const auto [running, five_seconds] = bar(svg, 4);
  CHECK(whole == Approx(four_seconds * 6 / 4).margin(0.2));
  CHECK(first - waiting == Approx(four_seconds / 2).margin(0.2));
  CHECK(second_job - waiting == Approx(four_seconds).margin(0.2));
  CHECK(five_seconds == Approx(four_seconds * 5 / 4).margin(0.2));  // it goes on until now
  CHECK(running + five_seconds == Approx(second_job + six_seconds).margin(0.2));
}

TEST_CASE("what a job is called cannot break the picture") {
  Json odd = job("<\"&>", "failed", 0, 1, 2);
  odd["errorMessage"] = "</title>\x1b[31m";
  const std::string svg = timeline_svg({odd}, begin + second);
  CHECK(svg.find("&lt;&quot;&amp;&gt;  exec") != svg.npos);
  CHECK(svg.find("&lt;/title&gt;^[[31m</title>") != svg.npos);
}

TEST_CASE("no jobs, and jobs that took no time, are pictures too") {
  CHECK(timeline_svg({}, begin).find("0 jobs") != std::string::npos);
  const std::string svg = timeline_svg({job("A", "queued", 0, -1, -1)}, begin);
  CHECK(count(svg, "<rect ") == 2);
  CHECK(bar(svg, 1).second > 0);
}
