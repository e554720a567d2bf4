// SPDX-License-Identifier: MIT
#include <corun/corun.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <string>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using corun::use_coro;
namespace asio = boost::asio;
using Stream = asio::local::stream_protocol::socket;

namespace {

struct Pair {
  explicit Pair(asio::io_context& context) : a(context), b(context) { asio::local::connect_pair(a, b); }
  Stream a, b;
};

asio::io_context& context() { return corun::get_running_loop().io_context(); }

// Reads into `text` until the peer closes.
corun::Coro<> read_all(Stream& socket, std::string& text) {
  char data[64];
  for (;;) {
    auto [error, n] = co_await socket.async_read_some(asio::buffer(data), corun::as_tuple(use_coro));
    if (error) co_return;
    text.append(data, n);
  }
}

}  // namespace

TEST_CASE("an Asio timer is awaited, and an error code is thrown") {
  corun::run([]() -> corun::Coro<> {
    asio::steady_timer timer(context(), 1ms);
    co_await timer.async_wait(use_coro);
    timer.expires_after(1h);
    auto waiting = corun::create_task([&]() -> corun::Coro<> { co_await timer.async_wait(use_coro); });
    co_await corun::sleep(0s);
    timer.cancel();  // by somebody else: no cancellation of the task
    try {
      co_await waiting;
      FAIL("the aborted wait did not throw");
    } catch (const boost::system::system_error& error) {
      CHECK(error.code() == asio::error::operation_aborted);
    }
  }());
}

TEST_CASE("as_tuple gives the error code instead of throwing it") {
  corun::run([]() -> corun::Coro<> {
    Pair pair(context());
    pair.b.close();
    char byte;
    auto [error, n] = co_await pair.a.async_read_some(asio::buffer(&byte, 1), corun::as_tuple(use_coro));
    CHECK(error == asio::error::eof);
    CHECK(n == 0);
  }());
}

TEST_CASE("cancelling a task cancels its operation, and the task sees a CancelledError") {
  corun::run([]() -> corun::Coro<> {
    Pair pair(context());
    char byte;
    auto reading = corun::create_task(
        [&]() -> corun::Coro<> { co_await pair.a.async_read_some(asio::buffer(&byte, 1), use_coro); });
    co_await corun::sleep(0s);
    reading.cancel("enough");
    try {
      co_await reading;
      FAIL("it was not cancelled");
    } catch (const corun::CancelledError& error) {
      CHECK(error.message() == "enough");
    }
    CHECK(reading.cancelled());
    // The socket is as good as before.
    co_await asio::async_write(pair.b, asio::buffer("x", 1), use_coro);
    auto result_1 = co_await pair.a.async_read_some(asio::buffer(&byte, 1), use_coro);
    CHECK(result_1 == 1);
  }());
}

TEST_CASE("112: an operation that completed although cancelled delivers its data, and the cancellation comes at the next await") {
  corun::run([]() -> corun::Coro<> {
    Pair pair(context());
    std::string got;
    bool cancelled_later = false;
    auto reading = corun::create_task([&]() -> corun::Coro<> {
      char data[16];
      std::size_t n = co_await pair.a.async_read_some(asio::buffer(data), use_coro);
      got.assign(data, n);
      try {
        co_await corun::sleep(1h);
      } catch (const corun::CancelledError&) {
        cancelled_later = true;
        throw;
      }
    });
    co_await corun::sleep(0s);
    // The handler runs inside this poll, the task's step comes later: in between it is cancelled.
    pair.b.write_some(asio::buffer("data", 4));
    while (context().poll() == 0) co_await corun::sleep(0s);
    reading.cancel();
    try {
      co_await reading;
    } catch (const corun::CancelledError&) {
    }
    CHECK(got == "data");
    CHECK(cancelled_later);
  }());
}

