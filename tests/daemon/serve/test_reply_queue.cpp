// SPDX-License-Identifier: MIT
#include "daemon/serve/reply_queue.hpp"

#include "daemon/job/table.hpp"
#include "support/catch.hpp"

using corund::serve::ReplyQueue;
using corund::serve::Slot;

TEST_CASE("slots come out in the order in which they went in, however the ring lies") {
  ReplyQueue queue;
  int in = 0, out = 0;
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < round % 37; ++i) queue.push().text = std::to_string(in++);
    for (int i = 0; i < round % 29 && !queue.empty(); ++i) {
      CHECK(queue.front().text == std::to_string(out++));
      queue.pop();
    }
  }
  CHECK(queue.size() == static_cast<std::size_t>(in - out));
  for (std::size_t i = 0; i < queue.size(); ++i) CHECK(queue.at(i).text == std::to_string(out + static_cast<int>(i)));
}

TEST_CASE("a slot is empty again when it is used again, and lets go of its job") {
  corund::job::Table table;
  ReplyQueue queue;
  for (int i = 0; i < 20; ++i) {
    corund::job::Job& job = table.add(1);
    Slot& slot = queue.push();
    CHECK(slot.kind == Slot::Kind::text);
    CHECK(slot.text.empty());
    CHECK_FALSE(slot.job);
    CHECK_FALSE(slot.is_silent);
    slot.kind = Slot::Kind::outcome;
    slot.is_silent = true;
    slot.text = "text";
    slot.job = corund::job::JobRef(job);
    queue.pop();
    table.discard(job);  // asserts that nobody holds it
  }
}

TEST_CASE("a reply whose turn never came is dropped without a report") {
  int begun = 0;
  auto body = [](int& count) -> corun::Coro<> {
    ++count;
    co_return;
  };
  {
    ReplyQueue queue;
    Slot& slot = queue.push();
    slot.kind = Slot::Kind::body;
    slot.body = body(begun);
  }
  CHECK(begun == 0);
}
