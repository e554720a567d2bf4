// SPDX-License-Identifier: MIT
// The real corunctl and the real corund, as a user has them.
#include "client/corunctl_process.hpp"
#include "integration/daemon.hpp"
#include "support/catch.hpp"

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <sstream>

using namespace tests;

namespace {

bool contains(const std::string& text, const std::string& piece) { return text.find(piece) != std::string::npos; }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// The lines that a shell writes, sorted. The script sees the corunctl of this build, and $daemon's socket.
std::vector<std::string> lines_of(const Daemon& daemon, const std::string& shell, const std::string& script) {
  std::string command = "PATH=$(dirname " CORUNCTL_PATH "):$PATH CORUND_SOCKET='" + daemon.socket() + "' " + shell + " -c '";
  for (const char byte : script) command += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
  std::FILE* pipe = ::popen((command + "'").c_str(), "r");
  REQUIRE(pipe);
  std::string text(64 * 1024, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), pipe));
  CHECK(::pclose(pipe) == 0);
  std::vector<std::string> offered;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) offered.push_back(line.substr(0, line.find('\t')));  // fish explains behind a tab
  std::sort(offered.begin(), offered.end());
  return offered;
}

// What a shell offers for the last of these words; a blank at the end: for the one that has not begun.
std::vector<std::string> bash_offers(const Daemon& daemon, const std::string& words) {
  return lines_of(daemon, "bash --norc",
                  ". " CORUNCTL_COMPLETIONS "/corunctl.bash; COMP_WORDS=(corunctl " + words + (words.ends_with(' ') ? "\"\"" : "") +
                      "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _corunctl corunctl; printf '%s\\n' \"${COMPREPLY[@]}\"");
}
std::vector<std::string> fish_offers(const Daemon& daemon, const std::string& words) {
  return lines_of(daemon, "HOME=/nonexistent fish -N", "source " CORUNCTL_COMPLETIONS "/corunctl.fish; complete -C 'corunctl " + words + "'");
}
// Outside its line editor zsh has no candidates: what the functions would be given to show is printed.
std::vector<std::string> zsh_offers(const Daemon& daemon, const std::string& words) {
  return lines_of(daemon, "zsh -f",
                  "compadd() { print -rl -- ${@[2,-1]} }; _files() { print files $@ }; _normal() { print $CURRENT of $words }; words=(corunctl " + words +
                      (words.ends_with(' ') ? "\"\"" : "") + "); CURRENT=$#words; f() { source " CORUNCTL_COMPLETIONS "/corunctl.zsh }; f");
}

}  // namespace

TEST_CASE("shells complete verbs, options, and what the daemon knows") {
  Daemon daemon;
  using Words = std::vector<std::string>;
  const std::string running = first_line(run_corunctl(daemon, {"submit", "sleep", "seconds=60"}).out);
  const std::string ended = first_line(run_corunctl(daemon, {"submit", "echo"}).out);
  CHECK(run_corunctl(daemon, {"wait", ended}).code == 0);
  for (auto* offers : {&bash_offers, &fish_offers, &zsh_offers}) {
    INFO((offers == &bash_offers ? "bash" : offers == &fish_offers ? "fish" : "zsh"));
    CHECK(offers(daemon, "re") == Words{"reload", "remove", "resume", "retry"});
    CHECK(offers(daemon, "list --state q") == Words{"queued"});
    CHECK(offers(daemon, "cancel --r") == Words{"--reason"});
    CHECK(offers(daemon, "run ec") == Words{"echo"});
    CHECK(offers(daemon, "pause de") == Words{"default"});
    CHECK(offers(daemon, "run --context i") == Words{"isolated"});
    CHECK(offers(daemon, "cancel ") == Words{running});
    CHECK(offers(daemon, "retry ") == Words{ended});
    CHECK(offers(daemon, "status ").empty());
  }
  CHECK(bash_offers(daemon, "exec --timeout 3 bas") == bash_offers(daemon, "exec -- bas"));
  CHECK(bash_offers(daemon, "exec bash /bin/ech") == Words{"/bin/echo"});
  CHECK(fish_offers(daemon, "exec bash /bin/ech") == Words{"/bin/echo"});
  CHECK(zsh_offers(daemon, "exec -- bash /bin/ech") == Words{"2 of bash /bin/ech"});
  CHECK(zsh_offers(daemon, "exec -C /us") == Words{"files -/"});
  daemon.signal(SIGKILL);
  CHECK(daemon.wait() == killed_by(SIGKILL));
  for (auto* offers : {&bash_offers, &fish_offers, &zsh_offers}) CHECK(offers(daemon, "run ").empty());  // and nothing is said into the line
}

