// SPDX-License-Identifier: MIT
// What a shell asks for while a command line is typed. The first line tells where the candidates come from ("words", "files", "directories", "command N",
// "none"), the others are the candidates. A daemon that does not answer is no error here: a shell would print it into the line.
#include "client/cli/completion.hpp"
#include "client/verbs/common.hpp"
#include "client/verbs/verbs.hpp"

#include <iostream>

namespace corunctl::verbs {

namespace {

constexpr const char* jobs_shown = "200";  // the newest

// The names of what a method lists.
void add_names(const Completion& completion, const std::string& method, const char* list, std::vector<std::string>& words) {
  Options options;
  options.socket = completion.socket;
  const Json reply = ask(options, method).value_or(Json::object());
  for (const Json& each : reply.value(list, Json::array())) words.push_back(each.value("name", std::string()));
}

// states: a JSON array; empty: any.
void add_jobs(const Completion& completion, const std::string& states, std::vector<std::string>& words) {
  Options options;
  options.socket = completion.socket;
  Connection connection = connect(options);
  const std::string which = states.empty() ? "" : ",\"states\":" + states;
  connection.send(jobs_method("List"), std::string(R"({"newestFirst":true,"limit":)") + jobs_shown + which + "}", {.more = true});
  each_reply(connection, options, [&](const Json& reply) {
    if (const Json job = reply.value("job", Json()); job.is_object()) words.push_back(job.value("id", std::string()));
  });
}

std::vector<std::string> words_of(const Completion& completion) {
  std::vector<std::string> words = completion.words;
  switch (completion.candidates) {
    case Candidates::open_jobs: add_jobs(completion, R"(["queued","delayed","held","running"])", words); break;
    case Candidates::ended_jobs: add_jobs(completion, R"(["succeeded","failed","cancelled","timedOut","lost"])", words); break;
    case Candidates::all_jobs: add_jobs(completion, "", words); break;
    case Candidates::kinds: add_names(completion, jobs_method("ListKinds"), "kinds", words); break;
    case Candidates::groups: add_names(completion, daemon_method("Status"), "groups", words); break;
    case Candidates::contexts:
      words = {"shared", "isolated"};
      add_names(completion, jobs_method("ListContexts"), "contexts", words);
      break;
    default: break;
  }
  return words;
}

}  // namespace

int complete(const std::vector<std::string>& typed) {
  const Completion completion = corunctl::complete(typed);
  switch (completion.candidates) {
    case Candidates::none: std::cout << "none\n"; return exit_code::success;
    case Candidates::files: std::cout << "files\n"; return exit_code::success;
    case Candidates::directories: std::cout << "directories\n"; return exit_code::success;
    case Candidates::command: std::cout << "command " << completion.begin << '\n'; return exit_code::success;
    default: break;
  }
  std::vector<std::string> words;
  try {
    words = words_of(completion);
  } catch (const Failure&) {
  }
  std::cout << "words\n";
  for (const std::string& word : words)
    if (word.starts_with(typed.back())) std::cout << safe_text(word) << '\n';
  return exit_code::success;
}

}  // namespace corunctl::verbs
