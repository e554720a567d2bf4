// SPDX-License-Identifier: MIT
// A place is used by one job at a time: by whom it was taken, or the child it is lent to, or that one's. It stalls while a child below its
// user waits. In a group that is full, somebody's place does not stall, and that job ends by itself or with what runs below it: so a child that
// waits is let in some day, in whichever order jobs of whichever groups have each other as children.
//
// Not done: a parent that gives its place up while it waits, and takes it again afterwards. Another job would run in the middle of it, in a
// group of one as well, which people use to keep jobs apart.
#include "daemon/run/children.hpp"

#include <algorithm>

#include "daemon/run/admission.hpp"

namespace corund::run {

struct Children::Node {
  Node(const job::Ulid& job, Group& counted_in) : id(job), group(counted_in) {}
  job::Ulid id;
  Group& group;
  NodeRef parent;                // null: no child itself
  std::shared_ptr<Place> place;  // null: it waits for one, or has given it back
  NodeRef lender;                // whose place it is; null: its own
  bool is_waiting = false;
  bool is_abandoned = false;
  std::size_t children = 0;
  std::size_t waiting = 0;       // of all below it
};

struct Children::Place {
  Place(Group& where, Node& by) : group(where), user(&by) {}
  Group& group;
  Node* user;  // never dangles: a node is kept by those below it, and gives back before it goes
  bool is_stalled = false;
  bool is_gone = false;  // it is counted nowhere any more, and its group may be gone as well
};

// The next one up the tree that waits for what is below; null: none does.
Children::NodeRef Children::above(const Node& node) { return node.is_abandoned ? nullptr : node.parent; }

Children::Children() = default;
Children::~Children() = default;

bool Children::enter(const job::Job& parent, Group& of_parent, job::Job& child, Group& group) {
  NodeRef& above = nodes_[parent.id];
  if (!above) {
    above = std::make_shared<Node>(parent.id, of_parent);
    above->place = std::make_shared<Place>(of_parent, *above);
  }
  auto node = std::make_shared<Node>(child.id, group);
  node->parent = above;
  ++above->children;
  nodes_.emplace(child.id, node);
  if (try_place(node)) return true;
  group.push_child(child);
  node->is_waiting = true;
  count_waiting(*node, 1);
  return false;
}

bool Children::try_place(const NodeRef& node) {
  for (NodeRef at = node->parent; at; at = above(*at))
    if (at->place && !at->place->is_gone && &at->place->group == &node->group && at->place->user == at.get()) {
      node->lender = at;
      node->place = at->place;
      use(*node->place, *node);
      return true;
    }
  // Those who came before wait as well.
  if (!node->group.has_room_for_child()) return false;
  node->group.enter();
  node->place = std::make_shared<Place>(node->group, *node);
  return true;
}

void Children::let_in(Group& group) {
  while (!group.children().empty()) {
    job::Job& child = group.children().front();
    const NodeRef node = nodes_.at(child.id);
    if (!try_place(node)) return;
    admit(child, *node);
  }
}

void Children::admit(job::Job& child, Node& node) {
  node.group.remove(child);
  node.is_waiting = false;
  count_waiting(node, -1);
  child.wait = job::Wait::none;
  child.changed.notify();
}

void Children::leave(const job::Job& child) {
  const auto at = nodes_.find(child.id);
  if (at == nodes_.end()) return;
  const NodeRef node = at->second;
  if (node->is_waiting) count_waiting(*node, -1);
  retire(*node);
  if (node->lender) {
    give_back(*node);
  } else if (node->place) {
    node->place.reset();
    node->group.leave();
    freed_.push_back(&node->group);
  }
  nodes_.erase(at);
  const NodeRef parent = node->parent;
  if (--parent->children > 0 || parent->parent) return;  // a child leaves by itself
  const auto top = nodes_.find(parent->id);
  if (top != nodes_.end() && top->second == parent) nodes_.erase(top);  // else its attempt is over, and this may be another one's
}

void Children::end(const job::Job& parent) {
  const auto at = nodes_.find(parent.id);
  if (at == nodes_.end() || at->second->parent) return;
  retire(*at->second);
  nodes_.erase(at);
}

// Nobody waits for what is below it any more, and a place of its own is no longer counted.
void Children::retire(Node& node) {
  if (!node.is_abandoned) count_waiting(node, -static_cast<std::ptrdiff_t>(node.waiting));
  node.is_abandoned = true;
  if (node.lender || !node.place) return;
  if (std::exchange(node.place->is_stalled, false)) node.place->group.go_on();
  node.place->is_gone = true;
}

void Children::abandon(const job::Job& child) {
  const auto at = nodes_.find(child.id);
  if (at == nodes_.end()) return;
  const NodeRef node = at->second;
  count_waiting(*node, -static_cast<std::ptrdiff_t>(node->waiting));
  node->is_abandoned = true;
  if (node->lender && node->place->user == node.get()) give_back(*node);
}

// The lender's place goes to the next one below it that waits for such a one, if any.
void Children::give_back(Node& node) {
  if (node.place->user != &node) return;  // one below it goes on that nobody waits for, and will give it back through this one
  const NodeRef lender = std::exchange(node.lender, nullptr);
  const std::shared_ptr<Place> place = std::exchange(node.place, nullptr);
  use(*place, *lender);
  if (lender->is_abandoned && lender->lender) return give_back(*lender);
  if (place->is_gone || lender->waiting == 0) return;
  for (job::Job& child : node.group.children()) {
    const NodeRef waiter = nodes_.at(child.id);
    bool is_below = false;
    for (NodeRef at = waiter->parent; at && !is_below; at = above(*at)) is_below = at == lender;
    if (is_below && try_place(waiter)) return admit(child, *waiter);
  }
}

void Children::count_waiting(Node& node, std::ptrdiff_t more) {
  for (NodeRef at = above(node); at; at = above(*at)) {
    at->waiting += static_cast<std::size_t>(more);
    if (at->place && at->place->user == at.get()) refresh(*at->place);
  }
}

void Children::use(Place& place, Node& user) {
  place.user = &user;
  refresh(place);
}

void Children::refresh(Place& place) {
  if (place.is_gone) return;
  const bool is_stalled = place.user->waiting > 0;
  if (is_stalled == place.is_stalled) return;
  place.is_stalled = is_stalled;
  if (!is_stalled) return place.group.go_on();
  place.group.stall();
  freed_.push_back(&place.group);
}

Group* Children::next_freed() {
  if (freed_.empty()) return nullptr;
  Group* group = freed_.back();
  std::erase(freed_, group);
  return group;
}

// Admission's side of it: a child that waits is a job that waits, and can be cancelled as one.

corun::Coro<> Admission::enter_child(job::JobRef parent, job::JobRef child) {
  if (children_.enter(*parent, groups_.of(parent->spec.group), *child, groups_.of(child->spec.group))) co_return;
  child->wait = job::Wait::room;
  count_in(*child);
  fill_freed();  // who has just begun to wait is in nobody's way
  try {
    while (child->wait == job::Wait::room && !child->is_over()) co_await child->changed.wait();
  } catch (const corun::CancelledError& cancelled) {
    if (!child->is_over()) end_waiting(*child, job::State::cancelled, cancelled.message());
    leave_child(*child);
    throw;
  }
  if (child->is_over()) co_return leave_child(*child);
  count_out(*child);
}

void Admission::leave_child(const job::Job& child) {
  children_.leave(child);
  fill_freed();
}

void Admission::abandon_child(const job::Job& child) {
  children_.abandon(child);
  fill_freed();
}

void Admission::fill_freed() {
  while (Group* group = children_.next_freed()) start_waiting(*group);
}

}  // namespace corund::run
