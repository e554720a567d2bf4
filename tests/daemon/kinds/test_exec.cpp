// SPDX-License-Identifier: MIT
#include "daemon/kinds/exec.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "daemon/job/job.hpp"
#include "support/catch.hpp"

using namespace corund;
using namespace std::chrono_literals;

namespace {

// A job's surroundings that only listen.
class FakeHost final : public job::JobHost {
 public:
  FakeHost() {
    job.id_text.fill('0');
    kinds::add_exec(kinds_, {.shell = "/bin/sh", .line_bytes = 100, .output_bytes = 1000});
  }

  // Runs a command as a job would.
  corun::Coro<Json> exec(std::string args) {
    const job::Kind* kind = registry_.find("exec");
    JsonText result = co_await kind->body(context, args);
    co_return Json::parse(result.view());
  }

  // Until the command has written so many lines.
  corun::Coro<> wait_lines(std::size_t count) {
    while (lines.size() < count) {
      corun::Future<> more;
      waiter_ = more;
      co_await corun::wait_for(more, 30s);
    }
  }

  void on_output(job::Job&, Stream stream, std::string_view line, pid_t pid) override {
    lines.emplace_back(stream, line);
    pids.insert(pid);
    if (waiter_ && !waiter_->done()) waiter_->set_result();
  }
  void on_spawned(job::Job&, pid_t) override {}
  void on_progress(job::Job&, std::optional<double>, std::string_view) override {}
  void on_log(job::Job&, int, std::string_view, const Labels&) override {}
  void on_emit(job::Job&, JsonText) override {}
  corun::Coro<Json> run_child(job::JobRef, std::string, Json) override { co_return Json(); }

  std::vector<std::string> lines_of(Stream stream) const {
    std::vector<std::string> found;
    for (const auto& [from, line] : lines)
      if (from == stream) found.push_back(line);
    return found;
  }

  std::vector<std::pair<Stream, std::string>> lines;
  std::set<pid_t> pids;
  job::Job job;
  JobContext context{job, *this};

