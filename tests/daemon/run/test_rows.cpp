// SPDX-License-Identifier: MIT
#include "daemon/run/rows.hpp"

#include "daemon/job/kind.hpp"
#include "daemon/job/table.hpp"
#include "support/catch.hpp"

using namespace corund;
using namespace std::chrono_literals;

namespace {

job::Kind kind_named(std::string name) {
  job::Kind kind;
  kind.name = std::move(name);
  return kind;
}

}  // namespace

TEST_CASE("a job comes back from its row as it was") {
  job::Table table;
  const job::Kind kind = kind_named("resize");
  job::Job& job = table.add(1'700'000'000'000'000);
  job.seq = 42;
  job.eligible_us = job.submitted_us + 5;
  job.spec.kind = &kind;
  job.spec.args.assign(R"({"a":[1,2,{"b":"ü"}]})");
  job.spec.group = "images";
  job.spec.timeout = 1500ms;
  job.spec.grace = 0s;
  job.spec.priority = -7;
  job.spec.owner = 1000;
  job.spec.attached = true;
  job.spec.context = job::ContextChoice::named;
  job::SpecExtras& extras = job.spec.make_extras();
  extras.context_name = "mine";
  extras.labels = {{"a", "1"}, {"b", "zwei"}};
  extras.after = {job::Ulid(1, 2), job::Ulid(3, 4)};
  extras.key = "once \"only\"";
  extras.retry = job::RetryPolicy{7, 250ms, 1.5};

  const std::string options = run::options_text(job.spec);
  const store::JobRow row = run::job_row(job, options);
  CHECK(row.kind == "resize");
  job::Job& back = table.add(1);
  run::read_job(row, back);
  CHECK(back.seq == 42);
  CHECK(back.submitted_us == job.submitted_us);
  CHECK(back.eligible_us == job.eligible_us);
  CHECK(back.spec.args.view() == job.spec.args.view());
  CHECK(back.spec.group == "images");
  CHECK(back.spec.timeout == job.spec.timeout);
  CHECK(back.spec.grace == job.spec.grace);
  CHECK(back.spec.priority == -7);
  CHECK(back.spec.owner == 1000);
  CHECK(back.spec.attached);
  CHECK(back.spec.ack == job::Ack::disk);
  CHECK(back.spec.context == job::ContextChoice::named);
  CHECK(back.spec.context_text() == "mine");
  CHECK(back.spec.labels() == extras.labels);
  CHECK(back.spec.extras().after == extras.after);
  CHECK(back.spec.extras().key == extras.key);
  CHECK(back.spec.extras().retry == extras.retry);
}

TEST_CASE("a submission that says nothing more has no options in its row") {
  job::JobSpec spec;
  CHECK(run::options_text(spec).empty());
  job::JobSpec back;
  run::read_options("", back);
  CHECK(back.extras().empty());
  // What a later version may add.
  run::read_options(R"({"colour":"red","timeout":1})", back);
  CHECK(back.timeout == 1s);
}

TEST_CASE("options that are no options are an error, not a guess") {
  job::JobSpec spec;
  CHECK_THROWS(run::read_options("{", spec));
  CHECK_THROWS(run::read_options(R"({"timeout":"soon"})", spec));
}

TEST_CASE("what an attempt used comes back, and what was not measured stays away") {
  job::Usage usage;
  CHECK(run::usage_text(usage).empty());
  usage.steps = 3;
  usage.loop_seconds = 0.25;
  usage.longest_step_seconds = 0.125;
  usage.cpu_seconds = 1.5;
  const job::Usage back = run::read_usage(run::usage_text(usage));
  CHECK(back.steps == 3);
  CHECK(back.loop_seconds == 0.25);
  CHECK(back.longest_step_seconds == 0.125);
  CHECK(back.cpu_seconds == 1.5);
  CHECK_FALSE(back.max_rss_kib.has_value());
  CHECK(back.thread_seconds == 0);
}

TEST_CASE("what an attempt used says where its longest step was and which plugin ran") {
  job::Usage usage;
  CHECK(run::usage_text(usage, "abc") == R"({"buildId":"abc"})");
  usage.steps = 1;
  CHECK(corund::Json::parse(run::usage_text(usage)).contains("longestStepAt") == false);  // its first step
  usage.longest_step_at = std::source_location::current();
  const std::string place = run::place_text(usage.longest_step_at);
  CHECK(place.ends_with("test_rows.cpp:" + std::to_string(usage.longest_step_at.line())));
  CHECK(corund::Json::parse(run::usage_text(usage))["longestStepAt"] == place);
}

TEST_CASE("an outcome comes back with bytes that are no text") {
  job::Table table;
  job::Job& job = table.add(1);
  job.seq = 9;
  job::Record& record = job.record();
  record.outcome.state = job::State::timed_out;
  record.outcome.result.assign(R"({"x":1})");
  record.outcome.error_type = "TimeoutError";
  record.outcome.error_message = "late";
  record.outcome.reason = "its time is over";
  record.leftovers = {"one", "two \"2\""};
  record.stdout_tail = std::string("a\0\xff", 3);
  const std::string leftovers = run::names_text(record.leftovers);
  const store::OutcomeRow row = run::outcome_row(job, 77, leftovers);
  CHECK(row.seq == 9);
  CHECK(row.ended_us == 77);
  job::Record back;
  run::read_outcome(row, back);
  CHECK(back.outcome.state == job::State::timed_out);
  CHECK(back.outcome.result.view() == record.outcome.result.view());
  CHECK(back.outcome.error_message == "late");
  CHECK(back.outcome.reason == record.outcome.reason);
  CHECK(back.leftovers == record.leftovers);
  CHECK(back.stdout_tail == record.stdout_tail);
}
