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

TEST_CASE("a group that nobody configured has the default's limit, and there is an end to them") {
  Groups groups({{"default", {7}}, {"exec", {2}}});
  CHECK(groups.of("exec")->limit() == 2);
  CHECK(groups.of("new")->limit() == 7);
  CHECK(groups.of("new") == groups.of("new"));
  for (std::size_t i = 0; i < Groups::groups_max; ++i) groups.of("g" + std::to_string(i));
  CHECK(groups.all().size() == Groups::groups_max);
  CHECK(groups.of("one more") == nullptr);
  CHECK(groups.of("exec") != nullptr);
}
