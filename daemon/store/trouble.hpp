// SPDX-License-Identifier: MIT
// What may be wrong with the store, as the callers tell it apart.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace corund::store {

// full: no space (ENOSPC, EDQUOT, SQLITE_FULL). io: any other failure to read or write. damaged: no sound
// database. newer: written by a later version. foreign: a database of something else, or no database. locked:
// another daemon has it (its pid is in the text).
enum class Trouble : std::uint8_t { full, io, damaged, newer, foreign, locked };

class StoreError : public std::runtime_error {
 public:
  StoreError(Trouble trouble, const std::string& message, int system_errno = 0)
      : std::runtime_error(message), trouble_(trouble), system_errno_(system_errno) {}
  Trouble trouble() const noexcept { return trouble_; }
  // What the system said, where it was the system; else 0.
  int system_errno() const noexcept { return system_errno_; }

 private:
  Trouble trouble_;
  int system_errno_;
};

// Of an SQLite result code (basic or extended) and the errno behind it (0: none).
Trouble trouble_of(int sqlite_code, int system_errno) noexcept;

}  // namespace corund::store
