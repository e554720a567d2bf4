// SPDX-License-Identifier: MIT
#include <corun/sync/wait_list.hpp>
#include <memory>

#include "in_passes.hpp"

using namespace tests;
using corun::detail::LoopBinding;
using corun::detail::Visit;
using corun::detail::WaitList;
using corun::detail::WaitNode;

namespace {

struct Room {
  LoopBinding binding{"a room"};
  WaitList list{binding};
};

// Parks once and says how it went on.
Coro<> guest(Room& room, std::string name, std::vector<std::string>& log) {
  WaitNode node;
  bool go_on = co_await room.list.park(node);
  log.push_back(name + (go_on ? " in" : node.woken() ? " woken, cancelled" : " cancelled"));
  if (!go_on) node.throw_cancelled();
}

}  // namespace

TEST_CASE("a wait list wakes in the order of arrival, and counts the woken until they have run") {
  on_loop([]() -> Coro<> {
    Room room;
    std::vector<std::string> log;
    auto a = create_task(guest(room, "a", log));
    auto b = create_task(guest(room, "b", log));
    CHECK(room.list.empty());
    co_await passes(1);
    CHECK_FALSE(room.list.empty());
    CHECK(room.list.wake_first());
    CHECK(room.list.wake_first());
    CHECK_FALSE(room.list.wake_first());
    CHECK_FALSE(room.list.empty());
    CHECK(log.empty());
    co_await passes(1);
    CHECK(room.list.empty());
    CHECK(log == std::vector<std::string>{"a in", "b in"});
  });
}

TEST_CASE("a node that waits again keeps its place") {
  on_loop([]() -> Coro<> {
    Room room;
    std::vector<std::string> log;
    bool open = false;
    auto stubborn = [&](std::string name) -> Coro<> {
      WaitNode node;
      do {
        if (!co_await room.list.park(node)) node.throw_cancelled();
      } while (!open);
      log.push_back(name);
    };
    std::vector<Task<>> tasks;
    for (const char* name : {"a", "b", "c", "d"}) tasks.push_back(create_task(stubborn(name)));
    co_await passes(1);
    room.list.wake_first();
    room.list.wake_first();
    room.list.wake_first();
    co_await passes(1);  // a, b and c go back, before d
    room.list.wake_first();
    co_await passes(1);  // a goes back, before b
    open = true;
    for (int i = 0; i < 4; ++i) {
      room.list.wake_first();
      co_await passes(1);
    }
    CHECK(log == std::vector<std::string>{"a", "b", "c", "d"});
  });
}

TEST_CASE("wake_all numbers those it wakes") {
  on_loop([]() -> Coro<> {
    Room room;
    std::vector<int> positions;
    auto one = [&]() -> Coro<> {
      WaitNode node;
      if (!co_await room.list.park(node)) node.throw_cancelled();
      positions.push_back(node.position());
    };
    auto a = create_task(one()), b = create_task(one()), c = create_task(one());
    co_await passes(1);
    b.cancel();
    room.list.wake_all();
    co_await passes(1);
    CHECK(positions == std::vector<int>{0, 1});
    CHECK(b.cancelled());
  });
}

TEST_CASE("a cancelled node leaves the list at once; a woken one says what it got") {
  on_loop([]() -> Coro<> {
    Room room;
    std::vector<std::string> log;
    auto a = create_task(guest(room, "a", log));
    auto b = create_task(guest(room, "b", log));
    co_await passes(1);
    a.cancel("no more");
    CHECK(room.list.wake_first());
    b.cancel();
    CHECK_FALSE(room.list.wake_first());
    CHECK_AWAITED(co_await ended(a), true);
    CHECK_AWAITED(co_await ended(b), true);
    CHECK(log == std::vector<std::string>{"a cancelled", "b woken, cancelled"});
    CHECK(text_of<CancelledError>([&] { a.result(); }) == "no more");
  });
}

