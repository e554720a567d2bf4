// SPDX-License-Identifier: MIT
// Changes that wait for a transaction, in their order, with copies of all their texts. Used again and again:
// clear() keeps the memory, so that nothing is allocated once a batch has grown to what its daemon needs.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/store/rows.hpp"

namespace corund::store {

using Change = std::variant<JobRow, AttemptRow, ProcessRow, OutcomeRow, GroupRow>;

// Memory for texts, given back all at once.
class Arena {
 public:
  // A copy that lives until clear().
  std::string_view copy(std::string_view text);
  // Forgets all; keeps blocks for the next time, up to some.
  void clear() noexcept;

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_ = 0;  // the one that is filled; blocks_.size(): none
  std::size_t used_ = 0;   // of it
  std::vector<std::unique_ptr<char[]>> large_;
};

class Batch {
 public:
  void add(const Change& change);
  // The job and all of it is to be removed, after the changes.
  void forget(Seq seq) { forgotten_.push_back(seq); }

  const std::vector<Change>& changes() const noexcept { return changes_; }
  const std::vector<Seq>& forgotten() const noexcept { return forgotten_; }
  bool empty() const noexcept { return changes_.empty() && forgotten_.empty(); }
  std::size_t submissions() const noexcept { return submissions_; }

  // Appends what is to be tried again of a batch that failed: all but its submissions.
  void add_facts_of(const Batch& failed);
  void add_all_of(const Batch& other);
  void clear() noexcept;

 private:
  Arena arena_;
  std::vector<Change> changes_;
  std::vector<Seq> forgotten_;
  std::size_t submissions_ = 0;
};

// Calls f(text&) for every text of a row: the one place that knows where they are.
template <class Row, class F>
void each_text(Row& row, F f) {
  using R = std::remove_const_t<Row>;
  if constexpr (std::is_same_v<R, JobRow>) {
    f(row.id), f(row.kind), f(row.args), f(row.context), f(row.group), f(row.options);
  } else if constexpr (std::is_same_v<R, AttemptRow>) {
    f(row.state), f(row.error_type), f(row.error_message), f(row.usage);
  } else if constexpr (std::is_same_v<R, OutcomeRow>) {
    f(row.state), f(row.result), f(row.error_type), f(row.error_message), f(row.reason), f(row.leftovers);
    f(row.stdout_tail), f(row.stderr_tail);
  } else if constexpr (std::is_same_v<R, GroupRow>) {
    f(row.name);
  } else {
    static_assert(std::is_same_v<R, ProcessRow>);
  }
}

}  // namespace corund::store
