// SPDX-License-Identifier: MIT
// Several computations at once; results in the order of the arguments, whoever ends first.
#include <corun/corun.hpp>
#include <iostream>
#include <string>

using namespace std::chrono_literals;

corun::Coro<int> factorial(std::string name, int number) {
  int f = 1;
  for (int i = 2; i <= number; ++i) {
    co_await corun::sleep(1ms);
    f *= i;
  }
  std::cout << name << ": factorial(" << number << ") = " << f << std::endl;
  co_return f;
}

corun::Coro<> main_() {
  auto [a, b, c] = co_await corun::gather(factorial("A", 2), factorial("B", 8), factorial("C", 5));
  std::cout << a << ' ' << b << ' ' << c << std::endl;
}

int main() { return corun::run_main(main_()); }
