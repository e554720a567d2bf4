// SPDX-License-Identifier: MIT
// One Runner, several runs: the loop stays, and what one run sets in the context the next one sees.
#include <corun/corun.hpp>
#include <iostream>

corun::ContextVar<int> visits("visits", 0);

corun::Coro<int> visit() {
  visits.set(visits.get() + 1);
  co_return visits.get();
}

int main() {
  corun::Runner runner;
  for (int i = 0; i < 3; ++i) std::cout << "visit " << runner.run(visit()) << std::endl;
  std::cout << "outside: " << visits.get() << std::endl;
}
