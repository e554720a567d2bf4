// SPDX-License-Identifier: MIT
#include "config/load.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/catch.hpp"

using namespace corund::config;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// A directory of its own that goes with the test.
struct Directory {
  Directory() {
    char name[] = "/tmp/corund-config-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Directory() { fs::remove_all(path); }
  std::string write(const std::string& name, const std::string& text) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
    return (path / name).string();
  }
  fs::path path;
};

Faults faults_of(std::string_view text) {
  auto config = parse(text, "corund.toml");
  return config ? Faults{} : config.error();
}

// The one fault of a text; fails the test where there is not exactly one.
Fault fault_of(std::string_view text) {
  auto faults = faults_of(text);
  INFO(text);
  REQUIRE(faults.size() == 1);
  return faults.front();
}

}  // namespace

TEST_CASE("an empty configuration is the defaults") {
  auto config = parse("", "corund.toml");
  REQUIRE(config.has_value());
  CHECK(*config == Config{});
  CHECK(*load({}) == Config{});
  CHECK(config->groups.at("exec").limit >= 1);
}

TEST_CASE("every kind of value is read into its type") {
  auto config = parse(R"(
[runner]
debug = true
slow_callback = "250ms"
[socket]
path = "/tmp/x.sock"
mode = "0600"
group = "staff"
[limits]
frame_bytes = "1MiB"
args_bytes = 65536
partial_frame_timeout = 2.5
[groups.exec]
limit = 3
[groups.images]
limit = "cpus"
[stop]
grace = 0
[plugins]
directories = ["/a", "/b"]
required = true
[log]
level = "debug"
target = "console"
[executor]
max_workers = 7
[watchdog]
slow_step = "2s"
)",
                      "corund.toml");
  REQUIRE(config.has_value());
  CHECK(config->runner.debug);
  CHECK(config->runner.slow_callback == 250ms);
  CHECK(config->socket.path == "/tmp/x.sock");
  CHECK(config->socket.mode == 0600);
  CHECK(config->socket.group == "staff");
  CHECK(config->limits.frame_bytes == mib);
  CHECK(config->limits.args_bytes == 65536);
  CHECK(config->limits.partial_frame_timeout == 2500ms);
  CHECK(config->groups.at("exec").limit == 3);
  CHECK(config->groups.at("default") == Config{}.groups.at("default"));
  CHECK(config->groups.at("images").limit >= 1);
  CHECK(config->stop.grace == 0s);
  CHECK(config->plugins.directories == std::vector<std::string>{"/a", "/b"});
  CHECK(config->plugins.required);
  CHECK(config->log.level == LogLevel::debug);
  CHECK(config->log.target == LogTarget::console);
  CHECK(config->executor.max_workers == 7);
  CHECK(config->watchdog.slow_step == nanoseconds(2s));
}

TEST_CASE("all faults come at once, in the order of lines, each with file, line, key and reason") {
  auto faults = faults_of(
      "[stop]\n"
      "grace = \"5 minuets\"\n"
      "[socket]\n"
      "mode = 660\n"
      "bocklog = 5\n"
      "[limits]\n"
      "sessions = 0\n"
      "frame_bytes = true\n"
      "[log]\n"
      "level = \"loud\"\n"
      "[plugins]\n"
      "directories = [\n"
      "  \"/good\",\n"
      "  \"bad\",\n"
      "]\n");
  REQUIRE(faults.size() == 7);
  CHECK(to_string(faults[0]).find("corund.toml:2: stop.grace: \"5 minuets\" has the unknown unit") == 0);
  CHECK(to_string(faults[1]) == "corund.toml:4: socket.mode: must be octal: write \"0660\" or 0o660");
  CHECK(to_string(faults[2]) == "corund.toml:5: socket.bocklog: there is no such key; did you mean socket.backlog?");
  CHECK(to_string(faults[3]) == "corund.toml:7: limits.sessions: must be between 1 and 1000000000, is 0");
  CHECK(to_string(faults[4]) ==
        "corund.toml:8: limits.frame_bytes: must be a number of bytes or a string such as \"64KiB\", not boolean");
  CHECK(to_string(faults[5]) ==
        "corund.toml:10: log.level: must be one of \"error\", \"warning\", \"notice\", \"info\", \"debug\", is \"loud\"");
  CHECK(to_string(faults[6]) == "corund.toml:14: plugins.directories: must be an absolute path, is \"bad\"");
}

TEST_CASE("an unknown key is a fault that names the key it was meant to be") {
  CHECK(fault_of("[stop]\ngrase = 1").reason == "there is no such key; did you mean stop.grace?");
  CHECK(fault_of("[watchdog]\ndrain_timeout = 1").reason == "there is no such key; did you mean executor.drain_timeout?");
  CHECK(fault_of("[stop]\nxyzzy = 1").reason == "there is no such key");
  CHECK(fault_of("[stapler]\n").reason == "there is no such table");
  CHECK(fault_of("frame = 1").reason == "there is no such key");
  CHECK(fault_of("[groups.exec]\nlimits = 1").reason == "there is no such key; did you mean groups.exec.limit?");
  CHECK(fault_of("stop = 1").reason == "must be a table: [stop]");
  CHECK(fault_of("[groups]\nexec = 2").key == "groups.exec");
}

TEST_CASE("an unknown table is one fault, however much is in it") {
  CHECK(fault_of("[stapler]\na = 1\nb = 2\n[stapler.c]\nd = 3").key == "stapler");
}

