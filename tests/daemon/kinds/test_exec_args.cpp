// SPDX-License-Identifier: MIT
#include "daemon/kinds/exec_args.hpp"

#include <corund/plugin.hpp>
#include <set>

#include "support/catch.hpp"

using namespace corund;
using namespace corund::kinds;

namespace {

// The path of what is wrong; empty where nothing is.
std::string fault_of(const std::string& text, bool memory = true, bool tasks = true) {
  try {
    read_exec_args(text, memory, tasks);
    return {};
  } catch (const ArgsError& error) {
    CHECK(std::string(error.what()).starts_with(error.path() + " "));
    return error.path();
  }
}

// As the kind's check does it.
template <bool memory, bool tasks>
std::string fault_within(const std::string& text) {
  const auto check = plugin::checker(std::make_shared<plugin::LastChecked<ExecArgsWithin<memory, tasks>>>());
  return check(text).value_or("");
}

}  // namespace

TEST_CASE("a command is a list of arguments or a text for the shell, with all there is around it") {
  auto args = read_exec_args(R"({"argv":["ls","-l"],"env":{"A":"b","C":null},"cwd":"/tmp","stdin":"in","umask":"0027",
                              "limits":{"cpu":5,"openFiles":64}})");
  CHECK(args.argv == std::vector<std::string>{"ls", "-l"});
  CHECK(args.shell.empty());
  CHECK(args.env.at("A") == std::optional<std::string>("b"));
  CHECK(args.env.at("C") == std::nullopt);
  CHECK(args.cwd == "/tmp");
  CHECK(args.input == std::optional<std::string>("in"));
  CHECK(args.umask == std::optional<mode_t>(027));
  CHECK(args.cpu_limit == std::optional<unsigned long>(5));
  CHECK(args.open_files_limit == std::optional<unsigned long>(64));
  auto shell = read_exec_args(R"({"shell":"echo hi","cwd":null,"stdin":null,"umask":null,"limits":null,"env":null})");
  CHECK(shell.shell == "echo hi");
  CHECK_FALSE(shell.input.has_value());
}

TEST_CASE("wrong args are refused with the path of what is wrong") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {R"([])", "args"},
      {R"({})", "args"},
      {R"({"argv":["a"],"shell":"b"})", "args"},
      {R"({"argv":[]})", "args.argv"},
      {R"({"argv":[""]})", "args.argv"},
      {R"({"argv":["a",5]})", "args.argv[1]"},
      {R"({"argv":"ls"})", "args.argv"},
      {R"({"shell":""})", "args.shell"},
      {R"({"shell":["a"]})", "args.shell"},
      {R"({"shell":"a","shall":"b"})", "args.shall"},
      {R"({"shell":"a","env":["A=b"]})", "args.env"},
      {R"({"shell":"a","env":{"A":5}})", "args.env.A"},
      {R"({"shell":"a","env":{"A=B":"x"}})", "args.env.A=B"},
      {R"({"shell":"a","cwd":"relative"})", "args.cwd"},
      {R"({"shell":"a","stdin":5})", "args.stdin"},
      {R"({"shell":"a","umask":"0888"})", "args.umask"},
      {R"({"shell":"a","umask":18})", "args.umask"},
      {R"({"shell":"a","limits":{"cpu":0}})", "args.limits.cpu"},
      {R"({"shell":"a","limits":{"cpu":1.5}})", "args.limits.cpu"},
      {R"({"shell":"a","limits":{"memory":0}})", "args.limits.memory"},
      {R"({"shell":"a","limits":{"tasks":"5"}})", "args.limits.tasks"},
      {R"({"shell":"a","limits":{"disk":1}})", "args.limits.disk"},
      {R"({"shell":"a","limits":[1]})", "args.limits"},
      {R"({"shell":"a","env":{"A":"1","B":"2","A":"3"}})", "args.env.A"},
      {R"({"argv":["a"],"argv":["b"]})", "args.argv"},
      {R"({"argv":null})", "args.argv"},
      {R"({"shell":"a","shall":null})", "args.shall"},
      {R"({"shell":null})", "args.shell"},
      {R"({"shell":"a","cwd":5})", "args.cwd"},
      {R"("ls")", "args"},
  };
  for (const auto& [text, path] : table) {
    INFO(text);
    CHECK(fault_of(text) == path);
  }
}

TEST_CASE("limits that cannot be kept to are refused by name, the others not") {
  const std::string memory = R"({"shell":"a","limits":{"cpu":1,"memory":1000}})", tasks = R"({"shell":"a","limits":{"tasks":5,"openFiles":9}})";
  CHECK(fault_of(memory) == "");
  CHECK(fault_within<true, false>(memory) == "");
  CHECK(fault_within<false, true>(memory) == "args.limits.memory");
  CHECK(fault_within<false, true>(tasks) == "");
  CHECK(fault_within<true, false>(tasks) == "args.limits.tasks");
  CHECK(fault_within<false, false>(R"({"shell":"a","limits":null})") == "");
  CHECK((read_exec_args(memory).memory_limit == std::optional<unsigned long>(1000)));
}

TEST_CASE("a limit that needs what is not there says so, where the job is found to have it only when it begins") {
  try {
    ExecArgsWithin<false, true>::from_text(R"({"shell":"a","limits":{"memory":1000}})");
    FAIL("it was taken");
  } catch (const ArgsError& error) {
    CHECK(std::string(error.what()) == "args.limits.memory needs a cgroup with the memory controller (Delegate=yes), which is not there");
  }
}

TEST_CASE("a command's environment is the daemon's without the service manager's words to it") {
  const char* inherited[] = {"PATH=/bin", "HOME=/root", "NOTIFY_SOCKET=/run/x", "WATCHDOG_USEC=1", "WATCHDOG_PID=1", "LISTEN_FDS=1",
                             "LISTEN_PID=1", "LISTEN_FDNAMES=x", "FDSTORE=1", "MEMORY_PRESSURE_WATCH=x", "MEMORY_PRESSURE_WRITE=x",
                             "CREDENTIALS_DIRECTORY=/x", "JOURNAL_STREAM=1:2", "SYSTEMD_EXEC_PID=1", "INVOCATION_ID=abc", "LISTEN_PIDFDID=1",
                             "MANAGERPID=1", "MANAGERPIDFDID=1", "STATE_DIRECTORY=/x", "RUNTIME_DIRECTORY=/x", "CACHE_DIRECTORY=/x",
                             "LOGS_DIRECTORY=/x", "CONFIGURATION_DIRECTORY=/x", "TRIGGER_UNIT=x", "TRIGGER_TIMER_REALTIME_USEC=1",
                             "LISTENER=mine", "ODD", "EQUALS=a=b", nullptr};
  ExecArgs args;
  args.env = {{"HOME", "/elsewhere"}, {"PATH", std::nullopt}, {"NEW", "value"}};
  const corun::Environment environment = command_environment(inherited_environment(inherited), args, "01J");
  const auto entries = environment.entries();
  CHECK(std::multiset<std::string>(entries.begin(), entries.end()) ==
        std::multiset<std::string>{"HOME=/elsewhere", "INVOCATION_ID=abc", "LISTENER=mine", "EQUALS=a=b", "NEW=value", "CORUND_JOB_ID=01J"});
}

TEST_CASE("the schema of the args is JSON, and names each of them") {
  Json schema = Json::parse(exec_args_schema);
  for (const char* name : {"argv", "shell", "env", "cwd", "stdin", "umask", "limits"}) CHECK(schema["properties"].contains(name));
  CHECK(schema["properties"].size() == 7);
}