TEST_CASE("corunctl top shows the daemon and its jobs, once where nobody looks") {
  Daemon daemon;
  const std::string running = first_line(run_corunctl(daemon, {"submit", "sleep", "seconds=3600"}).out);
  Ran ran = run_corunctl(daemon, {"top"});
  CHECK(ran.code == 0);
  CHECK(contains(ran.out, "jobs: 1 running, 0 queued"));
  CHECK(contains(ran.out, running + " sleep"));
  CHECK(ran.out.find('\033') == std::string::npos);
  CHECK(run_corunctl(daemon, {"top", "--interval", "1ms"}).code == 125);
}

TEST_CASE("corunctl top draws a terminal anew, and gives it back") {
  Daemon daemon;
  int terminal = -1;
  const pid_t pid = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::setenv("CORUND_SOCKET", daemon.socket().c_str(), 1);
    ::execl(CORUNCTL_PATH, "corunctl", "top", "--interval", "100ms", nullptr);
    ::_exit(127);
  }
  std::string shown;
  const auto shows = [&](const std::string& text) {
    return eventually([&] {
      pollfd ready{terminal, POLLIN, 0};
      char bytes[4096];
      while (::poll(&ready, 1, 0) > 0) {
        const ssize_t n = ::read(terminal, bytes, sizeof bytes);
        if (n <= 0) break;
        shown.append(bytes, static_cast<std::size_t>(n));
      }
      return contains(shown, text);
    });
  };
  CHECK(shows("jobs: 0 running"));
  CHECK(contains(shown, "\033[?1049h"));
  const std::string id = first_line(run_corunctl(daemon, {"submit", "sleep", "seconds=3600"}).out);
  CHECK(shows(id + " sleep"));  // without a key pressed
  daemon.signal(SIGKILL);
  CHECK(daemon.wait() == killed_by(SIGKILL));
  CHECK(shows("The daemon is not there"));
  CHECK(::write(terminal, "q", 1) == 1);
  CHECK(shows("\033[?1049l"));
  int status = -1;
  CHECK(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
  ::close(terminal);
}

TEST_CASE("corunctl plot prints a picture of the jobs") {
  Daemon daemon;
  const std::string good = first_line(run_corunctl(daemon, {"submit", "echo"}).out), bad = first_line(run_corunctl(daemon, {"submit", "exec", "--", "false"}).out);
  (void)run_corunctl(daemon, {"wait", good, bad});
  Ran ran = run_corunctl(daemon, {"plot"});
  CHECK(ran.code == 0);
  CHECK(ran.err == "");
  CHECK(ran.out.starts_with("<svg "));
  CHECK(ran.out.find(good + "  echo") < ran.out.find(bad + "  exec"));
  ran = run_corunctl(daemon, {"plot", "--state", "failed"});
  CHECK(contains(ran.out, "1 job from"));
  CHECK_FALSE(contains(ran.out, good));
}

