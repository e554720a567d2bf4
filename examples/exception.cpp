// SPDX-License-Identifier: MIT
// A task group: the first child that fails cancels its siblings, all are waited for, and what failed arrives together.
#include <corun/corun.hpp>
#include <iostream>
#include <stdexcept>

using namespace std::chrono_literals;

corun::Coro<> steady() {
  try {
    co_await corun::sleep(1h);
  } catch (const corun::CancelledError&) {
    std::cout << "steady: cancelled by its group" << std::endl;
    throw;
  }
}

corun::Coro<> faulty() {
  co_await corun::sleep(5ms);
  throw std::runtime_error("out of luck");
}

corun::Coro<> main_() {
  try {
    co_await corun::task_group([](corun::TaskGroup& group) -> corun::Coro<> {
      group.create_task(steady());
      group.create_task(faulty());
      co_return;
    });
  } catch (const corun::ExceptionGroup& group) {
    std::cout << group.what() << std::endl;
    for (auto& error : group.exceptions()) {
      try {
        std::rethrow_exception(error);
      } catch (const std::exception& e) {
        std::cout << "  " << e.what() << std::endl;
      }
    }
  }
}

int main() { return corun::run_main(main_()); }
