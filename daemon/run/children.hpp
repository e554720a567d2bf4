// SPDX-License-Identifier: MIT
// Places of child jobs. A child counts in the group of its own kind. Where one of those above it holds a place in that group and does not lend
// it yet, the child has that one, until it is over: a job that waits for its child never waits for itself. Otherwise it takes a place of its
// own, or waits for one in the group's queue of children. Children of different jobs do not wait for each other for ever either: see
// Group::has_room_for_child. What is known here is about jobs that have children now; all others cost nothing.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "daemon/job/job.hpp"
#include "daemon/run/groups.hpp"

namespace corund::run {

class Children {
 public:
  Children();
  ~Children();

  // True: the child has a place. False: it stands in its group's queue, until let_in() or leave() gives it one, or it leaves that queue for
  // another reason. of_parent, group: in which the two count. Every child that entered leaves once.
  bool enter(const job::Job& parent, Group& of_parent, job::Job& child, Group& group);
  // Gives places to those who wait for them in this group, as far as there are any: their `wait` is none then, and they are notified.
  void let_in(Group& group);
  // The child is over, or was not started. Nothing, where it has left already.
  void leave(const job::Job& child);
  // Nobody waits for it any more: a place that was lent to it goes back; one of its own it keeps.
  void abandon(const job::Job& child);
  // The job's attempt is over, and so is its place; what it has left below it goes on by itself.
  void end(const job::Job& parent);
  // A group in which children or others may find room since it was last asked for; null where there is none.
  Group* next_freed();

 private:
  struct Node;
  struct Place;
  using NodeRef = std::shared_ptr<Node>;

  bool try_place(const NodeRef& node);
  void admit(job::Job& child, Node& node);
  void give_back(Node& node);
  static NodeRef above(const Node& node);
  void count_waiting(Node& node, std::ptrdiff_t more);
  void use(Place& place, Node& user);
  void retire(Node& node);
  void refresh(Place& place);

  std::map<job::Ulid, NodeRef> nodes_;  // children that are not over, and their parents
  std::vector<Group*> freed_;
};

}  // namespace corund::run
