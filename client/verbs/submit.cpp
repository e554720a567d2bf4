// SPDX-License-Identifier: MIT
#include "client/verbs/common.hpp"
#include "client/verbs/verbs.hpp"

#include <iostream>

namespace corunctl::verbs {

int submit(const Options& options) {
  if (auto reply = ask(options, jobs_method("Submit"), submission(options))) std::cout << reply->value("id", std::string()) << '\n';
  return exit_code::success;
}

}  // namespace corunctl::verbs
