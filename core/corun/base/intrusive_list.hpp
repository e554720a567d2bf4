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

  bool linked() const noexcept { return link_next != nullptr; }

  void unlink() noexcept {
    if (!link_next) return;
    link_prev->link_next = link_next;
    link_next->link_prev = link_prev;
    link_next = link_prev = nullptr;
  }

  ListLink* link_prev = nullptr;
  ListLink* link_next = nullptr;
};

// T derives from ListLink (or from Tag, itself derived from ListLink, where it stands in several lists).
template <class T, class Link = ListLink>
class IntrusiveList {
 public:
  IntrusiveList() noexcept { root_.link_prev = root_.link_next = &root_; }
  ~IntrusiveList() { clear(); }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const noexcept { return root_.link_next == &root_; }

  void push_back(T& element) noexcept {
    Link& link = element;
    CORUN_ASSERT(!link.linked());
    link.link_prev = root_.link_prev;
    link.link_next = &root_;
    root_.link_prev->link_next = &link;
    root_.link_prev = &link;
  }

  T& front() const noexcept { return element(root_.link_next); }
  T* pop_front() noexcept {
    ListLink* first = root_.link_next;
    if (first == &root_) return nullptr;
    root_.link_next = first->link_next;
    first->link_next->link_prev = &root_;
    first->link_prev = first->link_next = nullptr;
    return &element(first);
  }

  // Moves all elements of `other` to the end of this list.
  void splice(IntrusiveList& other) noexcept {
    if (other.empty()) return;
    ListLink* first = other.root_.link_next;
    ListLink* last = other.root_.link_prev;
    other.root_.link_prev = other.root_.link_next = &other.root_;
    first->link_prev = root_.link_prev;
    last->link_next = &root_;
    root_.link_prev->link_next = first;
    root_.link_prev = last;
  }

  void clear() noexcept {
    while (!empty()) root_.link_next->unlink();
  }

  class iterator {
   public:
    explicit iterator(ListLink* at) noexcept : at_(at) {}
    T& operator*() const noexcept { return element(at_); }
    T* operator->() const noexcept { return &element(at_); }
    iterator& operator++() noexcept {
      at_ = at_->link_next;
      return *this;
    }
    bool operator==(const iterator&) const = default;

   private:
    ListLink* at_;
  };

  // Erasing the element an iterator stands on invalidates that iterator only.
  iterator begin() const noexcept { return iterator(root_.link_next); }
  iterator end() const noexcept { return iterator(&root_); }

 private:
  static T& element(ListLink* link) noexcept { return static_cast<T&>(static_cast<Link&>(*link)); }

  mutable ListLink root_;
};

}  // namespace corun
