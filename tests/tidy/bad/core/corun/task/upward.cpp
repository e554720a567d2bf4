// SPDX-License-Identifier: MIT
#include <corun/loop/loop.hpp>
#include <corun/sync/event.hpp>  // expect: include
#include <boost/asio/steady_timer.hpp>  // expect: include
boost::asio::steady_timer* timer;  // expect: asio
// asio::in_prose and
const char* text = "asio::in_a_literal";
