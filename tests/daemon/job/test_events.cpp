// SPDX-License-Identifier: MIT
#include "daemon/job/events.hpp"

#include "support/catch.hpp"

using corund::job::Event;
using corund::job::EventLog;

namespace {
Event event(std::string text) {
  Event e;
  e.text = std::move(text);
  return e;
}
}  // namespace

TEST_CASE("events are read by their number, and the oldest fall out") {
  EventLog log;
  std::uint64_t next = 0;
  CHECK(log.from(next) == nullptr);
  for (std::size_t i = 0; i < EventLog::events_max + 10; ++i) log.add(event(std::to_string(i)));
  REQUIRE(log.from(next) != nullptr);
  CHECK(next == 10);
  CHECK(log.from(next)->text == "10");
  CHECK(log.dropped() == 10);
  next = EventLog::events_max + 10;
  CHECK(log.from(next) == nullptr);
  log.add(event("new"));
  REQUIRE(log.from(next) != nullptr);
  CHECK(log.from(next)->text == "new");
}

TEST_CASE("large events are held within bounds too, and the last one always stays") {
  EventLog log;
  for (int i = 0; i < 100; ++i) log.add(event(std::string(10'000, 'x')));
  CHECK(log.bytes() <= EventLog::bytes_max);
  log.add(event(std::string(2 * EventLog::bytes_max, 'y')));
  std::uint64_t next = 0;
  REQUIRE(log.from(next) != nullptr);
  CHECK(log.from(next)->text[0] == 'y');
}
