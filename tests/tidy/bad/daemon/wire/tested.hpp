// SPDX-License-Identifier: MIT  expect: pairing
#pragma once
