// SPDX-License-Identifier: MIT
// Ctrl-C: the first one cancels main, whose clean-up may still await; run_main() then exits with 130.
#include <corun/corun.hpp>
#include <iostream>

using namespace std::chrono_literals;

corun::Coro<> serve() {
  std::cout << "ready" << std::endl;
  co_await corun::sleep(1h);
}

corun::Coro<> clean_up() {
  co_await corun::sleep(5ms);
  std::cout << "cleaned up" << std::endl;
}

int main() { return corun::run_main(corun::with_cleanup(serve, clean_up)); }