TEST_CASE("corunctl run prints what the job returned") {
  Daemon daemon;
  Ran ran = run_corunctl(daemon, {"run", "echo", "x=1", "text=hello world"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "{\"x\":1,\"text\":\"hello world\"}\n");
  CHECK(ran.err == "");
}

TEST_CASE("corunctl exec is the command: output, exit code, signal, directory, environment") {
  Daemon daemon;
  Ran ran = run_corunctl(daemon, {"exec", "--", "sh", "-c", "echo out; echo err >&2; echo $MARK; pwd; exit 3"}, {"MARK=set here"});
  CHECK(ran.code == 3);
  CHECK(ran.out == "out\nset here\n" + std::filesystem::current_path().string() + "\n");
  CHECK(ran.err == "err\n");
  ran = run_corunctl(daemon, {"exec", "sh", "-c", "kill -9 $$"});
  CHECK(ran.code == 128 + SIGKILL);
  CHECK_FALSE(ran.err.empty());
  ran = run_corunctl(daemon, {"exec", "true"});
  CHECK(ran.code == 0);
  CHECK(ran.out + ran.err == "");
}

TEST_CASE("a job that takes too long, and a kind that is not there, have their exit codes") {
  Daemon daemon;
  CHECK(run_corunctl(daemon, {"run", "--timeout", "50ms", "sleep", "seconds=100"}).code == 124);
  CHECK(run_corunctl(daemon, {"exec", "--timeout", "50ms", "sleep", "100"}).code == 124);
  Ran ran = run_corunctl(daemon, {"run", "ehco"});
  CHECK(ran.code == 125);
  CHECK(contains(ran.err, "corunctl kinds"));
  ran = run_corunctl(daemon, {"run", "sleep", "seconds=long"});
  CHECK(ran.code == 125);
  CHECK(contains(ran.err, "args.seconds"));
}

TEST_CASE("Ctrl-C cancels the command, which may clean up; corunctl says so by its exit code") {
  Daemon daemon;
  Corunctl client(daemon.socket(), {"exec", "sh", "-c", "trap 'echo cleaned; exit 0' TERM; echo on; sleep 100 & wait"});
  REQUIRE(client.read_some() == "on\n");
  client.signal(SIGINT);
  Ran ran = client.wait();
  CHECK(ran.code == 130);
  CHECK(ran.out == "cleaned\n");
}

TEST_CASE("a second Ctrl-C does not wait for a command's grace") {
  Daemon daemon;
  Corunctl client(daemon.socket(), {"exec", "--grace", "1h", "sh", "-c", "trap 'echo no' TERM; echo on; while :; do sleep 0.1; done"});
  REQUIRE(client.read_some() == "on\n");
  client.signal(SIGINT);
  REQUIRE(client.read_some() == "no\n");
  client.signal(SIGINT);
  CHECK(client.wait().code == 130);
  CHECK(eventually([&] { return daemon.children().empty(); }));
}

TEST_CASE("a submitted job is waited for, listed, shown and cancelled by its id") {
  Daemon daemon;
  std::string failing = first_line(run_corunctl(daemon, {"submit", "--label", "a=b", "exec", "--", "sh", "-c", "echo kept; exit 2"}).out);
  REQUIRE(failing.size() == 26);
  Ran waited = run_corunctl(daemon, {"wait", failing});
  CHECK(waited.code == 2);
  CHECK(contains(waited.out, failing + " failed"));
  Ran shown = run_corunctl(daemon, {"show", failing});
  CHECK(shown.code == 0);
  CHECK(contains(shown.out, "kept"));
  CHECK(contains(shown.out, "a=b"));
  CHECK(contains(run_corunctl(daemon, {"list", "--state", "failed"}).out, failing));
  CHECK(run_corunctl(daemon, {"list", "--state", "lost"}).out == "");
  Ran watched = run_corunctl(daemon, {"watch", failing});
  CHECK(watched.code == 0);
  CHECK(contains(watched.out, "stdout: kept"));
  CHECK(contains(watched.out, "ended: failed"));

  std::string sleeping = first_line(run_corunctl(daemon, {"submit", "sleep", "seconds=1000"}).out);
  CHECK(run_corunctl(daemon, {"wait", sleeping, "--timeout", "10ms"}).code == 124);
  CHECK(contains(run_corunctl(daemon, {"stack", sleeping}).out, "sleep"));
  Ran cancelled = run_corunctl(daemon, {"cancel", sleeping});
  CHECK(cancelled.code == 0);
  CHECK(contains(cancelled.out, sleeping + " cancelled after"));
  CHECK(run_corunctl(daemon, {"wait", sleeping}).code == 130);
  CHECK(contains(run_corunctl(daemon, {"cancel", sleeping}).out, "already ended"));
}

TEST_CASE("kinds, status and call show what the daemon answers; what it does not have is said") {
  Daemon daemon;
  Ran kinds = run_corunctl(daemon, {"kinds"});
  CHECK(kinds.code == 0);
  CHECK(contains(kinds.out, "exec\texec\t"));
  CHECK(contains(run_corunctl(daemon, {"kinds", "exec"}).out, "argv"));
  CHECK(contains(run_corunctl(daemon, {"status"}).out, "pid " + std::to_string(daemon.pid())));
  CHECK(contains(run_corunctl(daemon, {"call", "org.varlink.service.GetInfo"}).out, "io.corund.Jobs"));
  CHECK(contains(run_corunctl(daemon, {"metrics"}).out, "# EOF"));
  Ran refused = run_corunctl(daemon, {"call", "io.corund.Jobs.Plot"});
  CHECK(refused.code == 125);
  CHECK(contains(refused.err, "io.corund.Jobs.Plot"));
}

TEST_CASE("drain returns when nothing runs, and nothing new is taken") {
  Daemon daemon;
  Ran drained = run_corunctl(daemon, {"drain"});
  CHECK(drained.code == 0);
  Ran refused = run_corunctl(daemon, {"run", "echo"});
  CHECK(refused.code == 125);
  CHECK(contains(refused.err, "stopping"));
}
