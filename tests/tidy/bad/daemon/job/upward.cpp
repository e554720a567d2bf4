// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>
#include "daemon/wire/frame.hpp"  // expect: include
#include <boost/asio/post.hpp>  // expect: include
