// SPDX-License-Identifier: MIT
#pragma once
inline constexpr MessageId explained{"00000000000000000000000000000001"};
inline constexpr MessageId forgotten{"00000000000000000000000000000002"};  // expect: catalog
