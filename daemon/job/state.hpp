// SPDX-License-Identifier: MIT
// The states of a job and which may follow which: one table, tested as a table.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace corund::job {

// delayed: not yet eligible. held: its kind is not there, or it waits for a job or an administrator.
// lost: the daemon died while it ran, and its policy forbids another attempt.
enum class State : std::uint8_t { queued, delayed, held, running, succeeded, failed, cancelled, timed_out, lost };
inline constexpr std::size_t state_count = 9;
inline constexpr std::array<State, state_count> all_states = {State::queued,    State::delayed, State::held,
                                                              State::running,   State::succeeded, State::failed,
                                                              State::cancelled, State::timed_out, State::lost};

// The word for it, as everybody outside sees it ("timedOut").
std::string_view name(State state) noexcept;
std::optional<State> parse_state(std::string_view text) noexcept;

// Whether a job in `from` may become one in `to`.
bool may_follow(State from, State to) noexcept;

// Whether nothing follows.
constexpr bool is_over(State state) noexcept { return state >= State::succeeded; }

}  // namespace corund::job
