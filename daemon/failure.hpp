// SPDX-License-Identifier: MIT
// Why the program ends: what it says of that, and what a service manager understands. For main, where exceptions end.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "config/load.hpp"

namespace corund {

struct Failure {
  std::string text;
  int error = 0;                   // an errno; 0: none says it
  std::string_view varlink_error;  // the full name of one of our errors; empty: none says it
};

// Of an exception that came out of the App's making or its run().
Failure failure_of(const std::exception_ptr& exception);
// Of a configuration that is wrong: the first fault, and how many more there are.
Failure failure_of(const config::Faults& faults);

}  // namespace corund
