// SPDX-License-Identifier: MIT
// The daemon as other programs of the Varlink world start it and ask it: io.systemd.service, $SYSTEMD_VARLINK_LISTEN, a connected descriptor 3,
// stdin and stdout.
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "integration/daemon.hpp"
#include "integration/private_daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::call_text;
using tests::Daemon;
using tests::error_of;
using tests::exited;
using tests::Json;
using tests::PrivateDaemon;
using tests::SocketClient;

namespace {

const std::pair<std::string, std::string> by_stdio = {"SYSTEMD_VARLINK_LISTEN", "-"};

std::vector<Json> frames_of(const std::string& bytes, char terminator = '\0') {
  std::vector<Json> frames;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto end = bytes.find(terminator, at);
    REQUIRE(end != std::string::npos);
    frames.push_back(Json::parse(bytes.substr(at, end - at)));
    at = end + 1;
  }
  return frames;
}

std::string run_text(const std::string& kind, const Json& args, char terminator = '\0') {
  return call_text("io.corund.Jobs.Run", {{"kind", kind}, {"args", args}}, terminator);
}

}  // namespace

TEST_CASE("io.systemd.service reloads and sets the log level as io.corund.Daemon does") {
  Daemon daemon({.config = "[log]\nlevel = \"warning\"\n"});
  SocketClient client(daemon);
  CHECK(client.ask("io.systemd.service.Ping") == Json{{"parameters", Json::object()}});
  CHECK(client.ask("io.systemd.service.SetLogLevel", {{"level", 6}}) == Json{{"parameters", Json::object()}});
  CHECK(client.ask("io.systemd.service.Reload") == Json{{"parameters", Json::object()}});
  CHECK(daemon.logs("reloaded, changed: nothing"));  // told as info, which the level lets through by now
  CHECK(client.ask("io.systemd.service.SetLogLevel", {{"level", 8}})["parameters"]["parameter"] == "level");

  tests::write_file(daemon.directory() / "corund.toml", "[stop]\ngrace = \"soon\"\n");
  const Json refused = client.ask("io.systemd.service.Reload");
  CHECK(refused["error"] == "io.corund.Daemon.BadConfiguration");
  CHECK(refused["parameters"]["faults"][0]["key"] == "stop.grace");
}

TEST_CASE("io.systemd.service tells the environment, and none of it where an entry is not fit to be told") {
  Daemon daemon({.environment = {{"GREETING", "gr\xc3\xbc\xc3\x9f dich=ja"}}});
  SocketClient client(daemon);
  const Json told = client.ask("io.systemd.service.GetEnvironment")["parameters"]["environment"];
  CHECK(std::find(told.begin(), told.end(), "GREETING=gr\xc3\xbc\xc3\x9f dich=ja") != told.end());

  Daemon bad({.environment = {{"GREETING", "gr\xfc\xdf"}}});
  CHECK(SocketClient(bad).ask("io.systemd.service.GetEnvironment")["error"] == "io.systemd.service.InconsistentEnvironment");
}

