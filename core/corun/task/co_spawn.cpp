// SPDX-License-Identifier: MIT
#include <corun/task/co_spawn.hpp>

namespace corun::detail {

std::exception_ptr as_asio_error(const std::exception_ptr& error, bool cancelled) {
  if (!cancelled) return error;
  return std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted));
}

}  // namespace corun::detail
