// SPDX-License-Identifier: MIT
#include <corun/corun.hpp>
#include <corun/process/changing_file.hpp>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "support/catch.hpp"
#include "support/cgroup.hpp"

using namespace corun;
using namespace std::chrono_literals;

namespace {

ChangingFile events_of(const tests::ScratchCgroup& cgroup) {
  return ChangingFile(UniqueFd(::open((cgroup.path() + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC)));
}

bool is_populated(ChangingFile& file) { return file.read().find("populated 1") != std::string::npos; }

}  // namespace

TEST_CASE("a file of the kernel's says when it has changed, also when that was before the wait") {
  tests::ScratchCgroup cgroup;
  if (!cgroup) CORUND_SKIP("no cgroup can be made here");
  std::vector<bool> seen;
  run([](tests::ScratchCgroup& in, std::vector<bool>& found) -> Coro<> {
    ChangingFile events = events_of(in);
    found.push_back(is_populated(events));
    UniqueFd directory(::open(in.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ProcessOptions options({"sleep", "1000"});
    options.cgroup = directory.get();
    Process process = co_await create_subprocess(std::move(options));
    co_await wait_for(events.changed(), 30s);  // it has, before we wait
    found.push_back(is_populated(events));
    auto waiting = create_task(events.changed());
    co_await sleep(0s);
    found.push_back(waiting.done());
    process.kill();
    co_await wait_for(waiting, 30s);
    while (is_populated(events)) co_await wait_for(events.changed(), 30s);
    co_await process.wait();
  }(cgroup, seen));
  CHECK(seen == std::vector<bool>{false, true, false});
}

TEST_CASE("a wait for a change can be cancelled, and the next one works") {
  tests::ScratchCgroup cgroup;
  if (!cgroup) CORUND_SKIP("no cgroup can be made here");
  bool timed_out = false;
  run([](tests::ScratchCgroup& in, bool& out) -> Coro<> {
    ChangingFile events = events_of(in);
    (void)events.read();
    try {
      co_await wait_for(events.changed(), 10ms);
    } catch (const TimeoutError&) {
      out = true;
    }
    const pid_t child = ::fork();
    if (child == 0) {
      in.write("cgroup.procs", "0");
      ::pause();
      ::_exit(0);
    }
    co_await wait_for(events.changed(), 30s);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }(cgroup, timed_out));
  CHECK(timed_out);
}

TEST_CASE("a child is born into its cgroup") {
  tests::ScratchCgroup cgroup;
  if (!cgroup) CORUND_SKIP("no cgroup can be made here");
  std::string told;
  run([](tests::ScratchCgroup& in, std::string& text) -> Coro<> {
    UniqueFd directory(::open(in.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ProcessOptions options({"cat", "/proc/self/cgroup"});
    options.cgroup = directory.get();
    options.std_out = Stdio::pipe();
    Process process = co_await create_subprocess(std::move(options));
    Communicated all = co_await process.communicate();
    text = all.out;
  }(cgroup, told));
  const std::string name = cgroup.path().substr(cgroup.path().rfind('/'));
  CHECK(told.find("0::" + name + "\n") != std::string::npos);
}
