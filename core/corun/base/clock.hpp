// SPDX-License-Identifier: MIT
// Floor 0. The library's time: steady_clock, and how a caller's duration is brought to it without overflow.
#pragma once

#include <chrono>
#include <cmath>
#include <corun/base/errors.hpp>
#include <ratio>
#include <utility>

namespace corun {

// What every duration becomes, and what a loop's clock tells.
using nanoseconds = std::chrono::nanoseconds;
using time_point = std::chrono::steady_clock::time_point;

namespace detail {

// A duration of any kind as nanoseconds, held within what a time_point can carry (about 146 years each way, so that now + d never
// overflows). Errors: ValueError for NaN, as asyncio.sleep(nan).
template <class Rep, class Period>
nanoseconds to_nanoseconds(std::chrono::duration<Rep, Period> d) {
  constexpr long double limit = 4.6e18L;
  if constexpr (std::is_integral_v<Rep> && std::ratio_divide<Period, std::nano>::den == 1) {  // s, ms, us: no floating point
    constexpr long long factor = std::ratio_divide<Period, std::nano>::num;
    constexpr long long most = static_cast<long long>(limit) / factor;
    if (std::cmp_greater(d.count(), most)) return nanoseconds(most * factor);
    if (std::cmp_less(d.count(), -most)) return nanoseconds(-most * factor);
    return nanoseconds(static_cast<long long>(d.count()) * factor);
  }
  if constexpr (std::is_floating_point_v<Rep>)
    if (std::isnan(d.count())) throw ValueError("Invalid delay: NaN (not a number)");
  long double ns = std::chrono::duration<long double, std::nano>(d).count();
  if (ns > limit) return nanoseconds(static_cast<long long>(limit));
  if (ns < -limit) return nanoseconds(static_cast<long long>(-limit));
  if constexpr (std::is_floating_point_v<Rep>)
    return nanoseconds(static_cast<long long>(ns));
  else
    return std::chrono::duration_cast<nanoseconds>(d);
}
constexpr nanoseconds to_nanoseconds(nanoseconds d) {
  constexpr nanoseconds limit{4'600'000'000'000'000'000};
  return d > limit ? limit : d < -limit ? -limit : d;
}

}  // namespace detail
}  // namespace corun