 private:
  job::Registry registry_;
  KindRegistry kinds_{registry_};
  std::optional<corun::Future<>> waiter_;
};

// The failure of a command that is to fail.
JobFailure failure_of(FakeHost& host, const std::string& args) {
  try {
    corun::run(host.exec(args));
  } catch (const JobFailure& failure) {
    return failure;
  }
  FAIL("no failure");
  return {"", ""};
}

bool no_children() { return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD; }

bool gone(pid_t pid) {
  for (int i = 0; i < 3000; ++i) {
    if (::kill(pid, 0) != 0 && errno == ESRCH) return true;
    ::usleep(10'000);
  }
  return false;
}

std::size_t open_descriptors() {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
  return n;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a command that succeeds gives its result, and its output line by line") {
  FakeHost host;
  Json result = corun::run(host.exec(R"({"argv":["sh","-c","echo one; echo two; printf three; echo oops >&2"]})"));
  CHECK(host.lines_of(Stream::out) == Lines{"one", "two", "three"});
  CHECK(host.lines_of(Stream::err) == Lines{"oops"});
  CHECK(result["exitCode"] == 0);
  CHECK_FALSE(result.contains("signal"));
  CHECK(result["stdoutTail"] == "one\ntwo\nthree");
  CHECK(result["stderrTail"] == "oops\n");
  CHECK(result["wallSeconds"].get<double>() > 0);
  CHECK(result["cpuSeconds"].get<double>() >= 0);
  CHECK(result["maxRssKiB"].get<int>() > 0);
  CHECK(host.job.record().usage.cpu_seconds.has_value());
  CHECK(host.pids.size() == 1);
  CHECK(*host.pids.begin() > 0);
  CHECK(no_children());
}

TEST_CASE("a command that writes more than a pipe holds before anybody looks loses nothing") {
  FakeHost host;
  Json result = corun::run(host.exec(R"({"shell":"head -c 300000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero | tr '\\0' y >&2; exec sleep 0.05"})"));
  std::size_t out = 0, err = 0;
  for (const std::string& line : host.lines_of(Stream::out)) out += line.size();
  for (const std::string& line : host.lines_of(Stream::err)) err += line.size();
  CHECK(out == 300'000);
  CHECK(err == 300'000);
  CHECK(result["stderrTail"] == std::string(1000, 'y'));
}

TEST_CASE("what is left in the pipes at the end is read to its last byte, whether it fills the daemon's buffer or not") {
  for (const std::size_t bytes : {1u, 99u, 16'383u, 16'384u, 16'385u, 32'768u, 40'000u, 65'536u}) {
    CAPTURE(bytes);
    FakeHost host;
    corun::run([&]() -> corun::Coro<> {
      const std::string write = "head -c " + std::to_string(bytes) + " /dev/zero | tr '\\\\0' x";
      co_await host.exec(R"({"shell":")" + write + "; " + write + R"( >&2"})");
    }());
    for (const Stream stream : {Stream::out, Stream::err}) {
      std::size_t got = 0;
      for (const std::string& line : host.lines_of(stream)) got += line.size();
      REQUIRE(got == bytes);
    }
  }
}

TEST_CASE("a pipe that its writer has put into packet mode is read to its last packet") {
  FakeHost host;
  corun::run(host.exec(R"({"argv":["dd","if=/dev/zero","bs=512","count=10","oflag=direct","status=none"]})"));
  std::size_t got = 0;
  for (const std::string& line : host.lines_of(Stream::out)) got += line.size();
  CHECK(got == 5'120);
}

TEST_CASE("a text goes to the shell, input to stdin; without any, stdin is empty") {
  FakeHost host;
  CHECK(corun::run(host.exec(R"({"shell":"cat | tr a-z A-Z","stdin":"input"})"))["stdoutTail"] == "INPUT");
  CHECK(corun::run(host.exec(R"({"shell":"cat; echo end"})"))["stdoutTail"] == "end\n");
  CHECK(corun::run(host.exec(R"({"shell":"exec true","stdin":"nobody reads this"})"))["exitCode"] == 0);
}

TEST_CASE("an exit status that is not zero fails the job, with the result all the same") {
  FakeHost host;
  JobFailure failure = failure_of(host, R"({"shell":"echo out; exit 3"})");
  CHECK(failure.type() == "ExitStatus");
  CHECK(std::string(failure.what()) == "exited with status 3");
  Json result = Json::parse(failure.result().view());
  CHECK(result["exitCode"] == 3);
  CHECK(result["stdoutTail"] == "out\n");
}

TEST_CASE("a command that a signal ends fails the job with the signal's name") {
  FakeHost host;
  JobFailure failure = failure_of(host, R"({"shell":"kill -TERM $$"})");
  CHECK(failure.type() == "Signal");
  CHECK(std::string(failure.what()) == "killed by SIGTERM");
  CHECK(Json::parse(failure.result().view())["signal"] == "SIGTERM");
}

TEST_CASE("a program that cannot be started says so") {
  FakeHost host;
  JobFailure missing = failure_of(host, R"({"argv":["no-such-program"]})");
  CHECK(missing.type() == "NotStarted");
  CHECK(std::string(missing.what()) == "cannot start no-such-program: exec: No such file or directory");
  CHECK(missing.result().view() == R"({"exitCode":127})");
  CHECK(failure_of(host, R"({"argv":["/etc/passwd"]})").result().view() == R"({"exitCode":126})");
  JobFailure nowhere = failure_of(host, R"({"argv":["true"],"cwd":"/nowhere"})");
  CHECK(std::string(nowhere.what()) == "cannot start true: changing to the directory /nowhere: No such file or directory");
  CHECK(nowhere.result().view() == "{}");
  CHECK(no_children());
}

TEST_CASE("directory, environment, umask and limits are the command's") {
  FakeHost host;
  ::setenv("NOTIFY_SOCKET", "/run/nobody", 1);
  Json result = corun::run(host.exec(
      R"({"shell":"pwd; umask; ulimit -Sn; echo $A-$NOTIFY_SOCKET-; ulimit -t","cwd":"/usr","env":{"A":"b"},"umask":"0077","limits":{"cpu":7}})"));
  ::unsetenv("NOTIFY_SOCKET");
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const std::string soft = std::to_string(std::min<rlim_t>(1024, files.rlim_max));
  CHECK(result["stdoutTail"] == "/usr\n0077\n" + soft + "\nb--\n7\n");
  CHECK(corun::run(host.exec(R"({"shell":"ulimit -Sn; ulimit -Hn","limits":{"openFiles":50}})"))["stdoutTail"] == "50\n50\n");
}

TEST_CASE("a long line is given out in parts, and the tails keep the end only") {
  FakeHost host;
  Json result = corun::run(host.exec(R"({"shell":"head -c 250 /dev/zero | tr '\\0' x; echo; seq 1 1000"})"));
  CHECK(host.lines.size() == 3 + 1000);
  CHECK(host.lines[0].second == std::string(100, 'x'));
  CHECK(host.lines[2].second == std::string(50, 'x'));
  const auto tail = result["stdoutTail"].get<std::string>();
  CHECK(tail.size() == 1000);
  CHECK(tail.substr(tail.size() - 5) == "1000\n");
}

TEST_CASE("output that is no text arrives as it is, and in the result as what JSON can hold") {
  FakeHost host;
  Json result = corun::run(host.exec(R"({"shell":"printf 'a\\377b\\000c\\n'"})"));
  CHECK(host.lines_of(Stream::out) == Lines{std::string("a\xff" "b\0c", 5)});
  CHECK(result["stdoutTail"] == "a\xEF\xBF\xBD" "b\xEF\xBF\xBD" "c\n");
}

TEST_CASE("a cancelled command is asked to end, cleans up, and the cancellation goes through") {
  FakeHost host;
  std::string message;
  corun::run([](FakeHost& h, std::string& text) -> corun::Coro<> {
    auto task = corun::create_task(h.exec(R"({"shell":"trap 'echo cleaning; exit 0' TERM; echo up; while :; do sleep 0.05; done"})"));
    co_await h.wait_lines(1);
    task.cancel("enough");
    try {
      co_await task;
    } catch (const corun::CancelledError& error) {
      text = error.message();
    }
  }(host, message));
  CHECK(message == "enough");
  CHECK(host.lines_of(Stream::out) == Lines{"up", "cleaning"});
  CHECK(no_children());
}

TEST_CASE("a second cancellation kills the whole group") {
  FakeHost host;
  bool cancelled = false;
  corun::run([](FakeHost& h, bool& through) -> corun::Coro<> {
    auto task = corun::create_task(h.exec(R"({"shell":"trap '' TERM; echo up; sleep 1000 & echo $!; while :; do sleep 0.05; done"})"));
    co_await h.wait_lines(2);
    task.cancel();
    for (int i = 0; i < 10; ++i) co_await corun::sleep(5ms);
    CHECK_FALSE(task.done());
    task.cancel();
    try {
      co_await task;
    } catch (const corun::CancelledError&) {
      through = true;
    }
  }(host, cancelled));
  CHECK(cancelled);
  CHECK(gone(std::stoi(host.lines_of(Stream::out).at(1))));
  CHECK(no_children());
}

TEST_CASE("a stopped command can be cancelled") {
  FakeHost host;
  bool cancelled = false;
  corun::run([](FakeHost& h, bool& through) -> corun::Coro<> {
    auto task = corun::create_task(h.exec(R"({"shell":"echo $$; kill -STOP $$; echo never"})"));
    co_await h.wait_lines(1);
    task.cancel();
    try {
      co_await task;
    } catch (const corun::CancelledError&) {
      through = true;
    }
  }(host, cancelled));
  CHECK(cancelled);
  CHECK(no_children());
}

TEST_CASE("what a command leaves behind is killed when it has ended, and nobody waits for its pipes") {
  FakeHost host;
  Json result = corun::run(host.exec(R"({"shell":"sleep 1000 & echo $!"})"));
  CHECK(result["exitCode"] == 0);
  CHECK(gone(std::stoi(host.lines.at(0).second)));
}

TEST_CASE("a grandchild that left the group cannot hold up the end by keeping the pipes") {
  FakeHost host;
  Json result = corun::run(host.exec(R"({"shell":"setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.2; echo last"})"));
  CHECK(result["exitCode"] == 0);
  CHECK(host.lines_of(Stream::out).back() == "last");
  ::kill(std::stoi(host.lines.at(0).second), SIGKILL);
}

TEST_CASE("commands at once leave neither children nor descriptors, cancelled or not") {
  FakeHost host;
  corun::run([](FakeHost& h) -> corun::Coro<> {
    const auto before = open_descriptors();
    std::vector<corun::Task<Json>> tasks;
    for (int i = 0; i < 40; ++i) tasks.push_back(corun::create_task(h.exec(i % 2 ? R"({"shell":"exec sleep 1000"})" : R"({"shell":"seq 100"})")));
    co_await corun::sleep(0s);
    for (std::size_t i = 1; i < tasks.size(); i += 2) tasks[i].cancel();
    int succeeded = 0, cancelled = 0;
    for (auto& task : tasks) {
      try {
        co_await task;
        ++succeeded;
      } catch (const corun::CancelledError&) {
        ++cancelled;
      }
    }
    CHECK(succeeded == 20);
    CHECK(cancelled == 20);
    CHECK(open_descriptors() == before);
  }(host));
  CHECK(no_children());
}
