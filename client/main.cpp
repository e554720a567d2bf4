// SPDX-License-Identifier: MIT
// corunctl: the command line, one verb, an exit code. Failures end up here, and nowhere else.
#include "client/advice.hpp"
#include "client/cli/options.hpp"
#include "client/render.hpp"
#include "client/verbs/verbs.hpp"

#include <cstdio>
#include <exception>
#include <iostream>
#include <string_view>

namespace {

using namespace corunctl;

int perform(const Options& options) {
  switch (options.verb) {
    case Verb::run: return verbs::run(options);
    case Verb::exec: return options.detach ? verbs::submit(options) : verbs::run(options);
    case Verb::submit: return verbs::submit(options);
    case Verb::wait: return verbs::wait(options);
    case Verb::watch: return verbs::watch(options);
    case Verb::list: return verbs::list(options);
    case Verb::show: return verbs::show(options);
    case Verb::cancel: return verbs::cancel(options);
    case Verb::retry: return verbs::retry(options);
    case Verb::remove: return verbs::remove(options);
    case Verb::logs: return verbs::logs(options);
    case Verb::stack: return verbs::stack(options);
    case Verb::kinds: return verbs::kinds(options);
    case Verb::contexts: return verbs::contexts(options);
    case Verb::status: return verbs::status(options);
    case Verb::pause: return verbs::pause(options);
    case Verb::resume: return verbs::resume(options);
    case Verb::drain: return verbs::drain(options);
    case Verb::reload: return verbs::reload(options);
    case Verb::metrics: return verbs::metrics(options);
    case Verb::top: return verbs::top(options);
    case Verb::plot: return verbs::plot(options);
    case Verb::call: return verbs::call(options);
  }
  return exit_code::refused;
}

int complain(const std::string& text, int code) {
  std::cout << std::flush;
  std::cerr << "corunctl: " << text << std::endl;
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  bool json = false;
  try {
    if (argc > 1 && std::string_view(argv[1]) == "__complete") return verbs::complete({argv + 2, argv + argc});
    int code = 0;
    auto options = parse_options(argc, argv, code);
    if (!options) return code;
    json = options->json;
    code = perform(*options);
    std::cout << std::flush;
    return std::cout ? code : complain("cannot write to standard output", exit_code::refused);
  } catch (const Refusal& refusal) {
    if (json) print_wire(wire_error(refusal.answer()));
    return complain(refusal.what(), refusal.code());
  } catch (const Failure& failure) {
    return complain(failure.what(), failure.code());
  } catch (const std::exception& error) {
    return complain(error.what(), exit_code::refused);
  }
}
