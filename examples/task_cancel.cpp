// SPDX-License-Identifier: MIT
// Cancelling a task: a CancelledError at its await, clean-up, and the same error where the task is awaited.
#include <corun/corun.hpp>
#include <iostream>

using namespace std::chrono_literals;

corun::Coro<> worker() {
  std::cout << "worker: before sleep" << std::endl;
  try {
    co_await corun::sleep(1h);
  } catch (const corun::CancelledError& error) {
    std::cout << "worker: cancelled (" << error.message() << "), cleaning up" << std::endl;
    throw;  // let it pass
  }
}

corun::Coro<> main_() {
  auto task = corun::create_task(worker());
  co_await corun::sleep(10ms);
  task.cancel("no longer needed");
  try {
    co_await task;
  } catch (const corun::CancelledError&) {
    std::cout << "main: worker is cancelled now" << std::endl;
  }
}

int main() { return corun::run_main(main_()); }
