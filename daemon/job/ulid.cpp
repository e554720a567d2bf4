// SPDX-License-Identifier: MIT
#include "daemon/job/ulid.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace corund::job {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// Value of each character, 255 where it is none; I, L, O are not read as digits: an id is copied, never typed from memory.
constexpr std::array<unsigned char, 256> values = [] {
  std::array<unsigned char, 256> table{};
  for (auto& v : table) v = 255;
  for (unsigned char i = 0; i < 32; ++i) {
    unsigned char c = static_cast<unsigned char>(digits[i]);
    table[c] = i;
    if (c >= 'A') table[c + 32] = i;
  }
  return table;
}();

// Two digits at a time.
constexpr std::array<std::array<char, 2>, 1024> pairs = [] {
  std::array<std::array<char, 2>, 1024> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = {digits[i >> 5], digits[i & 31]};
  return table;
}();

}  // namespace

std::optional<Ulid> Ulid::parse(std::string_view text) noexcept {
  if (text.size() != length) return std::nullopt;
  Wide value = 0;
  for (std::size_t i = 0; i < length; ++i) {
    unsigned digit = values[static_cast<unsigned char>(text[i])];
    if (digit == 255 || (i == 0 && digit > 7)) return std::nullopt;  // 26 digits hold 130 bits: the first must be small
    value = value << 5 | digit;
  }
  return Ulid(static_cast<std::uint64_t>(value >> 64), static_cast<std::uint64_t>(value));
}

Ulid::Text Ulid::text() const noexcept {
  Text out;
  std::uint64_t low = low_, high = high_;
  for (std::size_t i = length; i > 0;) {
    i -= 2;
    std::memcpy(&out[i], pairs[low & 1023].data(), 2);
    low = low >> 10 | high << 54;
    high >>= 10;
  }
  return out;
}

std::string Ulid::to_string() const {
  Text t = text();
  return std::string(t.data(), t.size());
}

std::uint64_t UlidSource::random() {
  if (used_ == pool_.size()) {
    auto* at = reinterpret_cast<char*>(pool_.data());
    std::size_t left = sizeof pool_;
    while (left > 0) {
      ssize_t got = ::getrandom(at, left, 0);
      if (got < 0) {
        if (errno == EINTR) continue;
        throw std::system_error(errno, std::generic_category(), "getrandom");
      }
      at += got;
      left -= static_cast<std::size_t>(got);
    }
    used_ = 0;
  }
  return pool_[used_++];
}

Ulid UlidSource::next(std::int64_t microseconds) {
  auto ms = static_cast<std::uint64_t>(microseconds / 1000);
  if (ms > last_.milliseconds()) {
    // The top bit of the 80 stays clear, so that counting on within the millisecond has room.
    std::uint64_t r = random();
    last_ = Ulid(ms << 16 | (r & 0x7fff), random());
  } else {
    if (++last_.low_ == 0) ++last_.high_;  // past 2^80 it runs into the next millisecond: still larger, never equal
  }
  return last_;
}

}  // namespace corund::job
