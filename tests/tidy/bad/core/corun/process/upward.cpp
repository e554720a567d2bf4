// SPDX-License-Identifier: MIT
#include <boost/asio/read.hpp>
#include <corun/runner.hpp>  // expect: include
