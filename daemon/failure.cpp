// SPDX-License-Identifier: MIT
#include "daemon/failure.hpp"

#include <cerrno>
#include <corun/corun.hpp>
#include <system_error>

#include "daemon/serve/own_socket.hpp"
#include "daemon/store/trouble.hpp"
#include "daemon/wire/errors.hpp"

namespace corund {
namespace {

// Where the store itself is the trouble, the errno that journald's tools use for the like.
int errno_of(const store::StoreError& error) {
  if (error.system_errno() != 0) return error.system_errno();
  switch (error.trouble()) {
    case store::Trouble::full: return ENOSPC;
    case store::Trouble::locked: return EBUSY;
    case store::Trouble::newer: return EPROTONOSUPPORT;
    case store::Trouble::damaged:
    case store::Trouble::foreign: return EBADMSG;
    case store::Trouble::io: break;
  }
  return EIO;
}

}  // namespace

Failure failure_of(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const serve::SocketInUse& in_use) {
    return {in_use.what(), EADDRINUSE, {}};
  } catch (const store::StoreError& error) {
    const bool is_full = error.trouble() == store::Trouble::full;
    return {error.what(), errno_of(error), is_full ? wire::errors::StoreFull::name : std::string_view()};
  } catch (const std::system_error& error) {
    const auto condition = error.code().default_error_condition();
    return {error.what(), condition.category() == std::generic_category() ? condition.value() : 0, {}};
  } catch (const std::bad_alloc&) {
    return {"out of memory", ENOMEM, {}};
  } catch (const std::exception& error) {
    return {error.what(), 0, {}};
  } catch (...) {
    return {corun::detail::describe(std::current_exception()), 0, {}};
  }
}

Failure failure_of(const config::Faults& faults) {
  std::string text = faults.empty() ? "the configuration is wrong" : config::to_string(faults.front());
  if (faults.size() > 1) text += " (and " + std::to_string(faults.size() - 1) + " more)";
  return {std::move(text), EINVAL, wire::errors::BadConfiguration::name};
}

}  // namespace corund
