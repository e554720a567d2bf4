// SPDX-License-Identifier: MIT
#include "client/cli/completion.hpp"

#include <algorithm>

#include "support/catch.hpp"

using corunctl::Candidates;
using corunctl::complete;

namespace {

bool offers(const std::vector<std::string>& typed, const std::string& word) {
  const auto completion = complete(typed);
  return completion.candidates == Candidates::words &&
         std::find(completion.words.begin(), completion.words.end(), word) != completion.words.end();
}
Candidates of(const std::vector<std::string>& typed) { return complete(typed).candidates; }

}  // namespace

TEST_CASE("a verb, and its options, complete from the description of the options") {
  CHECK(offers({""}, "run"));
  CHECK(offers({"--json", ""}, "logs"));
  CHECK(offers({"--socket", "/run/s", "ca"}, "cancel"));
  CHECK(complete({"--socket", "/run/s", "ca"}).socket == "/run/s");
  CHECK(offers({"-"}, "--version"));
  CHECK(offers({"list", "--"}, "--newest-first"));
  CHECK_FALSE(offers({"list", "--"}, "--force"));
  CHECK(offers({"run", "echo", "-"}, "--priority"));
  CHECK(of({"no-such-verb", ""}) == Candidates::none);
  CHECK(of({}) == Candidates::none);
}

TEST_CASE("an option's value completes as what it is") {
  CHECK(offers({"list", "--state", ""}, "timedOut"));
  CHECK(offers({"list", "-s", ""}, "queued"));
  CHECK(offers({"submit", "--ack", ""}, "disk"));
  CHECK(of({"run", "--context", ""}) == Candidates::contexts);
  CHECK(of({"contexts", "--drop", ""}) == Candidates::contexts);
  CHECK(of({"exec", "--group", ""}) == Candidates::groups);
  CHECK(of({"list", "-k", ""}) == Candidates::kinds);
  CHECK(of({"submit", "--after", ""}) == Candidates::all_jobs);
  CHECK(of({"--socket", ""}) == Candidates::files);
  CHECK(of({"exec", "-C", ""}) == Candidates::directories);
  CHECK(of({"run", "--timeout", ""}) == Candidates::none);
  CHECK(of({"run", "--timeout=3", ""}) == Candidates::kinds);
}

TEST_CASE("a verb's own words complete as what they are") {
  for (const char* verb : {"wait", "watch", "cancel", "stack"}) CHECK(of({verb, ""}) == Candidates::open_jobs);
  for (const char* verb : {"retry", "remove"}) CHECK(of({verb, ""}) == Candidates::ended_jobs);
  for (const char* verb : {"show", "logs"}) CHECK(of({verb, ""}) == Candidates::all_jobs);
  CHECK(of({"cancel", "--force", "ID1", ""}) == Candidates::open_jobs);
  CHECK(of({"logs", "ID1", ""}) == Candidates::none);
  for (const char* verb : {"run", "submit", "kinds"}) CHECK(of({verb, ""}) == Candidates::kinds);
  CHECK(of({"run", "echo", ""}) == Candidates::none);
  CHECK(of({"pause", ""}) == Candidates::groups);
  CHECK(of({"status", ""}) == Candidates::none);
  CHECK(offers({"call", ""}, "io.corund.Daemon.Drain"));
}

TEST_CASE("a command's words are left to the shell") {
  const auto begins = [](const std::vector<std::string>& typed) {
    const auto completion = complete(typed);
    return completion.candidates == Candidates::command ? static_cast<int>(completion.begin) : -1;
  };
  CHECK(begins({"exec", ""}) == 1);
  CHECK(begins({"exec", "make", "-j", ""}) == 1);
  CHECK(begins({"exec", "-C", "/tmp", "--timeout", "3", "ma"}) == 5);
  CHECK(begins({"exec", "--", ""}) == 2);
  CHECK(begins({"exec", "--", "-x", ""}) == 2);
  CHECK(begins({"submit", "--ack", "disk", "exec", "--", "ls", ""}) == 5);
  CHECK(begins({"run", "echo", "--", ""}) == -1);
}
