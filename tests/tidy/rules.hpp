// SPDX-License-Identifier: MIT
// What tidy checks: each rule is one sentence, one TAP line, and a pure function of the tree.
#pragma once

#include "tree.hpp"

namespace tidy {

struct Rule {
  std::string id;    // what a bad sample names: "expect: id"
  std::string name;  // the sentence
  std::function<Findings(const Tree&)> check;
};

std::vector<Rule> include_rules();  // who may include whom: one rule a room, and where Asio may stand
std::vector<Rule> header_rules();   // licence line and guard (that each compiles alone: scripts/check-headers)
std::vector<Rule> hazard_rules();   // what g++ 12 miscompiles around co_await
std::vector<Rule> house_rules();    // a room and its test, lengths, words, man pages

}  // namespace tidy