TEST_CASE("a fault of syntax names its line") {
  Fault fault = fault_of("[stop]\ngrace = \n");
  CHECK(fault.line == 2);
  CHECK(fault.key.empty());
  CHECK_FALSE(fault.reason.empty());
  CHECK(fault_of("[stop]\ngrace = 1\ngrace = 2\n").line == 3);
  CHECK(fault_of("[log]\nlevel = \"\xff\"\n").line == 2);
}

TEST_CASE("values out of their range are refused with the range") {
  for (const char* text :
       {"[stop]\ngrace = -1", "[stop]\ngrace = nan", "[stop]\ngrace = inf", "[limits]\nargs_bytes = -5", "[limits]\njson_depth = 3",
        "[limits]\njson_depth = 2.5", "[socket]\nmode = \"0888\"", "[socket]\nmode = \"1777\"", "[socket]\nmode = 0o1777",
        "[socket]\npath = \"relative\"", "[groups.exec]\nlimit = 0", "[groups.exec]\nlimit = \"many\"", "[executor]\nmax_workers = 0",
        "[exec]\nshell = \"\"", "[plugins]\ndirectories = \"/one\"", "[runner]\ndebug = 1", "[socket]\npath = \"/a\\u0000b\""}) {
    INFO(text);
    CHECK(faults_of(text).size() == 1);
  }
  CHECK(parse("[socket]\nmode = 0o640", "x")->socket.mode == 0640);
}

TEST_CASE("a group that has no limit of its own is no entry") {
  auto config = parse("[groups.images]\n[groups.default]\nlimit = 5", "x");
  REQUIRE(config.has_value());
  CHECK(config->groups.count("images") == 0);
  CHECK(config->groups.at("default").limit == 5);
}

TEST_CASE("files are laid over each other key by key, and an array replaces an array") {
  Directory dir;
  auto base = dir.write("a.toml", "[stop]\ngrace = 1\n[log]\nlevel = \"debug\"\n[plugins]\ndirectories = [\"/a\", \"/b\"]");
  auto over = dir.write("b.toml", "[stop]\ngrace = 2\n[plugins]\ndirectories = [\"/c\"]");
  auto config = load({base, over});
  REQUIRE(config.has_value());
  CHECK(config->stop.grace == 2s);
  CHECK(config->log.level == LogLevel::debug);
  CHECK(config->plugins.directories == std::vector<std::string>{"/c"});
}

TEST_CASE("the faults of all files come together, an unreadable file is one") {
  Directory dir;
  auto first = dir.write("a.toml", "x = 1\n[stop]\ngrace = []");
  auto second = dir.write("b.toml", "[[[");
  auto config = load({first, dir.path / "missing.toml", second, dir.path.string()});
  REQUIRE_FALSE(config.has_value());
  auto faults = config.error();
  REQUIRE(faults.size() == 5);
  CHECK(faults[0].file == first);
  CHECK(faults[1].line == 3);
  CHECK(to_string(faults[2]) == (dir.path / "missing.toml").string() + ": cannot be read: No such file or directory");
  CHECK(faults[3].file == second);
  CHECK(faults[4].reason == "is a directory");
}

TEST_CASE("the main file is the first root's, drop-ins are all roots' by basename and the earlier root wins") {
  Directory dir;
  std::vector<std::string> roots = {dir.path / "etc", dir.path / "run", dir.path / "usr"};
  CHECK(configuration_files(roots).empty());
  auto usr = dir.write("usr/corund/corund.toml", "[stop]\ngrace = 1");
  CHECK(configuration_files(roots) == std::vector<std::string>{usr});
  auto run = dir.write("run/corund/corund.toml", "[stop]\ngrace = 2");
  auto b_usr = dir.write("usr/corund/corund.toml.d/b.toml", "[stop]\ngrace = 3");
  auto a_usr = dir.write("usr/corund/corund.toml.d/a.toml", "[stop]\ngrace = 4");
  auto b_etc = dir.write("etc/corund/corund.toml.d/b.toml", "[jobs]\ngrace = 5");
  dir.write("etc/corund/corund.toml.d/c.conf", "not ours");
  dir.write("etc/corund/corund.toml.d/deeper/d.toml", "not ours");
  CHECK(configuration_files(roots) == std::vector<std::string>{run, a_usr, b_etc});
  auto config = load(configuration_files(roots));
  REQUIRE(config.has_value());
  CHECK(config->stop.grace == 4s);
  CHECK(config->jobs.grace == 5s);
}

TEST_CASE("an empty file and a link to /dev/null mask those of later roots, and drop-ins still apply") {
  Directory dir;
  std::vector<std::string> roots = {dir.path / "etc", dir.path / "usr"};
  dir.write("usr/corund/corund.toml", "[stop]\ngrace = 1");
  dir.write("usr/corund/corund.toml.d/a.toml", "[jobs]\ngrace = 1");
  dir.write("usr/corund/corund.toml.d/b.toml", "[log]\nlevel = \"error\"");
  dir.write("etc/corund/corund.toml", "");
  fs::create_directories(dir.path / "etc/corund/corund.toml.d");
  fs::create_symlink("/dev/null", dir.path / "etc/corund/corund.toml.d/a.toml");
  auto config = load(configuration_files(roots));
  REQUIRE(config.has_value());
  CHECK(config->stop.grace == Config{}.stop.grace);
  CHECK(config->jobs.grace == Config{}.jobs.grace);
  CHECK(config->log.level == LogLevel::error);
}
