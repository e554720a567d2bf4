// SPDX-License-Identifier: MIT
#include "daemon/run/groups.hpp"

#include "daemon/job/table.hpp"
#include "support/catch.hpp"

using corund::job::Job;
using corund::run::Group;
using corund::run::Groups;

TEST_CASE("a queue gives the highest priority first, then in order, and lets go of any") {
  corund::job::Table table;
  const bool all_paused = false;
  Group group("one", 1, all_paused);
  std::vector<Job*> jobs;
  for (int priority : {0, 5, 0, -5, 5}) {
    Job& job = table.add(1);
    job.spec.priority = priority;
    group.push(job);
    jobs.push_back(&job);
  }
  CHECK(group.queued() == 5);
  CHECK(group.first() == jobs[1]);
  group.remove(*jobs[2]);
  for (int expected : {1, 4, 0, 3}) CHECK(group.pop() == jobs[static_cast<std::size_t>(expected)]);
  CHECK(group.pop() == nullptr);
  CHECK(group.queued() == 0);
}

TEST_CASE("a group that nobody configured has the default's limit") {
  Groups groups({{"default", {7}}, {"exec", {2}}});
  CHECK(groups.of("exec").limit() == 2);
  CHECK(groups.of("new").limit() == 7);
  CHECK(&groups.of("new") == &groups.of("new"));
  CHECK(&groups.of("new") == groups.find("new"));
}

TEST_CASE("there is an end to groups, and those that nobody uses make room") {
  Groups groups({{"default", {7}}, {"exec", {2}}}, 4);
  groups.of("waited").count_in();
  groups.of("entered").enter();
  CHECK(groups.has_room_for({"waited", "default"}));
  CHECK_FALSE(groups.has_room_for({"one"}));
  CHECK(groups.all().size() == 4);

  groups.of("waited").count_out();
  CHECK(groups.has_room_for({"waited"}));
  CHECK(groups.find("waited"));
  CHECK_FALSE(groups.has_room_for({"one", "two"}));
  CHECK(groups.has_room_for({"one"}));
  CHECK_FALSE(groups.find("waited"));
  CHECK(groups.find("entered"));
  CHECK(groups.find("exec"));
}

TEST_CASE("what an administrator said of a group stays, until it is taken back") {
  Groups groups({{"default", {7}}, {"exec", {2}}}, 4);
  groups.of("limited").set_limit(3);
  groups.of("paused").set_paused(true);
  CHECK_FALSE(groups.has_room_for({"one"}));
  groups.find("limited")->reset_limit(groups.configured_limit("limited"));
  CHECK(groups.find("limited")->limit() == 7);
  CHECK(groups.has_room_for({"one"}));
  CHECK_FALSE(groups.find("limited"));
  CHECK(groups.find("paused"));
}

TEST_CASE("a group that the configuration no longer names goes like the others") {
  Groups groups({{"default", {7}}, {"exec", {2}}}, 2);
  CHECK_FALSE(groups.has_room_for({"one"}));
  groups.configure({{"default", {5}}});
  CHECK(groups.find("exec")->limit() == 5);
  CHECK(groups.has_room_for({"one"}));
  CHECK_FALSE(groups.find("exec"));
}
