// SPDX-License-Identifier: MIT
#include "daemon/store/gathering.hpp"

#include "daemon/store/store.hpp"
#include "fault_vfs.hpp"
#include "store_load.hpp"
#include "support/catch.hpp"

using namespace corund::store;
using namespace tests;
using namespace std::chrono_literals;

TEST_CASE("a batch waits for those that the latest commit has answered, and for no others", "[store]") {
  Gathering gathering;
  const corun::time_point now{1h};
  CHECK_FALSE(gathering.expects_more(0, now));

  gathering.committed(3, 1, 100us, now);
  CHECK(gathering.expects_more(1, now));
  CHECK(gathering.expects_more(3, now + 199us));
  CHECK_FALSE(gathering.expects_more(4, now));
  CHECK(gathering.until() == now + 200us);
  CHECK_FALSE(gathering.expects_more(3, gathering.until()));

  gathering.committed(1, 0, 100us, now);  // one caller: it is all there is
  CHECK_FALSE(gathering.expects_more(0, now));
  gathering.committed(0, 1, 100us, now);
  CHECK_FALSE(gathering.expects_more(1, now));
}

TEST_CASE("a batch waits no longer than a moment on a slow disk, and not at all where it is large", "[store]") {
  Gathering gathering;
  const corun::time_point now{1h};
  gathering.committed(2, 0, 1s, now);
  CHECK(gathering.until() == now + Gathering::wait_max);
  gathering.committed(Gathering::submissions_max, 0, 100us, now);
  CHECK(gathering.expects_more(0, now));
  gathering.committed(Gathering::submissions_max, 1, 100us, now);
  CHECK_FALSE(gathering.expects_more(1, now));
}

TEST_CASE("callers that come again one after the other share a commit, and one who stays away is not waited for", "[store]") {
  const StoreDirectory directory;
  FaultVfs vfs;
  const auto main = [](Store& store) -> corun::Coro<> {
    constexpr int callers = 8, rounds = 20;
    const auto call = [&](int delay, int calls) -> corun::Coro<> {
      for (int i = 0; i < calls; ++i) {
        for (int pass = 0; pass < delay; ++pass) co_await corun::sleep(std::chrono::seconds(0));
        co_await store.written_at_last(store.add(job_row(store.next_seq())));
      }
    };
    co_await corun::task_group([&](corun::TaskGroup& group) -> corun::Coro<> {
      for (int i = 0; i < callers; ++i) group.create_task(call(3 * i, rounds));
      co_return;
    });
    CHECK(store.stats().commits >= rounds);
    CHECK(store.stats().commits <= rounds + callers);  // the first round finds each other

    const auto before = store.stats().commits;
    co_await call(0, 1);  // seven others were answered with this one
    CHECK(store.stats().commits == before + 1);
  };
  CHECK(run_store(directory.options(vfs.name()), true, main).closing == "");
}
