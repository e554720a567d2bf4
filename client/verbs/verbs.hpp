// SPDX-License-Identifier: MIT
// Room: the verbs. Each does what its line of the help says, prints to standard output, and returns the exit code. Errors: Failure.
#pragma once

#include "client/cli/options.hpp"

namespace corunctl::verbs {

int run(const Options& options);     // and exec, attached
int submit(const Options& options);  // and exec --detach
int wait(const Options& options);
int watch(const Options& options);
int list(const Options& options);
int show(const Options& options);
int cancel(const Options& options);
int retry(const Options& options);
int remove(const Options& options);
int logs(const Options& options);
int stack(const Options& options);
int kinds(const Options& options);
int contexts(const Options& options);
int status(const Options& options);
int pause(const Options& options);
int resume(const Options& options);
int drain(const Options& options);
int reload(const Options& options);
int metrics(const Options& options);
int top(const Options& options);
int plot(const Options& options);
int call(const Options& options);

// typed: the words of a command line behind "corunctl", the last one perhaps half or empty. For shells.
int complete(const std::vector<std::string>& typed);

}  // namespace corunctl::verbs