TEST_CASE("SYSTEMD_VARLINK_LISTEN adds a socket to the daemon's own, and no command sees it") {
  tests::TempDir directory;
  const std::string path = directory / "there/too";
  {
    Daemon daemon({.environment = {{"SYSTEMD_VARLINK_LISTEN", path}}});
    CHECK(daemon.logs("ready at " + daemon.socket() + ", " + path));
    for (const auto& where : {daemon.socket(), path}) {
      SocketClient client(where);
      CHECK(error_of(client.run("echo")) == "");
    }
    SocketClient client(path);
    const Json environment = client.run("exec", {{"argv", {"env"}}})["parameters"]["result"]["stdoutTail"];
    CHECK(environment.get<std::string>().find("SYSTEMD_VARLINK_LISTEN") == std::string::npos);
    Daemon second({.environment = {{"SYSTEMD_VARLINK_LISTEN", path}}, .wait_until_ready = false});
    CHECK(second.wait() == exited(1));
    CHECK(second.log().find("pid " + std::to_string(daemon.pid())) != std::string::npos);
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == exited(0));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("SYSTEMD_VARLINK_LISTEN may say what is listened at anyway, and nothing but a path or a dash") {
  tests::TempDir directory;
  const std::string path = directory / "s";
  Daemon daemon({.arguments = {"--socket", path}, .environment = {{"SYSTEMD_VARLINK_LISTEN", path}}});
  CHECK(error_of(SocketClient(path).run("echo")) == "");
  Daemon confused({.environment = {{"SYSTEMD_VARLINK_LISTEN", "here"}}, .wait_until_ready = false});
  CHECK(confused.wait() == exited(1));
  CHECK(confused.log().find("neither an absolute path nor '-'") != std::string::npos);
  CHECK(confused.last_notification().ends_with("\nERRNO=22"));
}

TEST_CASE("a daemon that is passed one connection serves it and ends with it, beside the one that has the store") {
  tests::TempDir state;
  Daemon first({.arguments = {"--state", state / "corund"}});
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  PrivateDaemon daemon({.environment = {{"STATE_DIRECTORY", state / "corund"}}, .passed = pair[1]});
  ::close(pair[1]);
  {
    SocketClient client(pair[0]);
    CHECK(client.run("echo", {{"x", 1}})["parameters"]["result"]["x"] == 1);
    CHECK(client.ask("io.corund.Jobs.Submit", {{"kind", "echo"}})["parameters"]["ack"] == "memory");
  }
  CHECK(daemon.wait() == exited(0));
}

TEST_CASE("on stdin and stdout: calls are answered in order, and their end is the daemon's when all replies are out") {
  PrivateDaemon daemon({.arguments = {"--log-level", "info"}, .environment = {by_stdio}});
  daemon.write(run_text("sleep", {{"seconds", 0.2}}) + run_text("echo", {{"x", std::string(300'000, 'x')}}));
  daemon.write(call_text("io.systemd.service.Ping", Json::object()) + run_text("exec", {{"argv", {"sh", "-c", "echo out; cat; exit 3"}}}));
  daemon.close_in();
  const auto replies = frames_of(daemon.read_all());
  REQUIRE(replies.size() == 4);
  CHECK(replies[0]["parameters"]["result"]["seconds"] == 0.2);
  CHECK(replies[1]["parameters"]["result"]["x"].get<std::string>().size() == 300'000);
  CHECK(replies[2] == Json{{"parameters", Json::object()}});
  CHECK(replies[3]["parameters"]["result"]["stdoutTail"] == "out\n");
  CHECK(daemon.wait() == exited(0));
  CHECK(daemon.log().find("ready at stdin and stdout") != std::string::npos);
}

TEST_CASE("on stdin and stdout: the peer is who started the daemon, and its state is its own") {
  tests::TempDir state;
  Daemon first({.arguments = {"--state", state / "corund"}});
  PrivateDaemon daemon({.environment = {by_stdio, {"STATE_DIRECTORY", state / "corund"}, {"CORUND_SOCKET", first.socket()}}});
  daemon.write(call_text("io.corund.Daemon.Status", Json::object()) + call_text("io.corund.Jobs.Submit", {{"kind", "echo"}}));
  std::string bytes;
  while (std::count(bytes.begin(), bytes.end(), '\0') < 2) bytes += daemon.read_some();
  const auto replies = frames_of(bytes);
  CHECK(replies[0]["parameters"]["pid"] == daemon.pid());
  CHECK(replies[1]["parameters"]["ack"] == "memory");
  daemon.write(call_text("io.corund.Jobs.Wait", {{"id", replies[1]["parameters"]["id"]}}));
  daemon.close_in();
  const auto job = frames_of(daemon.read_all()).at(0)["parameters"]["job"];
  CHECK(job["ownerUid"] == ::getuid());
  CHECK(daemon.wait() == exited(0));
  CHECK(daemon.log() == "");  // all went well: nothing to say beside the replies
}

TEST_CASE("on stdin and stdout: with a store that is asked for, what is promised is on disk") {
  tests::TempDir state;
  const std::vector<std::string> arguments = {"--state", state / "own"};
  std::string id;
  {
    PrivateDaemon daemon({.arguments = arguments, .environment = {by_stdio}});
    daemon.write(call_text("io.corund.Jobs.Submit", {{"kind", "echo"}}));
    daemon.close_in();
    const auto reply = frames_of(daemon.read_all()).at(0);
    CHECK(reply["parameters"]["ack"] == "disk");
    id = reply["parameters"]["id"];
    CHECK(daemon.wait() == exited(0));
  }
  PrivateDaemon daemon({.arguments = arguments, .environment = {by_stdio}});
  daemon.write(call_text("io.corund.Jobs.Wait", {{"id", id}}));
  daemon.close_in();
  CHECK(frames_of(daemon.read_all()).at(0)["parameters"]["job"]["state"] == "succeeded");
}

TEST_CASE("on stdin and stdout: nobody at stdout is a hang-up, and ends what runs for it") {
  PrivateDaemon daemon({.environment = {by_stdio}});
  daemon.write(call_text("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 3600}}}}, '\0', {{"more", true}}));
  REQUIRE(daemon.read_some().find("queued") != std::string::npos);
  daemon.close_out();  // stdin is still open
  CHECK(daemon.wait() == exited(0));
}

TEST_CASE("on stdin and stdout: a stop sends the replies owed") {
  PrivateDaemon daemon({.environment = {by_stdio}});
  daemon.write(call_text("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 0.5}}}}, '\0', {{"more", true}}));
  std::string bytes;
  while (bytes.find("started") == std::string::npos) bytes += daemon.read_some();
  REQUIRE(::kill(daemon.pid(), SIGTERM) == 0);
  bytes += daemon.read_all();
  CHECK(daemon.wait() == exited(0));
  CHECK(frames_of(bytes).back()["parameters"]["state"] == "succeeded");
}

TEST_CASE("on files: calls from one, replies into another, as a person would write them") {
  tests::TempDir directory;
  tests::write_file(directory / "calls", run_text("echo", {{"x", 1}}, '\n') + "\n{\"method\": \"io.systemd.service.Ping\"}\n");
  const int in = ::open((directory / "calls").c_str(), O_RDONLY | O_CLOEXEC);
  const int out = ::open((directory / "replies").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  PrivateDaemon daemon({.environment = {by_stdio}, .in = in, .out = out});
  ::close(in);
  ::close(out);
  CHECK(daemon.wait() == exited(0));
  const auto replies = frames_of(tests::read_file(directory / "replies"), '\n');
  REQUIRE(replies.size() == 2);
  CHECK(replies[0]["parameters"]["result"] == Json{{"x", 1}});
}

TEST_CASE("on one socket that is stdin and stdout: the peer is who the kernel says") {
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  PrivateDaemon daemon({.environment = {by_stdio}, .in = pair[1], .out = pair[1]});
  ::close(pair[1]);
  {
    SocketClient client(pair[0]);
    const Json job = client.wait(client.ask("io.corund.Jobs.Submit", {{"kind", "echo"}})["parameters"]["id"]);
    CHECK(job["ownerUid"] == ::getuid());
    client.half_close();
    CHECK(client.at_end());
  }
  CHECK(daemon.wait() == exited(0));
}

TEST_CASE("on a terminal: a call typed is answered, and the terminal's settings and flags are left alone") {
  int master = -1, slave = -1;
  REQUIRE(::openpty(&master, &slave, nullptr, nullptr, nullptr) == 0);
  for (int fd : {master, slave}) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  PrivateDaemon daemon({.environment = {by_stdio}, .in = slave, .out = slave});
  const std::string typed = "{\"method\":\"io.systemd.service.Ping\"}\n";
  REQUIRE(::write(master, typed.data(), typed.size()) == static_cast<ssize_t>(typed.size()));
  std::string seen;
  CHECK(tests::eventually([&] {
    char bytes[4096];
    ::fcntl(master, F_SETFL, O_NONBLOCK);
    const ssize_t n = ::read(master, bytes, sizeof bytes);
    if (n > 0) seen.append(bytes, static_cast<std::size_t>(n));
    return seen.find("{\"parameters\":{}}") != std::string::npos;
  }));
  CHECK((::fcntl(slave, F_GETFL) & O_NONBLOCK) == 0);
  REQUIRE(::write(master, "\x04", 1) == 1);  // Ctrl-D
  CHECK(daemon.wait() == exited(0));
  ::close(master);
  ::close(slave);
}
