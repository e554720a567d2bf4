// SPDX-License-Identifier: MIT
// The smallest program: one coroutine, one sleep.
#include <corun/corun.hpp>
#include <iostream>

using namespace std::chrono_literals;

corun::Coro<> hello() {
  std::cout << "hello" << std::endl;
  co_await corun::sleep(10ms);
  std::cout << "world" << std::endl;
}

int main() { return corun::run_main(hello()); }
