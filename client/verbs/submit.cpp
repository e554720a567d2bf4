// SPDX-License-Identifier: MIT
// A daemon that ends takes no more jobs: the job goes to whoever listens after that, once. Where that is nobody, or the same daemon still, its answer
// stands.
#include "client/advice.hpp"
#include "client/verbs/common.hpp"
#include "client/verbs/verbs.hpp"
#include "daemon/wire/errors.hpp"

#include <iostream>

namespace corunctl::verbs {

int submit(const Options& options) {
  Connection connection = connect(options);
  const std::string method = jobs_method("Submit"), job = submission(options);
  Answer answer = connection.call(method, job);
  if (answer.error == corund::wire::errors::Draining::name && connection.try_reconnect()) answer = connection.call(method, job);
  require_success(answer);
  if (options.json) print_wire(answer.parameters);
  else std::cout << Json::parse(answer.parameters).value("id", std::string()) << '\n';
  return exit_code::success;
}

}  // namespace corunctl::verbs
