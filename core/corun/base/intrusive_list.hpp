// SPDX-License-Identifier: MIT
// Floor 0. A doubly linked list whose links live in the elements: adding and removing allocate nothing and cannot fail.
// The list does not own; an element is in at most one list per link. Removing an element that is in no list does nothing.
#pragma once

#include <corun/base/assert.hpp>
#include <cstddef>

namespace corun {

struct ListLink {
  ListLink() = default;
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;

  bool linked() const noexcept { return next != nullptr; }

  void unlink() noexcept {
    if (!next) return;
    prev->next = next;
    next->prev = prev;
    next = prev = nullptr;
  }

  ListLink* prev = nullptr;
  ListLink* next = nullptr;
};

// T derives from ListLink (or from Tag, itself derived from ListLink, where it stands in several lists).
template <class T, class Link = ListLink>
class IntrusiveList {
 public:
  IntrusiveList() noexcept { root_.prev = root_.next = &root_; }
  ~IntrusiveList() { clear(); }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const noexcept { return root_.next == &root_; }

  void push_back(T& element) noexcept {
    Link& link = element;
    CORUN_ASSERT(!link.linked());
    link.prev = root_.prev;
    link.next = &root_;
    root_.prev->next = &link;
    root_.prev = &link;
  }

  T& front() const noexcept { return element(root_.next); }
  T* pop_front() noexcept {
    if (empty()) return nullptr;
    T& first = front();
    static_cast<Link&>(first).unlink();
    return &first;
  }

  // Moves all elements of `other` to the end of this list.
  void splice(IntrusiveList& other) noexcept {
    if (other.empty()) return;
    ListLink* first = other.root_.next;
    ListLink* last = other.root_.prev;
    other.root_.prev = other.root_.next = &other.root_;
    first->prev = root_.prev;
    last->next = &root_;
    root_.prev->next = first;
    root_.prev = last;
  }

  void clear() noexcept {
    while (!empty()) root_.next->unlink();
  }

  class iterator {
   public:
    explicit iterator(ListLink* at) noexcept : at_(at) {}
    T& operator*() const noexcept { return element(at_); }
    T* operator->() const noexcept { return &element(at_); }
    iterator& operator++() noexcept {
      at_ = at_->next;
      return *this;
    }
    bool operator==(const iterator&) const = default;

   private:
    ListLink* at_;
  };

  // Erasing the element an iterator stands on invalidates that iterator only.
  iterator begin() const noexcept { return iterator(root_.next); }
  iterator end() const noexcept { return iterator(&root_); }

 private:
  static T& element(ListLink* link) noexcept { return static_cast<T&>(static_cast<Link&>(*link)); }

  mutable ListLink root_;
};

}  // namespace corun
