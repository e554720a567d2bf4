// SPDX-License-Identifier: MIT
// The real corunctl against a daemon that does what each test says.
#include "client/corunctl_process.hpp"
#include "client/fake_daemon.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <future>
#include <mutex>

using namespace tests;
using Json = nlohmann::json;

namespace {

// One call, kept for the test to look at when corunctl has ended, and what it is answered with.
class OneCall {
 public:
  FakeDaemon::Talk with(std::function<void(Conversation&)> answer) {
    return [this, answer = std::move(answer)](Conversation& conversation) {
      auto got = conversation.next();
      if (!got) return;
      {
        std::lock_guard lock(mutex_);
        call_ = *got;
      }
      answer(conversation);
    };
  }
  Call call() const {
    std::lock_guard lock(mutex_);
    return call_;
  }

 private:
  mutable std::mutex mutex_;
  Call call_;
};

bool contains(const std::string& text, const std::string& piece) { return text.find(piece) != std::string::npos; }

void started(Conversation& it) {
  it.event("queued", {{"state", "queued"}});
  it.event("started", {{"state", "running"}});
}

}  // namespace

TEST_CASE("run prints the result of its job") {
  OneCall one;
  FakeDaemon daemon({one.with([](Conversation& it) {
    started(it);
    it.reply({{"id", "J1"}, {"state", "succeeded"}, {"result", {{"x", 1}}}});
  })});
  Ran ran = run_corunctl(daemon, {"run", "--timeout", "2min", "--label", "a=b", "--attempts", "3", "echo", "x=1", "t=hi"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "{\"x\":1}\n");
  CHECK(ran.err == "");
  CHECK(one.call().method == "io.corund.Jobs.Run");
  CHECK(one.call().more);
  CHECK(one.call().parameters == Json::parse(R"({"kind":"echo","args":{"x":1,"t":"hi"},"timeout":120.0,"retry":{"max":3},"labels":{"a":"b"}})"));
}

TEST_CASE("exec writes what the command writes, and exits as it does") {
  OneCall one;
  FakeDaemon daemon({one.with([](Conversation& it) {
    started(it);
    it.event("output", {{"stream", "stdout"}, {"text", "out 1"}});
    it.event("output", {{"stream", "stderr"}, {"text", "err"}});
    it.event("output", {{"stream", "stdout"}, {"text", "out 2"}});
    it.error("io.corund.Jobs.JobFailed", {{"id", "J1"}, {"type", "ExitStatus"}, {"message", "exit status 3"}, {"result", {{"exitCode", 3}}}});
  })});
  Ran ran = run_corunctl(daemon, {"exec", "sh", "-c", "echo out"}, {"CORUNCTL_MARK=yes"});
  CHECK(ran.code == 3);
  CHECK(ran.out == "out 1\nout 2\n");
  CHECK(ran.err == "err\n");
  CHECK(one.call().parameters["kind"] == "exec");
  CHECK(one.call().parameters["args"]["argv"] == Json({"sh", "-c", "echo out"}));
  CHECK(one.call().parameters["args"]["cwd"] == std::filesystem::current_path().string());
  CHECK(one.call().parameters["args"]["env"]["CORUNCTL_MARK"] == "yes");
}

TEST_CASE("output is written when it comes, not when the job ends") {
  std::promise<void> seen;
  FakeDaemon daemon({[&](Conversation& it) {
    it.next();
    started(it);
    it.event("output", {{"stream", "stdout"}, {"text", "early"}});
    it.event("output", {{"stream", "stderr"}, {"text", "now"}});
    seen.get_future().wait();
    it.reply({{"id", "J1"}, {"state", "succeeded"}, {"result", Json::object()}});
  }});
  Corunctl client(daemon.socket(), {"exec", "x"});
  std::string out;
  while (out.size() < 6) out += client.read_some();
  CHECK(out == "early\n");
  seen.set_value();
  CHECK(client.wait().code == 0);
}

TEST_CASE("how a job ended is the exit code, and is said") {
  struct Case {
    const char* error;
    Json parameters;
    int code;
    const char* words;
  };
  for (const Case& each : std::vector<Case>{
           {"io.corund.Jobs.JobFailed", {{"id", "J1"}, {"type", "Signal"}, {"message", "killed"}, {"result", {{"signal", "SIGKILL"}}}}, 137, "killed"},
           {"io.corund.Jobs.JobFailed", {{"id", "J1"}, {"type", "std::runtime_error"}, {"message", "no luck"}}, 1, "std::runtime_error: no luck"},
           {"io.corund.Jobs.JobTimedOut", {{"id", "J1"}, {"timeout", 1.5}}, 124, "1.5 seconds"},
           {"io.corund.Jobs.JobCancelled", {{"id", "J1"}, {"reason", "by root"}}, 130, "by root"},
           {"io.corund.Jobs.JobLost", {{"id", "J1"}}, 1, "corunctl retry J1"},
           {"io.corund.Jobs.KindNotFound", {{"kind", "ehco"}}, 125, "corunctl kinds"},
           {"io.corund.Jobs.Draining", Json::object(), 125, "stopping"},
           {"org.varlink.service.InvalidParameter", {{"parameter", "args.x"}}, 125, "'args.x'"},
           {"org.varlink.service.PermissionDenied", Json::object(), 125, "[access]"},
       }) {
    INFO(each.error);
    OneCall one;
    FakeDaemon daemon({one.with([&](Conversation& it) { it.error(each.error, each.parameters); })});
    Ran ran = run_corunctl(daemon, {"run", "ehco"});
    CHECK(ran.code == each.code);
    CHECK(ran.out == "");
    CHECK(ran.err.starts_with("corunctl: "));
    CHECK(contains(ran.err, each.words));
  }
}

TEST_CASE("the first Ctrl-C cancels the job, the second one by force") {
  std::promise<Call> first, second;
  auto keep = [](std::promise<Call>& promise) {
    return [&promise](Conversation& it) {
      promise.set_value(it.next().value());
      it.next();  // until it hangs up
    };
  };
  std::promise<void> running;
  std::shared_future<Call> forced = second.get_future().share();
  FakeDaemon daemon({[&](Conversation& it) {
                       it.next();
                       started(it);
                       it.event("output", {{"stream", "stdout"}, {"text", "on"}});
                       forced.wait();
                       it.error("io.corund.Jobs.JobCancelled", {{"id", "J1"}, {"reason", "interrupted"}});
                     },
                     keep(first), keep(second)});
  Corunctl client(daemon.socket(), {"exec", "sleep", "100"});
  CHECK(client.read_some() == "on\n");
  client.signal(SIGINT);
  Call cancel = first.get_future().get();
  CHECK(cancel.method == "io.corund.Jobs.Cancel");
  CHECK(cancel.parameters["id"] == "J1");
  CHECK_FALSE(cancel.parameters.contains("force"));
  client.signal(SIGINT);
  CHECK(forced.get().parameters["force"] == true);
  CHECK(client.wait().code == 130);
}

TEST_CASE("a third Ctrl-C leaves at once, whatever the daemon does") {
  std::promise<void> first, second;
  auto keep = [](std::promise<void>& promise) {
    return [&promise](Conversation& it) {
      it.next();
      promise.set_value();
      it.next();
    };
  };
  FakeDaemon daemon({[&](Conversation& it) {
                       it.next();
                       started(it);
                       it.event("output", {{"stream", "stdout"}, {"text", "on"}});
                       it.next();
                     },
                     keep(first), keep(second)});
  Corunctl client(daemon.socket(), {"run", "sleep", "seconds=100"});
  client.read_some();
  client.signal(SIGINT);
  first.get_future().wait();
  client.signal(SIGTERM);
  second.get_future().wait();
  client.signal(SIGINT);
  CHECK(client.wait().code == 130);
}

TEST_CASE("a Ctrl-C before the job has an id is passed on once it has one, and a refusal is said") {
  std::promise<Call> cancelled;
  std::promise<void> interrupted, refused;
  FakeDaemon daemon({[&](Conversation& it) {
                       it.next();
                       interrupted.get_future().wait();
                       it.event("queued", {{"state", "queued"}});
                       refused.get_future().wait();
                       it.reply({{"id", "J1"}, {"state", "succeeded"}, {"result", Json::object()}});
                     },
                     [&](Conversation& it) {
                       cancelled.set_value(it.next().value());
                       it.error("org.varlink.service.PermissionDenied", Json::object());
                       it.next();  // until it has read that and hangs up
                       refused.set_value();
                     }});
  Corunctl client(daemon.socket(), {"run", "sleep", "seconds=100"});
  client.wait_for_blocked(SIGINT);
  client.signal(SIGINT);
  interrupted.set_value();
  CHECK(cancelled.get_future().get().parameters["id"] == "J1");
  Ran ran = client.wait();
  CHECK(ran.code == 0);
  CHECK(contains(ran.err, "cannot cancel: "));
}

TEST_CASE("where nobody listens the client says what to do") {
  Ran ran = Corunctl(std::string("/nonexistent/corund.sock"), {"status"}).wait();
  CHECK(ran.code == 125);
  CHECK(contains(ran.err, "/nonexistent/corund.sock"));
  CHECK(contains(ran.err, "systemctl start corund"));
}

TEST_CASE("a daemon that goes away, or speaks something else, is named") {
  FakeDaemon gone({[](Conversation& it) { it.next(); }});
  Ran ran = run_corunctl(gone, {"run", "echo"});
  CHECK(ran.code == 125);
  CHECK(contains(ran.err, "closed the connection"));
  FakeDaemon other({[](Conversation& it) {
    it.next();
    it.bytes("HTTP/1.1 400 Bad Request\r\n\r\n");
  }});
  ran = run_corunctl(other, {"status"});
  CHECK(ran.code == 125);
  CHECK(contains(ran.err, "does not speak varlink"));
}

TEST_CASE("--json prints the objects of the wire, one a line, errors too") {
  OneCall one;
  FakeDaemon daemon({one.with([](Conversation& it) {
    it.event("queued", {{"state", "queued"}});
    it.bytes("{\"parameters\":{\"id\":\"J1\",\n\"result\":{}},\n\"continues\":false}");
    it.bytes(std::string_view("\0", 1));
  })});
  Ran ran = run_corunctl(daemon, {"run", "--json", "echo"});
  CHECK(ran.code == 0);
  CHECK(ran.out ==
        "{\"event\":{\"id\":\"J1\",\"state\":\"queued\",\"timestampUSec\":1700000000000000,\"type\":\"queued\"}}\n"
        "{\"id\":\"J1\", \"result\":{}}\n");
  FakeDaemon refusing({one.with([](Conversation& it) { it.error("io.corund.Jobs.JobNotFound", {{"id", "x"}}); })});
  ran = run_corunctl(refusing, {"show", "--json", "x"});
  CHECK(ran.code == 125);
  CHECK(ran.out == "{\"error\":\"io.corund.Jobs.JobNotFound\",\"parameters\":{\"id\":\"x\"}}\n");
  CHECK(contains(ran.err, "corunctl list"));
}

TEST_CASE("wait asks for all jobs at once, and exits as the first one that did not succeed") {
  std::promise<Call> third;
  FakeDaemon daemon({[&](Conversation& it) {
    it.next();
    it.next();
    third.set_value(it.next().value());  // all three before the first answer
    auto ended = [&](const char* id, const char* state, Json result) {
      it.reply({{"job", {{"id", id}, {"state", state}, {"startedUSec", 1}, {"endedUSec", 2000001}, {"result", result}}}});
    };
    ended("a", "succeeded", {{"exitCode", 0}});
    ended("b", "failed", {{"exitCode", 4}});
    it.error("io.corund.Jobs.WaitTimedOut", {{"id", "c"}});
  }});
  Ran ran = run_corunctl(daemon, {"wait", "a", "b", "c", "--timeout", "3"});
  CHECK(ran.code == 4);
  CHECK(ran.out == "a succeeded after 2s\nb failed after 2s\n");
  CHECK(contains(ran.err, "job c has not ended"));
  CHECK(third.get_future().get().parameters == Json::parse(R"({"id":"c","timeout":3.0})"));
}

TEST_CASE("list writes a line a job, with tabs where there is no terminal") {
  OneCall one;
  FakeDaemon daemon({one.with([](Conversation& it) {
    it.reply({{"job", {{"id", "A"}, {"kind", "exec"}, {"state", "failed"}, {"group", "exec"}, {"submittedUSec", 0}, {"startedUSec", 5}, {"endedUSec", 3000005},
                       {"args", {{"argv", {"ls", "-l"}}}}}}}, true);
    it.reply({{"job", nullptr}});
  })});
  Ran ran = run_corunctl(daemon, {"list", "--state", "failed", "--state", "lost", "--limit", "7", "--label", "a=b", "--until", "@5"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "A\texec\tfailed\texec\t-\t3s\tls -l\n");
  CHECK(one.call().more);
  CHECK(one.call().parameters == Json::parse(R"({"states":["failed","lost"],"labels":{"a":"b"},"untilUSec":5000000,"limit":7})"));
}

TEST_CASE("cancel says what came of it, and fails where the job is still there") {
  FakeDaemon daemon({FakeDaemon::serving([](Conversation& it, const Call& call) {
    if (call.parameters["id"] == "a")
      it.reply({{"outcome", "unwound"}, {"state", "cancelled"}, {"seconds", 0.25}, {"suspendedAt", {{"function", "f"}, {"file", "x.cpp"}, {"line", 7}}}, {"escalated", nullptr}});
    else
      it.reply({{"outcome", "running"}, {"state", "running"}, {"seconds", 3.0}, {"suspendedAt", nullptr}, {"escalated", "SIGKILL"}});
  })});
  Ran ran = run_corunctl(daemon, {"cancel", "a", "b", "--reason", "why"});
  CHECK(ran.code == 1);
  CHECK(contains(ran.out, "a cancelled after 250ms (it was suspended in f, x.cpp:7)\n"));
  CHECK(contains(ran.out, "b is still there"));
  CHECK(contains(ran.out, "escalated: SIGKILL"));
  CHECK(contains(ran.out, "end it with --force"));
  ran = run_corunctl(daemon, {"cancel", "--force", "b"});
  CHECK(ran.code == 1);
  CHECK(contains(ran.out, "b is still there although it was ended by force"));
  CHECK_FALSE(contains(ran.out, "--force"));
}

TEST_CASE("a job that a daemon refuses because it ends goes to the next one, once") {
  const FakeDaemon::Talk ends = [](Conversation& it) {
    it.next();
    it.error("io.corund.Jobs.Draining", Json::object());
  };
  const FakeDaemon::Talk next = [](Conversation& it) {
    auto call = it.next();
    if (!call) return;
    if (!call->more) return it.reply({{"id", "J9"}, {"ack", "memory"}});
    started(it);
    it.reply({{"id", "J1"}, {"result", Json::object()}});
  };
  for (const char* verb : {"run", "submit"}) {
    INFO(verb);
    FakeDaemon replaced({ends, next});
    CHECK(run_corunctl(replaced, {verb, "echo"}).code == 0);
    std::promise<std::string> path;
    FakeDaemon gone({[&](Conversation& it) {
      it.next();
      std::filesystem::remove(path.get_future().get());  // and nobody takes its place
      it.error("io.corund.Jobs.Draining", Json::object());
    }});
    path.set_value(gone.socket());
    Ran alone = run_corunctl(gone, {verb, "echo"});
    CHECK(alone.code == 125);
    CHECK(contains(alone.err, "the daemon is stopping"));
    FakeDaemon still_ending({ends, ends, next});
    Ran ran = run_corunctl(still_ending, {verb, "echo"});
    CHECK(ran.code == 125);
    CHECK(contains(ran.err, "the daemon is stopping"));
  }
}

TEST_CASE("submit prints the id") {
  OneCall one;
  FakeDaemon daemon({one.with([](Conversation& it) { it.reply({{"id", "J9"}, {"ack", "memory"}}); })});
  Ran ran = run_corunctl(daemon, {"submit", "--after", "J1", "--after", "J2", "exec", "--", "make", "-j2"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "J9\n");
  CHECK(one.call().method == "io.corund.Jobs.Submit");
  CHECK(one.call().parameters["after"] == Json({"J1", "J2"}));
  CHECK(one.call().parameters["args"]["argv"] == Json({"make", "-j2"}));
}

TEST_CASE("logs show the entries that the daemon answers with, and not the empty last reply") {
  OneCall one;
  FakeDaemon daemon({one.with([](Conversation& it) {
    it.reply({{"timestampUSec", 0}, {"level", 6}, {"stream", "stdout"}, {"text", "line\x1b"}}, true);
    it.reply({{"level", 4}, {"stream", "daemon"}, {"text", "said"}}, true);
    it.reply(Json::object());
  })});
  Ran ran = run_corunctl(daemon, {"logs", "J1", "-f", "-n", "5"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "-  stdout: line^[\n-  daemon: said\n");
  CHECK(one.call().method == "io.corund.Jobs.Logs");
  CHECK(one.call().more);
  CHECK(one.call().parameters == Json::parse(R"({"id":"J1","follow":true,"lines":5})"));
}

TEST_CASE("call passes anything on") {
  OneCall one;
  FakeDaemon daemon({one.with([](Conversation& it) {
    it.reply({{"n", 1}}, true);
    it.reply({{"n", 2}});
  })});
  Ran ran = run_corunctl(daemon, {"call", "--more", "a.b.C", R"({"x": [1]})"});
  CHECK(ran.code == 0);
  CHECK(ran.out == "{\"n\":1}\n{\"n\":2}\n");
  CHECK(one.call().method == "a.b.C");
  CHECK(one.call().parameters == Json::parse(R"({"x":[1]})"));
}

TEST_CASE("a wrong command line is refused before anybody is called") {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {}, {"bogus"}, {"run"}, {"run", "echo", "x"}, {"list", "--state", "odd"}, {"wait"}, {"remove"}, {"run", "--timeout", "soon", "echo"}, {"exec", "--bogus", "ls"}}) {
    Ran ran = Corunctl(std::string("/nonexistent"), words).wait();
    INFO(ran.err);
    CHECK(ran.code == 125);
    CHECK_FALSE(ran.err.empty());
  }
}

TEST_CASE("the status is said in words") {
  OneCall one;
  FakeDaemon daemon({one.with([](Conversation& it) {
    it.reply({{"version", "1.2"}, {"state", "running"}, {"pid", 42}, {"startedUSec", 1}, {"jobs", {{"running", 2}, {"failed", 0}}},
              {"groups", {{{"name", "exec"}, {"limit", 4}, {"running", 2}, {"queued", 1}, {"paused", true}}}},
              {"loopLag", {{"p50", 0.00001}, {"p99", 0.001}, {"max", 0.5}}}, {"steps", 7}, {"tasks", 3}, {"sessions", 1},
              {"executorThreads", 2}, {"executorBusy", 0}, {"journalDropped", 0}});
  })});
  Ran ran = run_corunctl(daemon, {"status"});
  CHECK(ran.code == 0);
  CHECK(contains(ran.out, "corund: 1.2, pid 42, running\n"));
  CHECK(contains(ran.out, "jobs: 2 running\n"));
  CHECK(contains(ran.out, "group: exec: 2 of 4 running, 1 queued, paused\n"));
  CHECK(one.call().method == "io.corund.Daemon.Status");
}
