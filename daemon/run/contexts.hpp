// SPDX-License-Identifier: MIT
// The contexts that jobs run in: the daemon's own persistent one, copies of it, and named ones of a uid.
#pragma once

#include <sys/types.h>

#include <corun/corun.hpp>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "daemon/job/spec.hpp"

namespace corund::run {

class Contexts {
 public:
  // named_max: for each uid.
  explicit Contexts(std::size_t named_max) : named_max_(named_max) {}

  // To be told once, by the main task, whose context is the runner's own.
  void set_shared(corun::Context context) { shared_ = std::move(context); }

  // Whether a job of this spec can be given its context: false where it would be one named context too many of its owner's.
  bool has_room_for(const job::JobSpec& spec) const;
  // The context that spec asks for, made where need be.
  corun::Context of(const job::JobSpec& spec);

  std::size_t named_max() const noexcept { return named_max_; }

 private:
  std::size_t named_max_;
  std::optional<corun::Context> shared_;
  std::map<std::pair<uid_t, std::string>, corun::Context> named_;
  std::map<uid_t, std::size_t> named_count_;
};

}  // namespace corund::run
