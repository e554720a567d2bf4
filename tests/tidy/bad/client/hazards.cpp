// SPDX-License-Identifier: MIT
// What g++ 12 gets wrong, and beside it what it gets right.
Coro<> captures(std::string name, int n) {
  co_await to_thread([=] { return name; });  // expect: capture
  co_await to_thread([name] { return name; });  // expect: capture
  co_await to_thread([&, name] { return name; });  // expect: capture
  co_await to_thread([n, copy = std::string(name)] { return copy; });  // expect: capture
  auto result = co_await task_group(
      [name](TaskGroup& group) -> Coro<> { co_await group.wait(); });  // expect: capture
  co_await sleep(1s), use([name] {});  // expect: capture
  co_await to_thread([n] { return n; });  // tidy: trivial
  co_await to_thread([&] { return name; });
  co_await to_thread([this, &name, &alias = name] { return name; });
  auto lambda = [name] { return name; };
  co_await to_thread(lambda, items[n], names[n].text);
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task([name]() -> Coro<> { co_return; });
    co_return;
  });
  later([name] { return name; });
}
Coro<> conditionals(bool b) {
  co_await (b ? first() : second());  // expect: conditional
  int x = b ? co_await first() : 0;  // expect: conditional
  co_await (first() + size(b ? 1 : 2));
  co_await first(b ? 1 : 2);
}
Coro<> asserts() {
  CHECK(co_await first() == 1);  // expect: asserted
  REQUIRE_FALSE(size(co_await first()));  // expect: asserted
  CHECK_THROWS_AS(
      co_await first(),  // expect: asserted
      Error);
  CHECK(run([](int n) -> Coro<> { co_await first(n); }) == Size{co_await second()});  // expect: asserted
  CHECK(run([](int n) -> Coro<> { co_await first(n); }) == 1);
  CHECK_AWAITED(co_await first(), 1);
  auto value = co_await first();
  CHECK(value == my_co_await);
}
auto operator co_await() { return [name = 1] {}; }
