// SPDX-License-Identifier: MIT
// A few objects that were used before, for those who need one for a while: what many jobs need, but not all at once, is made as
// often as it is needed at once. T::reset() makes one as good as new.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace corund::job {

template <class T>
class Spares {
 public:
  explicit Spares(std::size_t kept) : kept_(kept) { spares_.reserve(kept); }

  std::unique_ptr<T> take() {
    if (spares_.empty()) return std::make_unique<T>();
    std::unique_ptr<T> spare = std::move(spares_.back());
    spares_.pop_back();
    return spare;
  }
  void give(std::unique_ptr<T> used) noexcept {
    if (!used || spares_.size() == kept_) return;
    used->reset();
    spares_.push_back(std::move(used));
  }

 private:
  std::size_t kept_;
  std::vector<std::unique_ptr<T>> spares_;
};

}  // namespace corund::job
