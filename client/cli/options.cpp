// SPDX-License-Identifier: MIT
// CLI11 reads everything but a command's own words: those begin at the first word that is no option of ours, or behind "--", and are
// nobody's to interpret. So "--" is cut off before CLI11 sees it, unless it stands inside the command.
#include "client/cli/options.hpp"

#include "client/failure.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <iterator>

#ifndef CORUND_VERSION
#define CORUND_VERSION "unknown"
#endif

namespace corunctl {

namespace {

constexpr const char* duration_help = "seconds, or a number with ms, s, min, h, d";

void add_common(CLI::App& app, Options& options) {
  app.add_option("--socket", options.socket, "where the daemon listens")->type_name("PATH");
  app.add_flag("--json", options.json, "print the objects of the wire, one a line");
}

CLI::App* add_verb(CLI::App& app, Options& options, Verb verb, const char* name, const char* help) {
  CLI::App* sub = app.add_subcommand(name, help);
  add_common(*sub, options);
  sub->callback([&options, verb] { options.verb = verb; });
  return sub;
}

void add_job_options(CLI::App& sub, JobOptions& job) {
  constexpr const char* group = "Job";
  sub.add_option("--context", job.context, "shared, isolated, or the name of one of yours")->type_name("NAME")->group(group);
  sub.add_option("--timeout", job.timeout, duration_help)->type_name("DURATION")->group(group);
  sub.add_option("--grace", job.grace, "between a cancellation and its escalation")->type_name("DURATION")->group(group);
  sub.add_option("--priority", job.priority, "-100 to 100, higher first")->check(CLI::Range(-100, 100))->group(group);
  sub.add_option("--group", job.group, "whose limit of running jobs counts")->type_name("NAME")->group(group);
  sub.add_option("--delay", job.delay, "before it may start")->type_name("DURATION")->group(group);
  sub.add_option("--attempts", job.attempts, "in all, the first included")->check(CLI::PositiveNumber)->group(group);
  sub.add_option("--retry-delay", job.retry_delay, "before the second attempt")->type_name("DURATION")->group(group);
  sub.add_option("--backoff", job.backoff, "factor on the delay for each further one")->group(group);
  sub.add_option("--after", job.after, "a job that must have succeeded first")->type_name("ID")->take_all()->allow_extra_args(false)->group(group);
  sub.add_option("--key", job.key, "idempotency key")->group(group);
  sub.add_option("--ack", job.ack, "when the answer comes")->check(CLI::IsMember({"memory", "disk"}))->group(group);
  sub.add_option("--label", job.labels, "for queries and the journal")->type_name("NAME=VALUE")->take_all()->allow_extra_args(false)->group(group);
}

void add_command_options(CLI::App& sub, Command& command) {
  constexpr const char* group = "Command";
  sub.add_option("--env", command.env, "a variable; NAME alone: its value here")->type_name("NAME[=VALUE]")->take_all()->allow_extra_args(false)->group(group);
  sub.add_flag("!--no-env", command.whole_environment, "do not send the environment along, but for --env")->group(group);
  sub.add_option("--directory,-C", command.directory, "where it runs; else where you are")->type_name("PATH")->group(group);
  sub.add_flag("--stdin", command.with_stdin, "read standard input to its end and hand it over")->group(group);
}

void add_filter(CLI::App& sub, Filter& filter) {
  constexpr const char* group = "Which";
  CLI::IsMember states({"queued", "delayed", "held", "running", "succeeded", "failed", "cancelled", "timedOut", "lost"});
  sub.add_option("--state,-s", filter.states, "queued, running, failed, ...")->check(states)->take_all()->allow_extra_args(false)->group(group);
  sub.add_option("--kind,-k", filter.kinds)->take_all()->allow_extra_args(false)->group(group);
  sub.add_option("--group,-g", filter.groups)->take_all()->allow_extra_args(false)->group(group);
  sub.add_option("--label,-l", filter.labels)->type_name("NAME=VALUE")->take_all()->allow_extra_args(false)->group(group);
  sub.add_option("--until", filter.until, "submitted before: a duration ago, or @seconds")->type_name("WHEN")->group(group);
}

// What lists show: a filter, and how much of it.
void add_listing(CLI::App& sub, Filter& filter) {
  add_filter(sub, filter);
  sub.add_option("--since", filter.since, "submitted after: a duration ago, or @seconds")->type_name("WHEN")->group("Which");
  sub.add_option("--limit,-n", filter.limit, "at most so many")->check(CLI::PositiveNumber)->group("Which");
  sub.add_flag("--newest-first,-r", filter.newest_first)->group("Which");
}

void add_submitting_verbs(CLI::App& app, Options& options) {
  auto* run = add_verb(app, options, Verb::run, "run", "run a job and wait for its outcome");
  run->add_option("kind", options.kind, "see 'corunctl kinds'")->required();
  run->add_option("args", options.words, "key=value..., or one JSON object");
  add_job_options(*run, options.job);

  auto* exec = add_verb(app, options, Verb::exec, "exec", "run a command as a job, as if it ran here");
  exec->prefix_command();
  exec->footer("The command: corunctl exec [OPTIONS] [--] COMMAND...");
  exec->add_flag("--detach,-d", options.detach, "print the job's id and do not wait");
  add_job_options(*exec, options.job);
  add_command_options(*exec, options.command);

  auto* submit = add_verb(app, options, Verb::submit, "submit", "queue a job and print its id");
  submit->footer("A command: corunctl submit [OPTIONS] exec -- COMMAND...");
  submit->add_option("kind", options.kind, "see 'corunctl kinds'")->required();
  submit->add_option("args", options.words, "key=value..., or one JSON object");
  add_job_options(*submit, options.job);
  add_command_options(*submit, options.command);
}

void add_job_verbs(CLI::App& app, Options& options) {
  auto ids = [&](CLI::App* sub, bool required) {
    sub->add_option("id", options.ids, required ? "of jobs" : "of a job")->type_name("ID")->required(required);
    return sub;
  };
  auto* wait = ids(add_verb(app, options, Verb::wait, "wait", "wait until jobs have ended; exit as they did"), true);
  wait->add_option("--timeout,-t", options.timeout, duration_help)->type_name("DURATION");
  ids(add_verb(app, options, Verb::watch, "watch", "show what a job does, until it ends"), true)->get_option("id")->expected(1);
  add_listing(*add_verb(app, options, Verb::list, "list", "list jobs"), options.filter);
  add_listing(*add_verb(app, options, Verb::plot, "plot", "print jobs over time as an SVG picture"), options.filter);
  ids(add_verb(app, options, Verb::show, "show", "show all that is known about jobs"), true);
  auto* cancel = ids(add_verb(app, options, Verb::cancel, "cancel", "cancel jobs, and say what came of it"), true);
  cancel->add_flag("--force,-f", options.force, "escalate at once");
  cancel->add_option("--reason", options.reason, "kept in the record")->type_name("TEXT");
  ids(add_verb(app, options, Verb::retry, "retry", "queue copies of jobs that have ended"), true);
  auto* remove = ids(add_verb(app, options, Verb::remove, "remove", "drop the records of jobs that have ended"), false);
  add_filter(*remove, options.filter);
  auto* logs = ids(add_verb(app, options, Verb::logs, "logs", "show what a job wrote"), true);
  logs->get_option("id")->expected(1);
  logs->add_flag("--follow,-f", options.follow, "go on until it ends");
  logs->add_option("--lines,-n", options.lines, "only the last so many")->check(CLI::NonNegativeNumber);
  ids(add_verb(app, options, Verb::stack, "stack", "show where jobs are suspended"), false)->get_option("id")->expected(0, 1);
}

void add_daemon_verbs(CLI::App& app, Options& options) {
  auto* kinds = add_verb(app, options, Verb::kinds, "kinds", "list the kinds of jobs; of one, what it takes");
  kinds->add_option("kind", options.name);
  auto* contexts = add_verb(app, options, Verb::contexts, "contexts", "list your contexts");
  contexts->add_option("--drop", options.name, "drop one")->type_name("NAME");
  add_verb(app, options, Verb::status, "status", "show how the daemon is");
  add_verb(app, options, Verb::top, "top", "show that and the jobs, over and over; q leaves")
      ->add_option("--interval,-i", options.timeout, duration_help)->type_name("DURATION");
  add_verb(app, options, Verb::pause, "pause", "stop starting jobs; submissions are still taken")->add_option("group", options.name, "of one group only");
  add_verb(app, options, Verb::resume, "resume", "start jobs again")->add_option("group", options.name, "of one group only");
  add_verb(app, options, Verb::drain, "drain", "take nothing new until the next start; return when the daemon is idle");
  add_verb(app, options, Verb::reload, "reload", "read the configuration again");
  add_verb(app, options, Verb::metrics, "metrics", "print the daemon's figures as OpenMetrics text");
  auto* call = add_verb(app, options, Verb::call, "call", "call any method");
  call->add_option("method", options.name, "io.corund.Jobs.Show, say")->required();
  call->add_option("parameters", options.words, "one JSON object, or key=value...");
  call->add_flag("--more", options.more, "take many replies");
  call->add_flag("--oneway", options.oneway, "want no reply");
}

// The words behind the first "--", cut off; found: there was one.
std::vector<std::string> cut_at_dashes(std::vector<std::string>& words, bool& found) {
  auto dashes = std::find(words.begin(), words.end(), "--");
  found = dashes != words.end();
  if (!found) return {};
  std::vector<std::string> behind(std::make_move_iterator(dashes + 1), std::make_move_iterator(words.end()));
  words.erase(dashes, words.end());
  return behind;
}

// Whose words those behind "--" are.
void place(Options& options, std::vector<std::string> first, bool dashes, std::vector<std::string> behind) {
  auto append = [](std::vector<std::string>& to, std::vector<std::string>& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  if (options.verb == Verb::exec) {
    if (!first.empty() && first[0].starts_with('-')) throw Failure("exec has no option " + first[0] + "; see 'corunctl exec --help'");
    if (!first.empty() && dashes) first.emplace_back("--");  // the command's own
    append(first, behind);
    options.command.argv = std::move(first);
    options.kind = "exec";
    if (options.command.argv.empty()) throw Failure("exec wants a command; see 'corunctl exec --help'");
  } else if (options.verb == Verb::submit && options.kind == "exec" && dashes) {
    if (!options.words.empty()) throw Failure("submit exec takes args, or a command behind --, not both");
    options.command.argv = std::move(behind);
    if (options.command.argv.empty()) throw Failure("submit exec -- wants a command");
  } else if (options.verb == Verb::run || options.verb == Verb::submit || options.verb == Verb::call) {
    append(options.words, behind);
  } else {
    append(options.ids, behind);
  }
}

// How many letters have to be put in, taken out, changed or swapped with their neighbour.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::vector<std::size_t>> of(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
  for (std::size_t i = 0; i <= from.size(); ++i)
    for (std::size_t j = 0; j <= to.size(); ++j) {
      if (i == 0 || j == 0) {
        of[i][j] = i + j;
        continue;
      }
      of[i][j] = std::min({of[i - 1][j] + 1, of[i][j - 1] + 1, of[i - 1][j - 1] + (from[i - 1] != to[j - 1])});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) of[i][j] = std::min(of[i][j], of[i - 2][j - 2] + 1);
    }
  return of[from.size()][to.size()];
}

// What to say of a word in a verb's place that is none.
std::string no_such_verb(const CLI::App& app, const std::string& word) {
  std::string nearest;
  std::size_t least = 3;  // further off is something else
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    if (std::size_t off = distance(word, verb->get_name()); off < std::min(least, verb->get_name().size())) {
      least = off;
      nearest = verb->get_name();
    }
  return "there is no verb '" + word + "'" + (nearest.empty() ? "" : "; is it '" + nearest + "'?") + "\n'corunctl --help' shows those that there are.";
}

}  // namespace

