// SPDX-License-Identifier: MIT
#include <corun/base/result.hpp>
#include <corun/loop/loop.hpp>  // expect: include
#include <boost/asio/io_context.hpp>  // expect: include
