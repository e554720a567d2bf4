// SPDX-License-Identifier: MIT
#include "client/advice.hpp"

#include "daemon/wire/interfaces.hpp"
#include "support/catch.hpp"

#include <regex>

using namespace corunctl;

namespace {

Answer error(const std::string& name, const std::string& parameters) { return {name, parameters, false}; }

Answer failed(const std::string& result) {
  return error("io.corund.Jobs.JobFailed", R"({"id":"J1","type":"ExitStatus","message":"m","result":)" + result + "}");
}

}  // namespace

TEST_CASE("a command's exit code and signal are the client's") {
  CHECK(exit_code_of({"", "{}", false}) == 0);
  CHECK(exit_code_of(failed(R"({"exitCode":3,"wallSeconds":1.5})")) == 3);
  CHECK(exit_code_of(failed(R"({"exitCode":1})")) == 1);
  CHECK(exit_code_of(failed(R"({"signal":"SIGKILL"})")) == 137);
  CHECK(exit_code_of(failed(R"({"signal":"signal 40"})")) == 168);
  CHECK(exit_code_of(failed(R"({"signal":"SIGNONSENSE"})")) == 1);
  CHECK(exit_code_of(failed("{}")) == 1);
  CHECK(exit_code_of(error("io.corund.Jobs.JobFailed", R"({"id":"J1","type":"std::runtime_error","message":"m"})")) == 1);
  CHECK(exit_code_of(error("io.corund.Jobs.JobTimedOut", R"({"id":"J1","timeout":1.0})")) == 124);
  CHECK(exit_code_of(error("io.corund.Jobs.WaitTimedOut", R"({"id":"J1"})")) == 124);
  CHECK(exit_code_of(error("io.corund.Jobs.JobCancelled", R"({"id":"J1"})")) == 130);
  CHECK(exit_code_of(error("io.corund.Jobs.JobLost", R"({"id":"J1"})")) == 1);
  CHECK(exit_code_of(error("io.corund.Jobs.KindNotFound", R"({"kind":"x"})")) == 125);
  CHECK(exit_code_of(error("com.example.Unknown", "{}")) == 125);
}

TEST_CASE("a record's exit code is that of the job that it is of") {
  CHECK(exit_code_of_job(R"({"state":"succeeded","result":{"exitCode":0}})") == 0);
  CHECK(exit_code_of_job(R"({"state":"failed","result":{"exitCode":7}})") == 7);
  CHECK(exit_code_of_job(R"({"state":"failed","result":{"signal":"SIGTERM"}})") == 143);
  CHECK(exit_code_of_job(R"({"state":"failed","result":null})") == 1);
  CHECK(exit_code_of_job(R"({"state":"failed"})") == 1);
  CHECK(exit_code_of_job(R"({"state":"timedOut","result":{"signal":"SIGTERM"}})") == 124);
  CHECK(exit_code_of_job(R"({"state":"cancelled"})") == 130);
  CHECK(exit_code_of_job(R"({"state":"lost"})") == 1);
  // As from Run, which answers DependencyFailed.
  CHECK(exit_code_of_job(R"({"state":"cancelled","errorType":"DependencyFailed","errorMessage":"J0"})") == 1);
}

TEST_CASE("every error of the interfaces is put into words, and so is one that is not known") {
  int count = 0;
  for (const auto& interface : corund::wire::interface_descriptions()) {
    std::string text(interface.text);
    std::regex declared("\nerror ([A-Za-z]+) ");
    for (std::sregex_iterator at(text.begin(), text.end(), declared), end; at != end; ++at, ++count) {
      std::string name = std::string(interface.name) + "." + (*at)[1].str();
      INFO(name);
      std::string words = explain(error(name, "{}"));
      CHECK_FALSE(words.empty());
      CHECK(words.find(name) == std::string::npos);
    }
  }
  CHECK(count > 20);
  CHECK(explain(error("com.example.Odd", R"({"a":1})")) == R"(the daemon answered com.example.Odd {"a":1})");
}

TEST_CASE("words carry the parameters") {
  CHECK(explain(error("io.corund.Jobs.JobCancelled", R"({"id":"J1","reason":"tired"})")) == "job J1 was cancelled: tired");
  CHECK(explain(error("io.corund.Jobs.JobCancelled", R"({"id":"J1","reason":null})")) == "job J1 was cancelled");
  CHECK(explain(error("org.varlink.service.InvalidParameter", R"({"parameter":"args.argv[2]"})")).find("'args.argv[2]'") == 0);
}

TEST_CASE("what to do about a full disk and a daemon that stops depends on what was asked for") {
  auto says = [](const std::string& name, const std::string& method, const std::string& words) {
    std::string text = explain({name, R"({"message":"disk I/O error"})", false, method});
    INFO(text);
    return text.find(words) != text.npos;
  };
  CHECK(says("io.corund.Jobs.StoreFull", "io.corund.Jobs.Submit", ": disk I/O error. "));
  CHECK(says("io.corund.Jobs.StoreFull", "io.corund.Jobs.Submit", "--ack memory"));
  CHECK_FALSE(says("io.corund.Jobs.StoreFull", "io.corund.Daemon.Pause", "--ack memory"));
  CHECK(says("io.corund.Jobs.Draining", "io.corund.Jobs.Run", "takes nothing new"));
  CHECK(says("io.corund.Jobs.Draining", "io.corund.Jobs.Wait", "successor"));
  CHECK(says("io.corund.Jobs.Draining", "io.corund.Daemon.Resume", "only a restart"));
  CHECK(says("org.varlink.service.InvalidParameter", "io.corund.Jobs.Wait", "''"));
}