void describe(CLI::App& app, Options& options) {
  app.set_version_flag("--version", "corunctl " CORUND_VERSION);
  app.require_subcommand(1);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return std::string("corunctl: ") + error.what() + "\n'corunctl --help' and 'corunctl VERB --help' show what there is.\n";
  });
  app.footer("Jobs are named by their ids. 'corunctl VERB --help' shows a verb's options, 'man corunctl' everything.");
  add_common(app, options);
  add_submitting_verbs(app, options);
  add_job_verbs(app, options);
  add_daemon_verbs(app, options);
}

std::optional<Options> parse_options(int argc, const char* const* argv, int& code) {
  Options options;
  CLI::App app("corunctl - hand jobs to corund, and see what became of them", "corunctl");
  describe(app, options);
  std::vector<std::string> words(argv + 1, argv + argc);
  bool dashes = false;
  std::vector<std::string> behind = cut_at_dashes(words, dashes);
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  code = exit_code::refused;
  try {
    app.parse(std::move(words));
  } catch (const CLI::Success& done) {
    code = app.exit(done);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (auto left = app.remaining(); !left.empty() && !left.front().starts_with('-'))
      throw Failure(no_such_verb(app, left.front()));
    app.exit(error);
    return std::nullopt;
  }
  place(options, app.get_subcommand("exec")->remaining(), dashes, std::move(behind));
  return options;
}

}  // namespace corunctl
