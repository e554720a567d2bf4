// SPDX-License-Identifier: MIT
// What the journal's records say. Which ones there are, and how they read, is tried against a real journald: tests/systemd/checks.sh.
#include "daemon/run/journal.hpp"

#include "../sd/log_capture.hpp"
#include "daemon/job/registry.hpp"
#include "daemon/job/table.hpp"
#include "daemon/sd/message_ids.hpp"
#include "support/catch.hpp"

using namespace corund;

namespace {

struct Told {
  tests::LogCapture capture;
  sd::Log log{capture.backend()};
  run::Journal journal{log, 100};
  job::Table table{{}};
  job::Kind kind;

  Told() {
    kind.name = "echo";
    kind.group = "default";
  }
  job::Job& job(uid_t owner = 0, std::string_view group = "default") {
    job::Job& job = table.add(1);
    job.spec.kind = &kind;
    job.spec.owner = owner;
    job.spec.group = group;
    return job;
  }
};

}  // namespace

TEST_CASE("the record of a submission says whose job it is, of which kind and where, however many there were alike or others") {
  Told told;
  std::vector<job::Job*> jobs;
  // More kinds of records than the journal keeps forms of, and each one again.
  for (int round = 0; round < 3; ++round)
    for (uid_t owner = 1000; owner < 1006; ++owner)
      for (std::string_view group : {"default", "slow", "a group with a name that is much longer"}) jobs.push_back(&told.job(owner, group));
  for (job::Job* job : jobs) told.journal.submitted(*job);
  std::string message_id = "MESSAGE_ID=";
  message_id += sd::message_ids::job_submitted.hex;
  const auto records = told.capture.wait_for(jobs.size());
  REQUIRE(records.size() == jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const job::Job& job = *jobs[i];
    CAPTURE(i);
    REQUIRE(records[i].level == sd::LogLevel::info);
    REQUIRE(records[i].entries == std::vector<std::string>{"MESSAGE=echo submitted", "PRIORITY=6",
                                                           message_id,
                                                           "CORUND_JOB_ID=" + std::string(job.id_view()), "CORUND_KIND=echo", "CORUND_STATE=queued",
                                                           "CORUND_OWNER_UID=" + std::to_string(job.spec.owner), "CORUND_GROUP=" + std::string(job.spec.group)});
  }
}

TEST_CASE("a job that differs by more than its id from one before it is told with what it differs by") {
  Told told;
  job::Job &plain = told.job(), &labelled = told.job(), &delayed = told.job(), &child = told.job();
  labelled.spec.make_extras().labels = {{"customer", "7"}};
  delayed.state = job::State::delayed;
  child.parent = plain.id;
  for (job::Job* job : {&plain, &labelled, &delayed, &child, &plain}) told.journal.submitted(*job);
  const auto records = told.capture.wait_for(5);
  REQUIRE(records.size() == 5);
  CHECK(records[1].find("CORUND_LABELS") == "customer=7");
  CHECK(records[2].find("CORUND_STATE") == "delayed");
  CHECK(records[3].find("CORUND_PARENT_ID") == plain.id_view());
  for (std::size_t like : {0u, 2u, 4u}) {
    CHECK(records[like].find("CORUND_LABELS").empty());
    CHECK(records[like].find("CORUND_PARENT_ID").empty());
  }
  CHECK(records[0].entries == records[4].entries);
}
