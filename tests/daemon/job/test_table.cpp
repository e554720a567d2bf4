// SPDX-License-Identifier: MIT
#include "daemon/job/table.hpp"

#include "support/catch.hpp"

using namespace corund::job;

namespace {

constexpr std::int64_t now = 1'700'000'000'000'000;

Job& ended(Table& table, std::int64_t at = now) {
  Job& job = table.add(at);
  table.change(job, State::running, at);
  job.record().outcome.state = State::succeeded;
  table.change(job, State::succeeded, at);
  return job;
}

std::vector<Ulid> walk(Table& table, Table::Cursor::Direction direction) {
  std::vector<Ulid> ids;
  Table::Cursor cursor(table, direction);
  while (Job* job = cursor.next()) ids.push_back(job->id);
  return ids;
}

}  // namespace

TEST_CASE("a job is found by its id until its record is dropped") {
  Table table({.memory_records = 2});
  const Ulid first = ended(table).id;
  CHECK(table.find(first));
  CHECK(table.find(first.to_string()) == table.find(first));
  CHECK_FALSE(table.find("nonsense"));
  ended(table);
  const Ulid third = ended(table).id;
  CHECK_FALSE(table.find(first));
  CHECK(table.find(third));
  CHECK(table.size() == 2);
}

TEST_CASE("jobs that are not over are never dropped") {
  Table table({.memory_records = 1});
  std::vector<Ulid> live;
  for (int i = 0; i < 100; ++i) live.push_back(table.add(now).id);
  for (int i = 0; i < 100; ++i) ended(table);
  for (const Ulid& id : live) CHECK(table.find(id));
  CHECK(table.size() == 101);
}

TEST_CASE("counts follow the states: what is, and what has been") {
  Table table({.memory_records = 1});
  for (int i = 0; i < 5; ++i) ended(table);
  Job& job = table.add(now);
  auto count = [&](State state) { return table.counts()[static_cast<std::size_t>(state)]; };
  CHECK(count(State::queued) == 1);
  CHECK(count(State::succeeded) == 5);
  table.change(job, State::running, now);
  CHECK(count(State::queued) == 0);
  CHECK(count(State::running) == 1);
  table.discard(table.add(now));
  CHECK(count(State::queued) == 0);
}

TEST_CASE("a pinned job keeps its memory after its record is dropped") {
  Table table({.memory_records = 1});
  Job& job = ended(table);
  job.record().outcome.reason = "still here";
  {
    JobRef pin(job);
    JobRef copy = pin;
    ended(table);
    CHECK_FALSE(table.find(job.id));
    for (int i = 0; i < 1000; ++i) ended(table);
    CHECK(copy->record().outcome.reason == "still here");
  }
  Job& next = ended(table);
  CHECK(next.record().outcome.reason.empty());
}

TEST_CASE("records are dropped by age and by bytes") {
  Table table({.memory_records = 1000, .age = std::chrono::seconds(10), .bytes = 100'000});
  const Ulid old = ended(table, now).id;
  const Ulid young = ended(table, now + 8'000'000).id;
  table.expire(now + 11'000'000);
  CHECK_FALSE(table.find(old));
  CHECK(table.find(young));
  for (int i = 0; i < 50; ++i) {
    Job& job = table.add(now + 9'000'000);
    job.spec.args.assign(std::string(10'000, 'x'));
    table.change(job, State::running, now);
    table.change(job, State::failed, now + 9'000'000);
  }
  CHECK(table.size() <= 10);
}

TEST_CASE("a walk meets all jobs in the order of their ids, forwards and backwards") {
  Table table;
  std::vector<Ulid> ids;
  for (int i = 0; i < 300; ++i) ids.push_back(i % 3 ? ended(table).id : table.add(now).id);
  CHECK(walk(table, Table::Cursor::Direction::oldest_first) == ids);
  std::reverse(ids.begin(), ids.end());
  CHECK(walk(table, Table::Cursor::Direction::newest_first) == ids);
}

TEST_CASE("a walk stays good while jobs come and go under it") {
  Table table({.memory_records = 3});
  Job& live = table.add(now);
  for (int i = 0; i < 3; ++i) ended(table);
  Table::Cursor cursor(table, Table::Cursor::Direction::oldest_first), other(table, Table::Cursor::Direction::oldest_first);
  CHECK(cursor.next() == &live);
  for (int i = 0; i < 3; ++i) ended(table);  // all that were ended before are gone
  int met = 0;
  while (cursor.next()) ++met;
  CHECK(met == 3);
  const Ulid late = ended(table).id;
  Job* last = cursor.next();
  REQUIRE(last);
  CHECK(last->id == late);
  CHECK(cursor.next() == nullptr);
  CHECK(other.next() == &live);  // two walks do not meet each other
}

TEST_CASE("a hundred thousand jobs are found among each other") {
  Table table;
  std::vector<Ulid> ids;
  for (int i = 0; i < 100'000; ++i) ids.push_back(table.add(now + i).id);
  for (const Ulid& id : ids) REQUIRE(table.find(id)->id == id);
}
