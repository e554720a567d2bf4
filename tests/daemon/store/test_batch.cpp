// SPDX-License-Identifier: MIT
#include "daemon/store/batch.hpp"

#include <string>

#include "store_load.hpp"
#include "support/catch.hpp"

using namespace corund::store;
using namespace tests;

TEST_CASE("a batch keeps copies, in their order", "[store]") {
  Batch batch;
  CHECK(batch.empty());
  std::string args = "first";
  JobRow row = job_row(1);
  row.args = args;
  batch.add(row);
  args = "other";
  batch.add(outcome_row(1));
  batch.forget(7);
  REQUIRE(batch.changes().size() == 2);
  CHECK(std::get<JobRow>(batch.changes()[0]).args == "first");
  CHECK(std::get<OutcomeRow>(batch.changes()[1]).stdout_tail == outcome_row(1).stdout_tail);
  CHECK(batch.forgotten() == std::vector<Seq>{7});
  CHECK(batch.submissions() > 0);
  CHECK_FALSE(batch.empty());
}

TEST_CASE("what is tried again of a batch that failed is all but its submissions, before what is new",
          "[store]") {
  Batch failed, fresh, next;
  failed.add(job_row(1));
  failed.add(ended_attempt_row(5));
  failed.forget(2);
  fresh.add(job_row(3));
  next.add_facts_of(failed);
  next.add_all_of(fresh);
  failed.clear();
  fresh.clear();
  REQUIRE(next.changes().size() == 2);
  CHECK(std::get<AttemptRow>(next.changes()[0]).error_message == "it failed");
  CHECK(std::get<JobRow>(next.changes()[1]).seq == 3);
  CHECK(next.forgotten() == std::vector<Seq>{2});
}

TEST_CASE("a batch that is used again uses its memory again", "[store]") {
  Batch batch;
  const auto fill = [&] {
    for (int i = 0; i < 2000; ++i) batch.add(job_row(i));  // some blocks of text
  };
  fill();
  const void* changes = batch.changes().data();
  const void* first = std::get<JobRow>(batch.changes().front()).id.data();
  const void* last = std::get<JobRow>(batch.changes().back()).id.data();
  batch.clear();
  CHECK(batch.empty());
  CHECK(batch.submissions() == 0);
  fill();
  CHECK(batch.changes().data() == changes);
  CHECK(std::get<JobRow>(batch.changes().front()).id.data() == first);
  CHECK(std::get<JobRow>(batch.changes().back()).id.data() == last);
}

TEST_CASE("texts of every length are copied whole", "[store]") {
  Arena arena;
  std::vector<std::pair<std::string, std::string_view>> copies;
  for (std::size_t size = 0; size < 200'000; size = size * 2 + 1) {
    std::string text(size, static_cast<char>('a' + size % 26));
    const std::string_view copy = arena.copy(text);
    copies.emplace_back(std::move(text), copy);
  }
  for (int i = 0; i < 100; ++i) {
    std::string text(10'000, static_cast<char>('a' + i % 26));
    const std::string_view copy = arena.copy(text);
    copies.emplace_back(std::move(text), copy);
  }
  for (const auto& [text, copy] : copies) CHECK(text == copy);
}
