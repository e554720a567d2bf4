// SPDX-License-Identifier: MIT
// Says what every scenario says, in the form of asyncio.txt: a title, then its lines.
#include "trace.hpp"

#include <iostream>

int main() {
  using namespace differential;
  for (const auto& scenarios :
       {task_scenarios(), context_scenarios(), group_scenarios(), combinator_scenarios(), runner_scenarios(),
        signal_scenarios(), sync_scenarios()})
    for (const Scenario& scenario : scenarios) {
      take_lines();
      scenario.run();
      std::cout << "== " << scenario.name << '\n';
      for (const auto& line : take_lines()) std::cout << line << '\n';
    }
  std::cout << "== combinations\n";
  for (const auto& line : combinations()) std::cout << line << '\n';
}
