// SPDX-License-Identifier: MIT
#include "client/timeline.hpp"
#include "client/verbs/common.hpp"
#include "client/verbs/verbs.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>

namespace corunctl::verbs {

int plot(const Options& options) {
  constexpr std::int64_t lines_max = 500;  // unless it is said otherwise: a picture that can be looked at
  Filter filter = options.filter;
  const bool is_cut = !filter.limit;
  if (is_cut) {
    filter.limit = lines_max;
    filter.newest_first = true;
  }
  Connection connection = connect(options);
  connection.send(jobs_method("List"), filter_parameters(filter), {.more = true});
  std::vector<Json> jobs;
  each_reply(connection, options, [&](const Json& reply) {
    if (Json job = reply.value("job", Json()); job.is_object()) jobs.push_back(std::move(job));
  });
  if (options.json) return exit_code::success;
  if (is_cut && !options.filter.newest_first) std::ranges::reverse(jobs);
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::cout << timeline_svg(jobs, now);
  if (is_cut && jobs.size() == static_cast<std::size_t>(lines_max))
    std::cerr << "corunctl: the newest " << lines_max << " jobs only; --limit says how many, --since and --state which\n";
  return exit_code::success;
}

}  // namespace corunctl::verbs
