// SPDX-License-Identifier: MIT
// Floor 0. The outcome of parsing and of table look-ups: a value, or a small error that the direct caller decides about.
// C++20 has no std::expected; this alias is the one line to change on the day it does.
#pragma once

#include <boost/system/result.hpp>

namespace corun {

// A value, or an error of a small enum.
template <class T, class E>
using Result = boost::system::result<T, E>;

}  // namespace corun
