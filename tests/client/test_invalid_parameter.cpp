// SPDX-License-Identifier: MIT
#include "client/invalid_parameter.hpp"

#include "support/catch.hpp"

using corunctl::explain_invalid;

namespace {

bool says(const std::string& method, const std::string& parameter, const std::string& words) {
  const std::string text = explain_invalid("io.corund." + method, parameter);
  INFO(text);
  CHECK(text.starts_with("'" + parameter + "' "));
  CHECK(text.find("  ") == text.npos);
  return text.find(words) != text.npos;
}

}  // namespace

TEST_CASE("what is wrong with a parameter is told by the call that it was in") {
  CHECK(says("Jobs.Run", "args.limits.memory", "Delegate=yes"));
  CHECK(says("Jobs.Submit", "args.limits.tasks", "Delegate=yes"));
  CHECK(says("Jobs.Submit", "args.argv[2]", "corunctl kinds KIND"));
  CHECK(says("Jobs.Submit", "ack", "--ack memory"));
  CHECK(says("Jobs.Submit", "after", "--ack disk"));
  CHECK(says("Jobs.Submit", "after[3]", "not the id of a job"));
  CHECK(says("Jobs.Run", "labels.a.b", "64 labels"));
  CHECK(says("Jobs.Wait", "timeout", "seconds"));
  CHECK(says("Daemon.SetLogLevel", "level", "from 0 to 7"));
  CHECK_FALSE(says("Daemon.SetLogLevel", "level", "kinds"));
  CHECK(says("Daemon.SetGroup", "limit", "-1"));
  CHECK(says("Jobs.Show", "id", "corunctl list"));
}

TEST_CASE("the jobs of one call are told apart by the path alone") {
  CHECK(says("Jobs.SubmitMany", "jobs[12].args.limits.memory", "Delegate=yes"));
  CHECK(says("Jobs.SubmitMany", "jobs[0].key", "by itself"));
  CHECK(says("Jobs.Submit", "key", "256 bytes"));
  CHECK(says("Jobs.SubmitMany", "jobs[10000]", "10000"));
}

TEST_CASE("of a parameter that no row has, the interface is named that has the method") {
  CHECK(says("Daemon.Drain", "speed", "unknown to Drain"));
  CHECK(says("Daemon.Drain", "speed", "interface=io.corund.Daemon'"));
  CHECK(explain_invalid("", "x") == "'x' is missing, unknown, or not what it should be.");
}
