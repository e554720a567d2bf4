// SPDX-License-Identifier: MIT
#include "trace.hpp"

#include <algorithm>
#include <corun/base/errors.hpp>

using namespace corun;

namespace differential {
namespace {

std::vector<std::string> lines;
std::vector<std::string>
    unread;  // reports of errors that nobody read: when asyncio's come is its collector's affair

// The part of a report's message that both sides have.
std::string said_of(const std::string& message) {
  for (const char* part : {"never retrieved", "destroyed but it is pending", "shutdown",
                           "closing of asynchronous generator", "shielded future", "Exception in callback"})
    if (message.find(part) != message.npos) return part;
  return message;
}

std::string with_text(const char* name, const std::string& text) {
  return text.empty() ? name : std::string(name) + "(" + text + ")";
}

}  // namespace

void say_line(const std::string& line) {
  std::ostringstream text;
  try {
    text << std::chrono::duration<double>(get_running_loop().time().time_since_epoch()).count() << ' ';
  } catch (const RuntimeError&) {
    text << "- ";
  }
  lines.push_back(text.str() + line);
}

std::vector<std::string> take_lines() {
  auto taken = std::exchange(lines, {});
  std::sort(unread.begin(), unread.end());
  for (auto& line : std::exchange(unread, {})) taken.push_back(std::move(line));
  return taken;
}

std::string kind(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    std::string text;
    for (const auto& each : group.exceptions()) text += (text.empty() ? "" : ", ") + kind(each);
    return "ExceptionGroup[" + text + "]";
  } catch (const Oops& e) {
    return with_text("Oops", e.what());
  } catch (const CancelledError& e) {
    return with_text("CancelledError", e.message());
  } catch (const SystemExit& e) {
    return with_text("SystemExit", std::to_string(e.code()));
  } catch (...) {
    std::string name = detail::describe(error);
    name = name.substr(0, name.find(": "));
    name = name.substr(name.rfind(':') + 1);
    return name.substr(0, name.find('>'));  // std::throw_with_nested's wrapping
  }
}

std::unique_ptr<Loop> new_loop() {
  auto loop = testing::virtual_time()();
  loop->set_exception_handler([](Loop&, const ExceptionContext& context) {
    std::string said = said_of(context.message), line = "report: " + said;
    if (context.exception) line += " " + kind(context.exception);
    (said == "never retrieved" ? unread : lines).push_back(line);
  });
  loop->set_warning_handler([](std::string_view text) { say("warning:", text); });
  return loop;
}

RunnerOptions options() {
  RunnerOptions with;
  with.loop_factory = new_loop;
  return with;
}

Coro<> sleeper(std::string who, double seconds) {
  say(who, "begins");
  try {
    co_await sleep(seconds);
  } catch (const CancelledError&) {
    say(who, "gets", kind_now());
    throw;
  }
  say(who, "ends");
}

Coro<int> sleeper(std::string who, double seconds, int value) {
  co_await sleeper(std::move(who), seconds);
  co_return value;
}

Coro<> failing(std::string who, double seconds) {
  co_await sleep(seconds);
  say(who, "fails");
  throw Oops(who);
}

Coro<> stubborn(std::string who, double seconds, double more) {
  bool cancelled = false;
  try {
    co_await sleep(seconds);
  } catch (const CancelledError&) {
    say(who, "swallows", kind_now());
    cancelled = true;
  }
  if (cancelled) co_await sleep(more);
  say(who, "ends");
}

Coro<int> stubborn(std::string who, double seconds, double more, int value) {
  co_await stubborn(std::move(who), seconds, more);
  co_return value;
}

Coro<> cleaning(std::string who, double seconds, double more) {
  auto clean_up = [&]() -> Coro<> {
    say(who, "cleans up");
    co_await sleep(more);
    say(who, "is clean");
  };
  auto body = [&]() -> Coro<> { return sleep(seconds); };
  co_await with_cleanup(body, clean_up);
}

Coro<> spiteful(std::string who, double seconds) {
  try {
    co_await sleep(seconds);
  } catch (const CancelledError&) {
    say(who, "fails");
    throw Oops(who);
  }
  say(who, "ends");
}

}  // namespace differential
