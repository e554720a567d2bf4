// SPDX-License-Identifier: MIT
// Wrappers around bodies around events, one line each. The same in Python: combinations.py.
#include "trace.hpp"

#include <csignal>

using namespace corun;

namespace differential {
namespace {

using Body = std::function<Coro<int>()>;

// Wrappers: they take a body, which outlives them, and how much later than others their time is over.
Coro<int> plain(const Body& body, double) { co_return co_await body(); }

Coro<int> task(const Body& body, double) { co_return co_await create_task(body()); }

Coro<int> group(const Body& body, double extra) {
  std::optional<Task<int>> child;
  co_await task_group([&](TaskGroup& tasks) -> Coro<> {
    child = tasks.create_task(body());
    auto sibling = tasks.create_task(sleep(2.25 + extra));
    sibling.add_done_callback([](const auto& done) {
      if (done.cancelled()) say("sibling cancelled");
    });
    co_return;
  });
  co_return child->result();
}

Coro<int> in_time(const Body& body, double extra) {
  co_return co_await timeout(Seconds(2 + extra), [&](Timeout&) -> Coro<int> { return body(); });
}

Coro<int> waited_for(const Body& body, double extra) {
  co_return co_await wait_for(body(), Seconds(2 + extra));
}

Coro<int> shielded(const Body& body, double) {
  auto inner = create_task(body());
  co_return co_await shield(inner);
}

Coro<int> gathered(const Body& body, double extra) {
  auto sibling = [](double seconds) -> Coro<int> {
    co_await sleep(seconds);
    say("sibling ends");
    co_return 0;
  };
  auto [value, other] = co_await gather(body(), sibling(2.25 + extra));
  co_return value;
}

Coro<int> outcome(const Body& body, double) {
  auto [value] = co_await gather_outcomes(body());
  co_return value.value();
}

Coro<int> waited(const Body& body, double extra) {
  std::vector<Task<int>> child{create_task(body())};
  auto limit = std::chrono::duration_cast<std::chrono::nanoseconds>(Seconds(2.25 + extra));
  co_await wait(child, {.timeout = limit});
  if (!child[0].done()) child[0].cancel("out of time");
  co_return co_await child[0];
}

Coro<int> completed(const Body& body, double extra) {
  std::vector<Task<int>> children{create_task(body())};
  auto gen =
      as_completed(children, std::chrono::duration_cast<std::chrono::nanoseconds>(Seconds(2.25 + extra)));
  int value = 0;
  while (auto child = co_await gen.next()) value = co_await *child;
  co_return value;
}

Coro<int> cleaned(const Body& body, double) {
  auto clean_up = []() -> Coro<> {
    say("clean-up");
    co_await sleep(0.5);
    say("clean");
  };
  auto same = [&]() -> Coro<int> { return body(); };
  co_return co_await with_cleanup(same, clean_up);
}

Coro<int> locked(const Body& body, double) {
  auto lock = std::make_shared<Lock>();
  auto other = [](std::shared_ptr<Lock> shared) -> Coro<> {
    co_await shared->with([]() -> Coro<> {
      say("the other has the lock");
      co_return;
    });
  };
  auto with_lock = [&]() -> Coro<int> {
    co_return co_await lock->with([&]() -> Coro<int> {
      create_task(other(lock));
      co_return co_await body();
    });
  };
  auto look = [&]() -> Coro<> {
    co_await sleep(0);
    say(lock->locked() ? "locked" : "unlocked");
  };
  co_return co_await with_cleanup(with_lock, look);
}

Coro<int> generated(const Body& body, double) {
  auto values = [&]() -> AsyncGenerator<int> {
    int value = co_await body();
    co_yield value;
  };
  auto gen = values();
  int last = 0;
  while (auto value = co_await gen.next()) last = *value;
  co_return last;
}

Coro<int> queued(const Body& body, double extra) {
  auto queue = std::make_shared<Queue<int>>();
  auto produce = [](const Body& from, std::shared_ptr<Queue<int>> to) -> Coro<> {
    int value = co_await from();
    co_await to->put(value);
  };
  auto producer = create_task(produce(body, queue));
  int value = co_await wait_for(queue->get(), Seconds(2.5 + extra));
  co_await producer;
  co_return value;
}

Coro<int> swallowed(const Body& body, double) {
  try {
    co_return co_await body();
  } catch (const CancelledError&) {
    say("swallowed");
    co_return -1;
  }
}

struct Wrapper {
  const char* name;
  Coro<int> (*wrap)(const Body&, double);
};
const Wrapper wrappers[] = {
    {"plain", plain},           {"task", task},           {"group", group},        {"in_time", in_time},
    {"waited_for", waited_for}, {"shielded", shielded},   {"gathered", gathered},  {"outcome", outcome},
    {"waited", waited},         {"completed", completed}, {"cleaned", cleaned},    {"locked", locked},
    {"generated", generated},   {"queued", queued},       {"swallowed", swallowed}};

// Bodies.
Coro<int> quick() { co_return 1; }

std::optional<Future<>> answer;

Coro<int> short_() {
  co_await *answer;
  co_return 1;
}

Coro<int> long_() {
  try {
    co_await sleep(3);
  } catch (const CancelledError&) {
    say("body:", kind_now());
    throw;
  }
  co_return 1;
}

Coro<int> fails() {
  co_await *answer;
  throw Oops("body");
}

Coro<int> fails_now() {
  throw Oops("body");
  co_return 0;
}

Coro<int> stubborn_() {
  bool cancelled = false;
  try {
    co_await sleep(3);
  } catch (const CancelledError&) {
    cancelled = true;
  }
  if (cancelled) {
    co_await sleep(0.75);
    say("body ends");
  }
  co_return 2;
}

Coro<int> careful() {
  auto clean_up = []() -> Coro<> {
    co_await sleep(0.75);
    say("body is clean");
  };
  auto body = []() -> Coro<> { return sleep(3); };
  co_await with_cleanup(body, clean_up);
  co_return 1;
}

Coro<int> spiteful_() {
  try {
    co_await sleep(3);
  } catch (const CancelledError&) {
    throw Oops("body");
  }
  co_return 1;
}

Coro<int> cancels_itself() {
  co_await *answer;
  throw CancelledError("own");
}

struct NamedBody {
  const char* name;
  Coro<int> (*body)();
};
const NamedBody long_body{"long", long_}, fails_body{"fails", fails}, careful_body{"careful", careful};
const NamedBody bodies[] = {{"quick", quick}, {"short", short_},        long_body,
                            fails_body,       {"fails_now", fails_now}, {"stubborn", stubborn_},
                            careful_body,     {"spiteful", spiteful_},  {"cancels_itself", cancels_itself}};

// Events.
void cancel_after(double seconds, std::string message) {
  get_running_loop().call_later(Seconds(seconds), [me = current_task(), message] { me.cancel(message); });
}

struct Happening {
  const char* name;
  void (*arm)();
};
const Happening nothing{"nothing", [] {}};
const Happening cancelled{"cancelled", [] { cancel_after(1.5, "outside"); }};
const Happening cancelled_twice{"cancelled_twice", [] {
                                  cancel_after(1.5, "outside");
                                  cancel_after(1.625, "again");
                                }};
const Happening cancelled_at_once{"cancelled_at_once", [] { current_task().cancel("at once"); }};
const Happening interrupted{"interrupted",
                            [] { get_running_loop().call_later(Seconds(1.5), [] { std::raise(SIGINT); }); }};
// After the answer has come, before the next step of who waits.
const Happening cancelled_as_it_ends{
    "cancelled_as_it_ends",
    [] { answer->add_done_callback([me = current_task()](const auto&) { me.cancel("crossed"); }); }};
const Happening* events[] = {&nothing,           &cancelled,   &cancelled_twice,
                             &cancelled_at_once, &interrupted, &cancelled_as_it_ends};

Coro<int> main_of(const Body& body, const Happening& event) {
  answer.emplace();
  get_running_loop().call_later(Seconds(1), [] {
    if (!answer->done()) answer->set_result();
  });
  event.arm();
  co_return co_await body();
}

std::string line(const std::string& name, const Body& body, const Happening& event) {
  take_lines();
  {
    Runner runner(options());
    try {
      int value = runner.run(main_of(body, event));
      say("returned", value);
    } catch (...) {
      say("threw", kind_now());
    }
    answer.reset();
  }
  std::string text;
  for (const auto& each : take_lines())
    if (each.find("report:") == each.npos) text += (text.empty() ? "" : "; ") + each;
  return name + " " + event.name + ": " + text;
}

}  // namespace

std::vector<std::string> combinations() {
  std::vector<std::string> lines;
  for (const Wrapper& wrapper : wrappers)
    for (const NamedBody& body : bodies) {
      Body innermost = body.body;
      Body wrapped = [&] { return wrapper.wrap(innermost, 0); };
      for (const Happening* event : events)
        lines.push_back(line(std::string(wrapper.name) + "(" + body.name + ")", wrapped, *event));
    }
  struct Pair {
    const NamedBody* body;
    const Happening* event;
  };
  const Pair pairs[] = {{&long_body, &nothing},
                        {&long_body, &cancelled},
                        {&fails_body, &nothing},
                        {&careful_body, &cancelled_twice},
                        {&careful_body, &interrupted}};
  for (const Wrapper& outer : wrappers) {
    if (&outer == wrappers) continue;
    for (const Wrapper& inner : wrappers) {
      if (&inner == wrappers) continue;
      for (const Pair& pair : pairs) {
        Body innermost = pair.body->body;
        Body middle = [&] { return inner.wrap(innermost, 0); };
        Body wrapped = [&] { return outer.wrap(middle, 0.125); };
        std::string name = std::string(outer.name) + "(" + inner.name + "(" + pair.body->name + "))";
        lines.push_back(line(name, wrapped, *pair.event));
      }
    }
  }
  return lines;
}

}  // namespace differential
