// SPDX-License-Identifier: MIT
// Floor 0. Which symbols libcorun shows: it is built with hidden visibility, so what others link against is marked.
#pragma once

#define CORUN_API __attribute__((visibility("default")))

// Inlined even at -O0's doorstep: the handful of functions that every await passes through.
#define CORUN_INLINE [[gnu::always_inline]] inline
