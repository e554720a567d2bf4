// SPDX-License-Identifier: MIT
// How it starts, or does not: options, configuration, plugins, a second one beside the first.
#include <signal.h>
#include <sys/stat.h>

#include <cerrno>

#include "integration/daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::Daemon;
using tests::error_of;
using tests::exited;
using tests::Json;
using tests::SocketClient;

TEST_CASE("a second daemon on the same socket is refused and names the first") {
  Daemon first;
  Daemon second({.arguments = {"--socket", first.socket()}, .wait_until_ready = false});
  CHECK(second.wait() == exited(1));
  CHECK(second.log().find("pid " + std::to_string(first.pid())) != std::string::npos);
  SocketClient client(first);
  CHECK(error_of(client.run("echo")) == "");
}

TEST_CASE("a stale socket is replaced, anything else at its path is not") {
  std::string path;
  {
    Daemon killed;
    path = killed.directory() / "other";
    Daemon dead({.arguments = {"--socket", path}});
    dead.signal(SIGKILL);
    dead.wait();
    REQUIRE(std::filesystem::exists(path));
    Daemon again({.arguments = {"--socket", path}});
    SocketClient client(path);
    CHECK(error_of(client.run("echo")) == "");

    const std::string file = killed.directory() / "file";
    tests::write_file(file, "precious");
    Daemon refused({.arguments = {"--socket", file}, .wait_until_ready = false});
    CHECK(refused.wait() == exited(1));
    CHECK(tests::read_file(file) == "precious");
  }
}

TEST_CASE("the socket has the configured mode") {
  Daemon daemon({.config = "[socket]\nmode = \"0600\"\n"});
  struct stat status {};
  REQUIRE(::stat(daemon.socket().c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
}

TEST_CASE("all faults of a configuration are told at once, with file, line and key") {
  Daemon daemon({.config = "[stop]\ngrace = \"soon\"\n[nonsense]\nx = 1\n", .wait_until_ready = false});
  CHECK(daemon.wait() == exited(6));
  const std::string log = daemon.log();
  INFO(log);
  CHECK(log.find("corund.toml:2: stop.grace") != std::string::npos);
  CHECK(log.find("nonsense") != std::string::npos);
}

TEST_CASE("--check-config reports and exits") {
  Daemon good({.arguments = {"--check-config"}, .wait_until_ready = false});
  CHECK(good.wait() == exited(0));
  Daemon bad({.config = "[stop]\ngrace = -1\n", .arguments = {"--check-config"}, .wait_until_ready = false});
  CHECK(bad.wait() == exited(6));
}

TEST_CASE("wrong usage is told apart, and the version is told") {
  Daemon usage({.arguments = {"--nonsense"}, .wait_until_ready = false});
  CHECK(usage.wait() == exited(2));
  Daemon level({.arguments = {"--log-level", "loud"}, .wait_until_ready = false});
  CHECK(level.wait() == exited(2));
  Daemon version({.arguments = {"--version"}, .wait_until_ready = false});
  CHECK(version.wait() == exited(0));
  CHECK(version.log().starts_with("corund "));
}

TEST_CASE("a plugin that does not fit is left out, and the log says both sides") {
  const std::string folder = REFUSED_PLUGINS;
  std::vector<std::string> plugins;
  for (const char* name : {"entry", "abi", "throws", "taken", "none", "schema"}) plugins.push_back(folder + "/corund-refused-" + name + ".so");
  Daemon daemon({.more_plugins = plugins});
  for (const char* text : {"plugin entry version 2, this corund has version 1", "built as [another compiler], this corund as [",
                           "no licence for this plugin", "there is a kind 'echo' already (built in)", "has no symbol corund_plugin_v1",
                           "the args schema of kind 'refused.schema' is none"})
    CHECK(daemon.logs(text));
  SocketClient client(daemon);
  CHECK(error_of(client.run("probe.get")) == "");
  CHECK(error_of(client.run("refused.taken")) == "KindNotFound");  // nothing of a refused plugin stays
  CHECK(error_of(client.run("refused.throws")) == "KindNotFound");
}

TEST_CASE("where plugins are required, one that does not fit keeps the daemon from starting") {
  const std::string folder = REFUSED_PLUGINS;
  Daemon daemon({.config = "[plugins]\nrequired = true\n", .more_plugins = {folder + "/corund-refused-throws.so"}, .wait_until_ready = false});
  CHECK(daemon.wait() == exited(1));
  CHECK(daemon.log().find("no licence for this plugin") != std::string::npos);
}

TEST_CASE("a start that fails tells the manager why, as far as an errno or an error of the interfaces can say it") {
  const auto told = [](tests::DaemonOptions options, int code = 1) {
    options.wait_until_ready = false;
    Daemon daemon(std::move(options));
    CHECK(daemon.wait() == exited(code));
    return daemon.last_notification();
  };
  const auto ends_with = [](const std::string& text, const std::string& end) {
    INFO(text);
    CHECK(text.starts_with("STATUS="));
    CHECK(text.ends_with(end));
  };
  const auto errno_line = [](int number) { return "\nERRNO=" + std::to_string(number); };

  Daemon first;
  const std::string in_use = told({.arguments = {"--socket", first.socket()}});
  ends_with(in_use, errno_line(EADDRINUSE));
  CHECK(in_use.find("pid " + std::to_string(first.pid())) != std::string::npos);

  const std::string locked = told({.arguments = {"--state", first.directory() / "state"}});
  ends_with(locked, errno_line(EBUSY));
  CHECK(locked.find("pid " + std::to_string(first.pid())) != std::string::npos);

  ends_with(told({.config = "[stop]\ngrace = \"soon\"\n[nonsense]\nx = 1\n"}, 6),
            " (and 1 more)" + errno_line(EINVAL) + "\nVARLINKERROR=io.corund.Daemon.BadConfiguration");
  ends_with(told({.arguments = {"--socket", "/proc/self/none/s"}}), errno_line(ENOENT));
  ends_with(told({.arguments = {"--socket", first.directory() / std::string(200, 'x')}}), errno_line(ENAMETOOLONG));
  tests::write_file(first.directory() / "file", "");
  ends_with(told({.arguments = {"--state", first.directory() / "file/state"}}), errno_line(ENOTDIR));

  std::filesystem::create_directory(first.directory() / "none");
  tests::write_file(first.directory() / "none/jobs.db", std::string(10'000, 'x'));
  ends_with(told({.arguments = {"--state", first.directory() / "none"}}), errno_line(EBADMSG));
}
