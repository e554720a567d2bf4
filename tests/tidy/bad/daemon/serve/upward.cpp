// SPDX-License-Identifier: MIT
#include <boost/asio/local/stream_protocol.hpp>
#include "daemon/app.hpp"  // expect: include
