// SPDX-License-Identifier: MIT
#include <boost/asio/io_context.hpp>
#include <corun/task/task.hpp>  // expect: include
