// SPDX-License-Identifier: MIT
// Floor 1. Where a frame or a future keeps its value until somebody takes it.
#pragma once

#include <corun/base/assert.hpp>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

namespace corun::detail {

// How a T is stored: references as pointers, void as nothing.
template <class T>
struct ResultSlot {
  using stored = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>;
  // Whether it matters to the destructor that a value came. What is trivial to destroy needs no mark, on the way of every await.
  static constexpr bool marked = !std::is_trivially_destructible_v<stored>;

  ResultSlot() noexcept {}
  ResultSlot(const ResultSlot&) = delete;
  ResultSlot& operator=(const ResultSlot&) = delete;
  ~ResultSlot() {
    if constexpr (marked)
      if (mark.full) std::destroy_at(std::addressof(value));
  }

  template <class U>
  void emplace(U&& from) {
    if constexpr (marked) CORUN_ASSERT(!mark.full);
    if constexpr (std::is_reference_v<T>)
      std::construct_at(std::addressof(value), std::addressof(from));
    else
      std::construct_at(std::addressof(value), std::forward<U>(from));
    if constexpr (marked) mark.full = true;
  }

  // Moves the value out; the slot stays to be destroyed.
  T take() {
    if constexpr (std::is_reference_v<T>)
      return static_cast<T>(*value);
    else
      return std::move(value);
  }

  // What a second reader gets: a copy where T can be copied, else the value itself, once.
  T read() {
    if constexpr (std::is_reference_v<T>)
      return static_cast<T>(*value);
    else if constexpr (std::is_copy_constructible_v<T>)
      return value;
    else
      return std::move(value);
  }

  void move_from(ResultSlot& other) { emplace(other.take()); }

  union {
    stored value;
  };
  struct Mark {
    bool full = false;
  };
  [[no_unique_address]] std::conditional_t<marked, Mark, std::monostate> mark;
};

template <>
struct ResultSlot<void> {
  void emplace() noexcept {}
  void take() noexcept {}
  void read() noexcept {}
  void move_from(ResultSlot&) noexcept {}
};

// void where a type is needed: a tuple's element, a variant's alternative.
template <class T>
using or_monostate = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

}  // namespace corun::detail
