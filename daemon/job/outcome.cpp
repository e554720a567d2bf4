// SPDX-License-Identifier: MIT
#include "daemon/job/outcome.hpp"

#include <corun/base/errors.hpp>
#include <cxxabi.h>

namespace corund::job {
namespace {

// The readable name of the exception's own type; what the standard library adds for its ABI is of no use to a reader.
std::string type_name(const std::exception_ptr& error) {
  const std::type_info* type = error.__cxa_exception_type();
  if (!type) return "unknown";
  std::string name = corun::detail::demangle(type->name());
  if (name.starts_with("corun::")) name.erase(0, 7);
  for (std::string_view inner : {"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >",
                                 "std::__cxx11::basic_string<char>"})
    if (std::size_t at = name.find(inner); at != std::string::npos) name.replace(at, inner.size(), "std::string");
  return name;
}

void failed(Outcome& outcome, std::string type, std::string message) {
  outcome.state = State::failed;
  outcome.error_type = std::move(type);
  outcome.error_message = std::move(message);
}

}  // namespace

void Outcome::reset() noexcept {
  state = State::lost;
  result.clear();
  error_type.clear();
  error_message.clear();
  reason.clear();
}

void describe_failure(const std::exception_ptr& error, Outcome& outcome) {
  outcome.reset();
  try {
    std::rethrow_exception(error);
  } catch (const corun::CancelledError& e) {
    outcome.state = State::cancelled;
    outcome.reason = e.message();
  } catch (const JobFailure& e) {
    failed(outcome, e.type(), e.what());
    outcome.result = e.result();
  } catch (const corun::SystemExit& e) {
    failed(outcome, "SystemExit", std::to_string(e.code()));
  } catch (const corun::KeyboardInterrupt& e) {
    failed(outcome, "KeyboardInterrupt", "signal " + std::to_string(e.signal_number()));
  } catch (const corun::GeneratorExit&) {
    failed(outcome, "GeneratorExit", "");
  } catch (const corun::ExceptionGroup& e) {
    std::string message = e.what();
    for (const auto& inner : e.exceptions()) message += "; " + corun::detail::describe(inner);
    failed(outcome, "ExceptionGroup", std::move(message));
  } catch (const std::exception& e) {
    failed(outcome, type_name(error), e.what());
  } catch (const std::string& text) {
    failed(outcome, "std::string", text);
  } catch (const char* text) {
    failed(outcome, "char const*", text ? text : "");
  } catch (int number) {
    failed(outcome, "int", std::to_string(number));
  } catch (...) {
    failed(outcome, type_name(error), "thrown by the job; it is no std::exception");
  }
}

}  // namespace corund::job
