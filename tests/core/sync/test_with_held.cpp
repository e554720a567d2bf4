// SPDX-License-Identifier: MIT
#include <corun/sync/with_held.hpp>

#include "in_passes.hpp"

using namespace tests;

namespace {

struct Text {
  std::string text;
};

const std::string long_text(100, 'x');

template <class P>
Coro<> gives_what_the_body_gives() {
  P primitive;
  int seven = co_await primitive.with([&]() -> Coro<int> {
    CHECK(primitive.locked());
    co_return 7;
  });
  CHECK(seven == 7);
  CHECK_FALSE(primitive.locked());

  // Arguments are kept for the body; a move-only value comes out as it went in.
  auto body = [](std::string text, int n) -> Coro<std::unique_ptr<Text>> {
    co_await passes(n);
    co_return std::make_unique<Text>(Text{text});
  };
  auto made = co_await primitive.with(body, long_text, 2);
  CHECK(made->text == long_text);

  int number = 3;
  auto by_reference = [](int& n) -> Coro<int&> { co_return n; };
  int& same = co_await primitive.with(by_reference, std::ref(number));
  CHECK(&same == &number);
  CHECK_FALSE(primitive.locked());
}

template <class P>
Coro<> gives_back_when_the_body_throws() {
  P primitive;
  auto failing = []() -> Coro<> {
    co_await passes(1);
    throw std::runtime_error("the body's");
  };
  std::string text;
  try {
    co_await primitive.with(failing);
  } catch (const std::runtime_error& error) {
    text = error.what();
  }
  CHECK(text == "the body's");
  CHECK_FALSE(primitive.locked());

  // The body gave it back itself: its own error is what counts.
  auto releasing = [&]() -> Coro<> {
    primitive.release();
    throw std::runtime_error("second");
    co_return;
  };
  text.clear();
  try {
    co_await primitive.with(releasing);
  } catch (const std::runtime_error& error) {
    text = error.what();
  }
  CHECK(text == "second");
}

template <class P>
Coro<> gives_back_when_cancelled() {
  P primitive;
  auto holder = create_task([&]() -> Coro<> {
    co_await primitive.with([]() -> Coro<> { co_await corun::sleep(1h); });
  });
  auto waiter = create_task([&]() -> Coro<> {
    co_await primitive.with([]() -> Coro<> { FAIL("never held"); co_return; });
  });
  auto last = create_task([&]() -> Coro<int> {
    auto five = []() -> Coro<int> { co_return 5; };
    co_return co_await primitive.with(five);
  });
  co_await passes(1);
  waiter.cancel();
  holder.cancel();
  CHECK_AWAITED(co_await ended(holder), true);
  CHECK_AWAITED(co_await ended(waiter), true);
  CHECK_AWAITED(co_await last, 5);
  CHECK_FALSE(primitive.locked());
}

template <class P>
Coro<> outlives_what_it_holds() {
  auto primitive = std::make_unique<P>();
  auto holder = create_task([&]() -> Coro<> {
    co_await primitive->with([]() -> Coro<> { co_await passes(3); });
  });
  co_await passes(1);
  primitive.reset();
  co_await holder;
}

template <class P>
void all() {
  on_loop([]() -> Coro<> {
    co_await gives_what_the_body_gives<P>();
    co_await gives_back_when_the_body_throws<P>();
    co_await gives_back_when_cancelled<P>();
    co_await outlives_what_it_holds<P>();
  });
}

}  // namespace

TEST_CASE("with a lock: held for the body, free again whatever way it ends") { all<corun::Lock>(); }
TEST_CASE("with a semaphore: a permit for the body, given back whatever way it ends") { all<corun::Semaphore>(); }
TEST_CASE("with a bounded semaphore: a permit for the body, given back whatever way it ends") {
  all<corun::BoundedSemaphore>();
}
TEST_CASE("with a condition: its lock is held for the body, free again whatever way it ends") { all<corun::Condition>(); }

TEST_CASE("a body that gives back by itself and returns is told so") {
  on_loop([]() -> Coro<> {
    corun::Lock lock;
    std::string text;
    try {
      co_await lock.with([&]() -> Coro<> {
        lock.release();
        co_return;
      });
    } catch (const RuntimeError& error) {
      text = error.what();
    }
    CHECK(text == "Lock is not acquired.");

    corun::BoundedSemaphore semaphore(1);
    text.clear();
    try {
      co_await semaphore.with([&]() -> Coro<> {
        semaphore.release();
        co_return;
      });
    } catch (const ValueError& error) {
      text = error.what();
    }
    CHECK(text == "BoundedSemaphore released too many times");
  });
}
