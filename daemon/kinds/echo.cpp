// SPDX-License-Identifier: MIT
#include "daemon/kinds/echo.hpp"

namespace corund::kinds {
namespace {

corun::Coro<JsonText> echo(JobContext& job, std::string_view args) {
  JsonText result = job.spare_text();
  result.assign(args);
  co_return result;
}

}  // namespace

void add_echo(KindRegistry& registry) { registry.add("echo", echo, {.summary = "Return the arguments"}); }

}  // namespace corund::kinds
