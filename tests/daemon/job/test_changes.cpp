// SPDX-License-Identifier: MIT
#include "daemon/job/changes.hpp"

#include "daemon/job/table.hpp"
#include "support/catch.hpp"

using namespace corund::job;

namespace {

std::vector<std::string> states(Changes::Reader& reader) {
  std::vector<std::string> all;
  while (const Change* change = reader.next()) all.emplace_back(name(change->state));
  return all;
}

}  // namespace

TEST_CASE("readers get the changes from their making on, each at its own pace") {
  Table table;
  Job& before = table.add(1);
  table.announce(before);
  Changes::Reader first(table.changes());
  Job& job = table.add(2);
  job.spec.owner = 7;
  job.spec.group = "mine";
  CHECK_FALSE(first.has_next());  // not before it is taken
  table.announce(job);
  const Change* change = first.next();
  REQUIRE(change);
  CHECK(change->id == job.id_view());
  CHECK(change->owner == 7);
  CHECK(change->group == "mine");
  CHECK(change->timestamp_us == 2);
  Changes::Reader second(table.changes());
  job.make_running();
  table.change(job, State::running, 3);
  table.change(job, State::succeeded, 4);
  CHECK(states(first) == std::vector<std::string>{"running", "succeeded"});
  table.change(before, State::cancelled, 5);
  CHECK(states(second) == std::vector<std::string>{"running", "succeeded", "cancelled"});
  CHECK(states(first) == std::vector<std::string>{"cancelled"});
}

TEST_CASE("a reader that falls behind knows, and the others go on") {
  Table table;
  table.changes().set_max(100);
  Changes::Reader slow(table.changes());
  Changes::Reader quick(table.changes());
  for (std::size_t i = 0; i < table.changes().max(); ++i) {
    Job& job = table.add(1);
    table.announce(job);
    CHECK(quick.next());
    table.discard(job);
  }
  CHECK_FALSE(slow.is_behind());
  table.announce(table.add(1));
  CHECK(slow.is_behind());
  CHECK(slow.next() == nullptr);
  CHECK(quick.next());
  CHECK_FALSE(quick.is_behind());
}

TEST_CASE("nothing is kept where nobody reads") {
  Table table;
  {
    Changes::Reader reader(table.changes());
    table.announce(table.add(1));
    Changes::Reader moved(std::move(reader));
    CHECK(table.changes().is_read());
    CHECK(moved.has_next());
  }
  CHECK_FALSE(table.changes().is_read());
  Changes::Reader later(table.changes());
  CHECK_FALSE(later.has_next());
  table.announce(table.add(1));
  CHECK(later.has_next());
  CHECK_FALSE(later.is_behind());
  table.changes().close();
  CHECK(later.is_closed());
  CHECK(later.next());  // what had happened is told first
}
