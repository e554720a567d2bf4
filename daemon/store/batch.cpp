// SPDX-License-Identifier: MIT
#include "daemon/store/batch.hpp"

#include <cstring>

namespace corund::store {
namespace {

constexpr std::size_t block_bytes = 64 * 1024;
constexpr std::size_t large_bytes =
    block_bytes / 4;  // from here on a text has memory of its own: at most a quarter of a block is lost
constexpr std::size_t blocks_kept = 32;  // by clear(); more came from a burst
constexpr std::size_t changes_kept = 16 * 1024;

}  // namespace

std::string_view Arena::copy(std::string_view text) {
  if (text.empty()) return {};
  if (text.size() >= large_bytes) {
    large_.emplace_back(new char[text.size()]);
    std::memcpy(large_.back().get(), text.data(), text.size());
    return {large_.back().get(), text.size()};
  }
  if (block_ < blocks_.size() && used_ + text.size() > block_bytes) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    blocks_.emplace_back(new char[block_bytes]);
    used_ = 0;
  }
  char* place = blocks_[block_].get() + used_;
  std::memcpy(place, text.data(), text.size());
  used_ += text.size();
  return {place, text.size()};
}

void Arena::clear() noexcept {
  if (blocks_.size() > blocks_kept) blocks_.resize(blocks_kept);
  block_ = 0;
  used_ = 0;
  large_.clear();
}

void Batch::add(const Change& change) {
  changes_.push_back(change);
  std::visit(
      [this](auto& row) { each_text(row, [this](std::string_view& text) { text = arena_.copy(text); }); },
      changes_.back());
  if (std::holds_alternative<JobRow>(change)) ++submissions_;
}

void Batch::add_facts_of(const Batch& failed) {
  for (const Change& change : failed.changes_)
    if (!std::holds_alternative<JobRow>(change)) add(change);
  forgotten_.insert(forgotten_.end(), failed.forgotten_.begin(), failed.forgotten_.end());
}

void Batch::add_all_of(const Batch& other) {
  for (const Change& change : other.changes_) add(change);
  forgotten_.insert(forgotten_.end(), other.forgotten_.begin(), other.forgotten_.end());
}

void Batch::clear() noexcept {
  changes_.clear();
  if (changes_.capacity() > changes_kept) std::vector<Change>().swap(changes_);
  forgotten_.clear();
  submissions_ = 0;
  arena_.clear();
}

}  // namespace corund::store
