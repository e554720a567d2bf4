// SPDX-License-Identifier: MIT
#include "daemon/store/writer_thread.hpp"

#include <future>

#include "daemon/store/opening.hpp"
#include "store_load.hpp"
#include "support/catch.hpp"

using namespace corund::store;
using namespace tests;

TEST_CASE("work that is given comes back done, also where the thread is stopped before", "[store]") {
  OpeningOptions options;
  options.path = ":memory:";
  Writer writer(open_database(options).database);
  std::promise<std::thread::id> done;
  auto in = done.get_future();
  int times = 0;
  WriterThread thread(writer, [&] {
    if (++times == 1) done.set_value(std::this_thread::get_id());
  });
  CHECK_FALSE(thread.take());
  const auto give = [&](Seq seq) {
    Work work;
    work.batch = std::make_unique<Batch>();
    work.batch->add(job_row(seq));
    thread.give(std::move(work));
  };
  give(1);
  CHECK(in.get() != std::this_thread::get_id());
  const auto first = thread.take();
  REQUIRE(first);
  CHECK_FALSE(first->error);
  CHECK_FALSE(thread.take());
  const auto begin = [&](Seq seq) {
    auto rows = std::make_unique<Batch>();
    rows->add(job_row(seq));
    thread.begin(std::move(rows));
  };
  begin(3);
  begin(4);
  give(2);
  thread.stop();
  const auto second = thread.take();
  REQUIRE(second);
  CHECK(second->begun.size() == 2);
  CHECK(times == 2);
  CHECK(writer.tables().has_job(2));
  CHECK(writer.tables().has_job(4));
  thread.stop();
}
