// SPDX-License-Identifier: MIT
#include "client/cli/options.hpp"

#include "client/failure.hpp"
#include "support/catch.hpp"

using namespace corunctl;

namespace {

Options parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "corunctl");
  int code = 0;
  auto options = parse_options(static_cast<int>(words.size()), words.data(), code);
  REQUIRE(options);
  return *options;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a command's own options are left to it") {
  CHECK(parsed({"exec", "ls", "-l", "--json"}).command.argv == Words{"ls", "-l", "--json"});
  CHECK(parsed({"exec", "-d", "--timeout", "5", "sh", "-c", "x y"}).command.argv == Words{"sh", "-c", "x y"});
  CHECK(parsed({"exec", "--", "ls", "--", "-l"}).command.argv == Words{"ls", "--", "-l"});
  CHECK(parsed({"exec", "--", "--odd"}).command.argv == Words{"--odd"});
  CHECK(parsed({"exec", "git", "checkout", "--", "file"}).command.argv == Words{"git", "checkout", "--", "file"});
  CHECK(parsed({"exec", "exec", "run"}).command.argv == Words{"exec", "run"});
  CHECK_THROWS_AS(parsed({"exec", "--bogus", "ls"}), Failure);
  CHECK_THROWS_AS(parsed({"exec"}), Failure);
  CHECK_THROWS_AS(parsed({"exec", "--"}), Failure);
}

TEST_CASE("exec's options come before the command") {
  Options options = parsed({"--json", "exec", "--detach", "--timeout", "5min", "--env", "A=1", "--env", "B", "--no-env", "-C", "/tmp", "--label", "x=y", "true"});
  CHECK(options.verb == Verb::exec);
  CHECK(options.kind == "exec");
  CHECK(options.json);
  CHECK(options.detach);
  CHECK(options.job.timeout == "5min");
  CHECK(options.command.env == Words{"A=1", "B"});
  CHECK_FALSE(options.command.whole_environment);
  CHECK(options.command.directory == "/tmp");
  CHECK(options.job.labels == Words{"x=y"});
  CHECK(options.command.argv == Words{"true"});
}

TEST_CASE("submit takes a kind and args, or a command behind two dashes") {
  Options job = parsed({"submit", "--delay", "3", "sleep", "seconds=1"});
  CHECK(job.kind == "sleep");
  CHECK(job.words == Words{"seconds=1"});
  CHECK(job.command.argv.empty());
  Options args = parsed({"submit", "exec", "shell=ls"});
  CHECK(args.words == Words{"shell=ls"});
  CHECK(args.command.argv.empty());
  Options command = parsed({"submit", "--priority=-5", "exec", "--", "git", "checkout", "--", "x"});
  CHECK(command.command.argv == Words{"git", "checkout", "--", "x"});
  CHECK(command.job.priority == -5);
  CHECK_THROWS_AS(parsed({"submit", "exec", "a=1", "--", "ls"}), Failure);
}

TEST_CASE("a word in a verb's place that is none is named, and the verb that it may be") {
  auto told = [](std::vector<const char*> words) -> std::string {
    try {
      parsed(std::move(words));
    } catch (const Failure& failure) {
      return failure.what();
    }
    return {};
  };
  auto says = [&](std::vector<const char*> words, const std::string& text) { return told(std::move(words)).starts_with(text); };
  CHECK(says({"drain2"}, "there is no verb 'drain2'; is it 'drain'?\n"));
  CHECK(says({"--json", "sumbit", "echo"}, "there is no verb 'sumbit'; is it 'submit'?\n"));
  CHECK(says({"--socket", "/x", "stauts", "--more"}, "there is no verb 'stauts'; is it 'status'?\n"));
  CHECK(says({"frobnicate", "drain"}, "there is no verb 'frobnicate'\n"));
}

TEST_CASE("run takes key=value also behind two dashes") {
  CHECK(parsed({"run", "echo", "x=1", "y=2"}).words == Words{"x=1", "y=2"});
  CHECK(parsed({"run", "echo", "--", "--x=1"}).words == Words{"--x=1"});
}

TEST_CASE("options stand before or behind the verb's words") {
  Options options = parsed({"list", "--state", "failed", "-s", "lost", "--kind", "exec", "-n", "5", "-r", "--since", "2h", "--socket", "/x"});
  CHECK(options.filter.states == Words{"failed", "lost"});
  CHECK(options.filter.kinds == Words{"exec"});
  CHECK(options.filter.limit == 5);
  CHECK(options.filter.newest_first);
  CHECK(options.filter.since == "2h");
  CHECK(options.socket == "/x");
  Options cancel = parsed({"cancel", "J1", "--force", "J2", "--reason", "why"});
  CHECK(cancel.ids == Words{"J1", "J2"});
  CHECK(cancel.force);
  CHECK(cancel.reason == "why");
  Options logs = parsed({"logs", "-f", "J1"});
  CHECK(logs.follow);
  CHECK(logs.ids == Words{"J1"});
}
