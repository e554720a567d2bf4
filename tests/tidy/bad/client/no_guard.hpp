// SPDX-License-Identifier: MIT  expect: guard
struct NoGuard {};
