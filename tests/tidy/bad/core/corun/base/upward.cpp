// SPDX-License-Identifier: MIT
#include <vector>
#include <corun/coro/coro.hpp>  // expect: include
#include <boost/asio/ip/tcp.hpp>  // expect: include
#include <boost/system/result.hpp>