TEST_CASE("a request made in the step that parks ends the wait at once") {
  on_loop([]() -> Coro<> {
    Room room;
    auto self = create_task([&]() -> Coro<> {
      corun::current_task().cancel("myself");
      WaitNode node;
      bool go_on = co_await room.list.park(node);
      CHECK_FALSE(go_on);
      CHECK_FALSE(node.woken());
      node.throw_cancelled();
    });
    co_await passes(1);
    CHECK(room.list.empty());
    CHECK_AWAITED(co_await ended(self), true);
    CHECK(text_of<CancelledError>([&] { self.result(); }) == "myself");
  });
}

TEST_CASE("a deaf node keeps waiting, and the task remembers the request") {
  on_loop([]() -> Coro<> {
    Room room;
    bool went_on = false;
    auto task = create_task([&]() -> Coro<> {
      WaitNode node(WaitNode::Hearing::deaf);
      went_on = co_await room.list.park(node);
      CHECK(node.cancel_pending());
      co_await passes(1);
    });
    co_await passes(1);
    task.cancel("later");
    co_await passes(3);
    CHECK_FALSE(went_on);
    room.list.wake_first();
    CHECK_AWAITED(co_await ended(task), true);
    CHECK(went_on);
    CHECK(text_of<CancelledError>([&] { task.result(); }) == "later");
  });
}

TEST_CASE("a list that goes ends the waits on it, also of those just woken") {
  on_loop([]() -> Coro<> {
    auto room = std::make_unique<Room>();
    std::vector<std::string> log;
    auto woken = create_task(guest(*room, "woken", log));
    auto waiting = create_task(guest(*room, "waiting", log));
    co_await passes(1);
    Visit visit;
    CHECK_FALSE(visit.host_is_there());
    room->list.receive(visit);
    CHECK(visit.host_is_there());
    room->list.wake_first();
    room.reset();
    CHECK_FALSE(visit.host_is_there());
    CHECK_AWAITED(co_await ended(waiting), true);
    CHECK_AWAITED(co_await ended(woken), true);
    CHECK(log == std::vector<std::string>{"woken cancelled", "waiting cancelled"});
    CHECK(text_of<CancelledError>([&] { waiting.result(); }) == "a room was destroyed while a task waited for it");
  });
}

TEST_CASE("a primitive belongs to the loop of its first wait, also when that loop is gone") {
  Room room;
  std::vector<std::string> log;
  auto meet = [&]() -> Coro<> {
    auto task = create_task(guest(room, "a", log));
    co_await passes(1);
    room.list.wake_all();
    co_await task;
  };
  on_loop(meet);
  for (int i = 0; i < 3; ++i)
    CHECK(text_of<RuntimeError>([&] { on_loop(meet); }) == "a room is bound to a different event loop");
}

TEST_CASE("a parked task says what it waits for") {
  on_loop([]() -> Coro<> {
    corun::Event event;
    auto task = create_task(event.wait());
    co_await passes(1);
    REQUIRE(task.core().waiter);
    CHECK(std::string(task.core().waiter->what()) == "an event");
    event.set();
    co_await task;
  });
}

TEST_CASE("frames destroyed with their loop give back what they hold without waking anybody") {
  Reports reports;
  corun::Lock lock;
  {
    auto loop = corun::testing::virtual_time()();
    reports.listen(*loop);
    auto main = [&]() -> Coro<> {
      auto holder = create_task([&]() -> Coro<> {
        co_await lock.with([]() -> Coro<> { co_await corun::sleep(1h); });
      });
      auto second = create_task([&]() -> Coro<> { co_await lock.with(nothing); });
      auto third = create_task([&]() -> Coro<> { co_await lock.acquire(); });
      co_await passes(2);
    };
    loop->run_until_complete(main());
    CHECK(lock.locked());
    loop->close();
  }
  CHECK(reports.errors_with("destroyed but it is pending") == 3);
  CHECK_FALSE(lock.locked());
}
