// SPDX-License-Identifier: MIT
// Room: what may stand next on a command line that is being typed. It reads the description of the options, so it knows what they know; what only the
// daemon knows is named, and asked for by the verb.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace corunctl {

enum class Candidates {
  none,
  words,        // those that are given
  open_jobs,    // ids of jobs that have not ended
  ended_jobs,
  all_jobs,
  kinds,
  groups,
  contexts,
  files,
  directories,
  command,      // what the shell itself would offer for the command that begins at `begin`
};

struct Completion {
  Candidates candidates = Candidates::none;
  std::vector<std::string> words;
  std::size_t begin = 0;
  std::string socket;  // --socket, where it was typed
};

// typed: the words behind "corunctl"; the last one is the one that is being typed, and may be empty. Words that do not begin so are not left out.
Completion complete(const std::vector<std::string>& typed);

}  // namespace corunctl
