// SPDX-License-Identifier: MIT
// Tasks that are still pending when their loop goes.
#include <corun/corun.hpp>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::Coro;
using corun::create_task;
using corun::Future;

namespace {

struct SetAtExit {
  Future<> future;
  ~SetAtExit() {
    if (!future.done()) future.set_result();
  }
};

Coro<> holder(Future<> future) {
  SetAtExit set{future};
  co_await corun::sleep(1h);
}

Coro<> waiter(Future<> future) { co_await future; }

}  // namespace

TEST_CASE("frames that are destroyed with their loop may wake each other, in whatever order they go") {
  tests::Reports reports;
  auto loop = corun::new_event_loop();
  reports.listen(*loop);
  int callbacks = 0;
  auto alive = std::make_shared<int>(0);
  auto main = [&]() -> Coro<> {
    for (int i = 0; i < 20; ++i) {
      Future<> future;
      future.add_done_callback([&callbacks, alive](const Future<>&) { ++callbacks; });
      bool holder_first = i % 3 == 0;
      auto first = create_task(holder_first ? holder(future) : waiter(future));
      auto second = create_task(holder_first ? waiter(future) : holder(future));
    }
    co_await corun::sleep(0s);
    co_await corun::sleep(0s);
  };
  loop->run_until_complete(main());
  loop.reset();
  CHECK(reports.errors_with("destroyed but it is pending") == 40);
  CHECK(callbacks == 0);
  CHECK(alive.use_count() == 1);
}
