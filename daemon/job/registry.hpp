// SPDX-License-Identifier: MIT
// The kinds there are, and what plugins want done at start and stop. Filled before the sockets open, then only read; nothing is
// ever taken out, so a Kind* is good as long as the registry is.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/job/kind.hpp"

namespace corund::job {

using Hook = std::function<corun::Coro<>()>;

class Registry {
 public:
  // Errors: corun::ValueError where the name is taken, or is none: letters, digits, '.', '-', '_', beginning with a letter.
  const Kind& add(Kind kind);
  // Null where there is none.
  const Kind* find(std::string_view name) const noexcept;
  // Stands for a kind that is not there: a name without a body, for jobs that are held until it comes back. Not among kinds().
  const Kind& missing(std::string_view name);
  // By name.
  const std::map<std::string, Kind, std::less<>>& kinds() const noexcept { return kinds_; }

  // Run on the loop before the daemon is ready, in the order of their addition; and in the drain, in the opposite order.
  void at_start(Hook hook) { start_.push_back(std::move(hook)); }
  void at_stop(Hook hook) { stop_.push_back(std::move(hook)); }
  const std::vector<Hook>& start_hooks() const noexcept { return start_; }
  const std::vector<Hook>& stop_hooks() const noexcept { return stop_; }

  // Changes each kind there is; before anybody has seen them.
  void change_all(const std::function<void(Kind&)>& change);

  // All of another registry, or nothing of it: where a name is taken, corun::ValueError, and this one is as it was.
  void merge(Registry&& other);

 private:
  void check(const Kind& kind) const;

  std::map<std::string, Kind, std::less<>> kinds_;
  std::map<std::string, Kind, std::less<>> missing_;
  std::vector<Hook> start_;
  std::vector<Hook> stop_;
};

}  // namespace corund::job
