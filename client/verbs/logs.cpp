// SPDX-License-Identifier: MIT
// What a job wrote: the daemon's own answer where it has one; else the journal, which journalctl reads better than we could; else what the record kept.
#include "client/advice.hpp"
#include "client/verbs/common.hpp"
#include "client/verbs/verbs.hpp"
#include "daemon/wire/errors.hpp"
#include "daemon/wire/writer.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>

namespace corunctl::verbs {

namespace {

void print_entry(const Json& entry) {
  Json text = entry.value("text", Json());
  if (!text.is_string()) return;
  std::string stream = entry.value("stream", std::string("daemon"));
  std::cout << time_text(entry.value("timestampUSec", std::int64_t{0})) << "  " << stream << ": " << safe_text(text.get<std::string>()) << std::endl;
}

// Whether the daemon could answer itself.
bool from_daemon(Connection& connection, const Options& options) {
  std::string parameters;
  corund::wire::JsonWriter out(parameters);
  out.begin_object().key("id").string(options.ids.at(0));
  if (options.follow) out.key("follow").boolean(true);
  if (options.lines) out.key("lines").integer(*options.lines);
  out.end_object();
  connection.send(jobs_method("Logs"), parameters, {.more = true});
  try {
    each_reply(connection, options, print_entry);
  } catch (const Refusal& refusal) {
    if (refusal.answer().error == corund::wire::errors::MethodNotImplemented::name) return false;
    throw;
  }
  return true;
}

// Whether journalctl is there, may read the journal, and finds the job in it.
bool is_in_journal(const std::string& match) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return false;
  corun::UniqueFd read_end(ends[0]), write_end(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string words[] = {"journalctl", "--quiet", "--no-pager", "--lines=1", "--output=cat", match};
  char* argv[std::size(words) + 1] = {};
  for (std::size_t i = 0; i < std::size(words); ++i) argv[i] = words[i].data();
  pid_t child = 0;
  int error = ::posix_spawnp(&child, "journalctl", &actions, nullptr, argv, environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return false;
  write_end.reset();
  char piece[512];
  bool found = false;
  for (ssize_t got; (got = ::read(read_end.get(), piece, sizeof piece)) != 0;) {
    if (got > 0) found = true;
    else if (errno != EINTR) break;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return found && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

[[noreturn]] void become_journalctl(const Options& options, const std::string& match) {
  std::vector<std::string> words = {"journalctl"};
  if (options.follow) words.emplace_back("--follow");
  if (options.lines) words.push_back("--lines=" + std::to_string(*options.lines));
  else if (options.follow) words.emplace_back("--lines=all");
  if (options.json) words.emplace_back("--output=json");
  words.push_back(match);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp("journalctl", argv.data());
  throw Failure(std::string("journalctl: ") + std::strerror(errno));
}

void from_events(Connection& connection, const Options& options) {
  connection.send(jobs_method("Watch"), id_parameters(options.ids.at(0)), {.more = true});
  each_reply(connection, options, [](const Json& reply) {
    Json event = reply.value("event", Json::object());
    std::string type = event.value("type", std::string());
    if (type == "output" || type == "log") std::cout << safe_text(event.value("text", std::string())) << std::endl;
  });
}

void from_record(Connection& connection, const Options& options) {
  auto reply = ask(connection, options, jobs_method("Show"), id_parameters(options.ids.at(0)));
  if (!reply) return;
  Json job = reply->value("job", Json::object());
  std::cerr << "corunctl: the journal has nothing of this job (or is not yours to read); this is what its record kept" << std::endl;
  for (auto [name, stream] : {std::pair{"stdoutTail", &std::cout}, std::pair{"stderrTail", &std::cerr}})
    if (Json tail = job.value(name, Json()); tail.is_string()) *stream << safe_text(tail.get<std::string>()) << std::flush;
}

}  // namespace

int logs(const Options& options) {
  Connection connection = connect(options);
  if (from_daemon(connection, options)) return exit_code::success;
  std::string match = "CORUND_JOB_ID=" + options.ids.at(0);
  require_success(connection.call(jobs_method("Show"), id_parameters(options.ids.at(0))));  // an id that is none is said so
  if (is_in_journal(match)) become_journalctl(options, match);
  if (options.follow) from_events(connection, options);
  else from_record(connection, options);
  return exit_code::success;
}

}  // namespace corunctl::verbs
