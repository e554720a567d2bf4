// SPDX-License-Identifier: MIT
#include <corun/process/pipe.hpp>

#include <corun/corun.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <system_error>

#include "support/catch.hpp"

using namespace corun;
using namespace std::chrono_literals;

namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    reader.reset(ends[0]);
    writer.reset(ends[1]);
  }
  UniqueFd reader, writer;
};

void put(const UniqueFd& fd, std::string_view text) {
  REQUIRE(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

Coro<std::string> read_once(PipeReader& reader) {
  std::array<char, 64> buffer;
  const std::size_t n = co_await reader.read_some(buffer);
  co_return std::string(buffer.data(), n);
}

}  // namespace

TEST_CASE("a reader takes what is there, waits for what is not, and sees the end") {
  Pipe pipe;
  put(pipe.writer, "now");
  run([](Pipe& ends) -> Coro<> {
    PipeReader reader(get_running_loop().core(), std::move(ends.reader));
    {
      const auto got = co_await read_once(reader);
      CHECK(got == "now");
    }
    auto waiting = create_task(read_once(reader));
    co_await sleep(0s);
    CHECK_FALSE(waiting.done());
    put(ends.writer, "later");
    {
      const auto got = co_await waiting;
      CHECK(got == "later");
    }
    put(ends.writer, "rest");
    ends.writer.reset();
    {
      const auto got = co_await reader.read_all();
      CHECK(got == "rest");
    }
    {
      const auto got = co_await read_once(reader);
      CHECK(got == "");
    }
    reader.close();
    CHECK_FALSE(reader.is_open());
    bool refused = false;
    try {
      co_await read_once(reader);
    } catch (const RuntimeError&) {
      refused = true;
    }
    CHECK(refused);
  }(pipe));
}

TEST_CASE("trying to read takes what is there and never waits") {
  Pipe pipe;
  run([](Pipe& ends) -> Coro<> {
    PipeReader reader(get_running_loop().core(), std::move(ends.reader));
    std::array<char, 64> buffer;
    CHECK_FALSE(reader.try_read_some(buffer).has_value());
    CHECK(reader.available() == 0);
    put(ends.writer, "abc");
    CHECK(reader.available() == 3);
    CHECK(reader.try_read_some(buffer) == std::optional<std::size_t>(3));
    CHECK(PipeReader().available() == 0);
    ends.writer.reset();
    CHECK(reader.try_read_some(buffer) == std::optional<std::size_t>(0));
    CHECK(PipeReader().try_read_some(buffer) == std::optional<std::size_t>(0));
    co_return;
  }(pipe));
}

TEST_CASE("a read that is cancelled loses no byte") {
  Pipe pipe;
  run([](Pipe& ends) -> Coro<> {
    PipeReader reader(get_running_loop().core(), std::move(ends.reader));
    auto waiting = create_task(read_once(reader));
    co_await sleep(0s);
    put(ends.writer, "kept");
    waiting.cancel();
    std::string got;
    try {
      got = co_await waiting;
    } catch (const CancelledError&) {
    }
    if (got.empty()) got = co_await read_once(reader);
    CHECK(got == "kept");
  }(pipe));
}

TEST_CASE("a reader whose data never ends leaves the loop to others") {
  UniqueFd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  Pipe pipe;
  // A writer that refills the pipe at each pass, so that the reader never has to wait.
  run([](Pipe& ends) -> Coro<> {
    ::fcntl(ends.writer.get(), F_SETFL, O_NONBLOCK);
    const std::string block(65536, 'x');
    CHECK(::write(ends.writer.get(), block.data(), block.size()) > 0);
    PipeReader reader(get_running_loop().core(), std::move(ends.reader));
    int turns = 0;
    auto other = create_task([&]() -> Coro<> {
      for (;;) {
        ++turns;
        co_await sleep(0s);
      }
    });
    for (int i = 0; i < 1000; ++i) {
      std::array<char, 64> buffer;
      {
        const auto got = co_await reader.read_some(buffer);
        CHECK(got == 64);
      }
    }
    CHECK(turns >= 100);
    other.cancel();
  }(pipe));
}

TEST_CASE("a writer waits while the pipe is full, and all arrives in order") {
  Pipe pipe;
  run([](Pipe& ends) -> Coro<> {
    Loop& loop = get_running_loop();
    PipeReader reader(loop.core(), std::move(ends.reader));
    std::string data;
    for (int i = 0; i < 200'000; ++i) data += std::to_string(i) + "\n";
    auto writing = create_task([&, writer = PipeWriter(loop.core(), std::move(ends.writer))]() mutable -> Coro<> {
      co_await writer.write(data);
      writer.close();
    });
    co_await sleep(0s);
    CHECK_FALSE(writing.done());
    {
      const auto got = co_await reader.read_all();
      CHECK(got == data);
    }
    co_await writing;
  }(pipe));
}

TEST_CASE("writing to a pipe that nobody reads is EPIPE, and no signal comes") {
  auto before = std::signal(SIGPIPE, SIG_DFL);
  Pipe pipe;
  pipe.reader.reset();
  run([](Pipe& ends) -> Coro<> {
    PipeWriter writer(get_running_loop().core(), std::move(ends.writer));
    bool broken = false;
    try {
      co_await writer.write("x");
    } catch (const std::system_error& error) {
      broken = error.code() == std::errc::broken_pipe;
    }
    CHECK(broken);
  }(pipe));
  sigset_t pending;
  ::sigpending(&pending);
  CHECK(::sigismember(&pending, SIGPIPE) == 0);
  std::signal(SIGPIPE, before);
}
