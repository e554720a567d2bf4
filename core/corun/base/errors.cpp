// SPDX-License-Identifier: MIT
#include <corun/base/errors.hpp>
#include <cxxabi.h>
#include <cstdlib>
#include <memory>
#include <typeinfo>

namespace corun {

ExceptionGroup::ExceptionGroup(const std::string& message, std::vector<std::exception_ptr> exceptions)
    : what_(message + " (" + std::to_string(exceptions.size()) +
            (exceptions.size() == 1 ? " sub-exception)" : " sub-exceptions)")),
      exceptions_(std::move(exceptions)) {}

namespace detail {

std::string demangle(const char* mangled) {
  int status = 0;
  std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free);
  return status == 0 ? text.get() : mangled;
}

std::string describe(const std::exception_ptr& error) {
  if (!error) return "no exception";
  try {
    std::rethrow_exception(error);
  } catch (const CancelledError& e) {
    return e.message().empty() ? "corun::CancelledError" : "corun::CancelledError: " + e.message();
  } catch (const KeyboardInterrupt& e) {
    return "corun::KeyboardInterrupt: signal " + std::to_string(e.signal_number());
  } catch (const SystemExit& e) {
    return "corun::SystemExit: " + std::to_string(e.code());
  } catch (const GeneratorExit&) {
    return "corun::GeneratorExit";
  } catch (const std::exception& e) {
    return demangle(typeid(e).name()) + ": " + e.what();
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    return type ? demangle(type->name()) : "an exception of unknown type";
  }
}

}  // namespace detail
}  // namespace corun
