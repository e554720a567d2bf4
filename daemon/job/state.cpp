// SPDX-License-Identifier: MIT
#include "daemon/job/state.hpp"

namespace corund::job {
namespace {

constexpr std::array<std::string_view, state_count> names = {"queued", "delayed",   "held",     "running", "succeeded",
                                                             "failed", "cancelled", "timedOut", "lost"};

// Row: from; column: to; in the order of the enumeration.
constexpr bool table[state_count][state_count] = {
    //              queued delayed held   running succ.  failed cancel timed  lost
    /* queued    */ {false, true, true, true, false, false, true, false, false},
    /* delayed   */ {true, false, true, false, false, false, true, false, false},
    /* held      */ {true, true, false, false, false, false, true, false, false},
    /* running   */ {true, true, true, false, true, true, true, true, true},  // back: another attempt
    /* succeeded */ {},
    /* failed    */ {},
    /* cancelled */ {},
    /* timed out */ {},
    /* lost      */ {},
};

}  // namespace

std::string_view name(State state) noexcept { return names[static_cast<std::size_t>(state)]; }

std::optional<State> parse_state(std::string_view text) noexcept {
  for (State s : all_states)
    if (name(s) == text) return s;
  return std::nullopt;
}

bool may_follow(State from, State to) noexcept {
  return table[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}

}  // namespace corund::job
