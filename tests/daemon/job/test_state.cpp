// SPDX-License-Identifier: MIT
#include "daemon/job/state.hpp"

#include <map>
#include <set>
#include <string>

#include "support/catch.hpp"

using namespace corund::job;

TEST_CASE("the table of states is the one in the documentation") {
  const std::map<State, std::set<State>> documented = {
      {State::queued, {State::running, State::delayed, State::held, State::cancelled}},
      {State::delayed, {State::queued, State::held, State::cancelled}},
      {State::held, {State::queued, State::delayed, State::cancelled}},
      {State::running,
       {State::succeeded, State::failed, State::cancelled, State::timed_out, State::lost, State::queued, State::delayed, State::held}},
  };
  for (State from : all_states)
    for (State to : all_states) {
      const auto row = documented.find(from);
      const bool expected = row != documented.end() && row->second.count(to);
      INFO(name(from) << " -> " << name(to));
      CHECK(may_follow(from, to) == expected);
    }
}

TEST_CASE("nothing follows a state that is over, and something every other") {
  for (State from : all_states) {
    bool any = false;
    for (State to : all_states) any = any || may_follow(from, to);
    CHECK(any == !is_over(from));
  }
}

TEST_CASE("a state's word reads back") {
  for (State state : all_states) CHECK(parse_state(name(state)) == state);
  CHECK(name(State::timed_out) == "timedOut");
  CHECK_FALSE(parse_state("done"));
}