TEST_CASE("a task that was asked to cancel before its operation does not start it") {
  corun::run([]() -> corun::Coro<> {
    Pair pair(context());
    bool thrown = false;
    auto task = corun::create_task([&]() -> corun::Coro<> {
      corun::current_task().cancel();
      char byte;
      try {
        co_await pair.a.async_read_some(asio::buffer(&byte, 1), use_coro);
      } catch (const corun::CancelledError&) {
        thrown = true;
        throw;
      }
    });
    try {
      co_await task;
    } catch (const corun::CancelledError&) {
    }
    CHECK(thrown);
  }());
}

TEST_CASE("composed operations are awaited and cancelled as a whole") {
  corun::run([]() -> corun::Coro<> {
    Pair pair(context());
    std::string text;
    auto line = corun::create_task([&]() -> corun::Coro<std::size_t> {
      co_return co_await asio::async_read_until(pair.a, asio::dynamic_buffer(text), '\n', use_coro);
    });
    co_await asio::async_write(pair.b, asio::buffer("one ", 4), use_coro);
    co_await asio::async_write(pair.b, asio::buffer("line\nrest", 9), use_coro);
    auto result_2 = co_await line;
    CHECK(result_2 == 9);
    char data[100];
    auto whole = corun::create_task([&]() -> corun::Coro<> { co_await asio::async_read(pair.a, asio::buffer(data), use_coro); });
    co_await corun::sleep(1ms);
    whole.cancel();
    bool cancelled = false;
    try {
      co_await whole;
    } catch (const corun::CancelledError&) {
      cancelled = true;
    }
    CHECK(cancelled);
  }());
}

TEST_CASE("an operation of one's own, made with async_compose, works with the token") {
  corun::run([]() -> corun::Coro<> {
    asio::steady_timer timer(context());
    auto twice = [&](auto&& token) {
      int step = 0;
      return asio::async_compose<decltype(token), void(boost::system::error_code, int)>(
          [&timer, step](auto& self, boost::system::error_code error = {}) mutable {
            if (error || step == 2) return self.complete(error, step);
            ++step;
            timer.expires_after(1ms);
            timer.async_wait(std::move(self));
          },
          token, timer);
    };
    auto result_3 = co_await twice(use_coro);
    CHECK(result_3 == 2);
  }());
}

TEST_CASE("the resolver and signal_set work with the token") {
  corun::run([]() -> corun::Coro<> {
    asio::ip::tcp::resolver resolver(context());
    auto found = co_await resolver.async_resolve("127.0.0.1", "80", asio::ip::tcp::resolver::numeric_host, use_coro);
    CHECK(found.begin()->endpoint().port() == 80);
    asio::signal_set signals(context(), SIGUSR2);
    auto waiting = corun::create_task([&]() -> corun::Coro<int> { co_return co_await signals.async_wait(use_coro); });
    co_await corun::sleep(0s);
    std::raise(SIGUSR2);
    auto result_4 = co_await waiting;
    CHECK(result_4 == SIGUSR2);
  }());
}

TEST_CASE("hundreds of readers at once keep to themselves") {
  corun::run([]() -> corun::Coro<> {
    std::vector<std::unique_ptr<Pair>> pairs;
    std::vector<std::string> got(200);
    std::vector<corun::Task<>> readers;
    for (std::size_t i = 0; i < got.size(); ++i) {
      pairs.push_back(std::make_unique<Pair>(context()));
      readers.push_back(corun::create_task(read_all(pairs[i]->a, got[i])));
    }
    for (int round = 0; round < 10; ++round)
      for (std::size_t i = 0; i < got.size(); ++i) {
        std::string text = std::to_string(i) + ",";
        co_await asio::async_write(pairs[i]->b, asio::buffer(text), use_coro);
      }
    for (auto& pair : pairs) pair->b.close();
    co_await corun::gather(readers);
    for (std::size_t i = 0; i < got.size(); ++i) {
      std::string expected;
      for (int round = 0; round < 10; ++round) expected += std::to_string(i) + ",";
      CHECK(got[i] == expected);
    }
  }());
}
