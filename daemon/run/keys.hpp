// SPDX-License-Identifier: MIT
// Idempotency keys: which job a uid's key stands for, as long as that job is known.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <utility>

#include "daemon/job/table.hpp"

namespace corund::run {

class Keys {
 public:
  // Null where the key is new. Keys are 1 to 256 bytes; that is checked where they come in.
  job::Job* find(const job::Table& table, uid_t owner, const std::string& key) const {
    auto at = ids_.find({owner, key});
    return at == ids_.end() ? nullptr : table.find(at->second);
  }
  void add(const job::Job& job) {
    if (const std::string& key = job.spec.extras().key; !key.empty()) ids_[{job.spec.owner, key}] = job.id;
  }
  // Only where the key still stands for that job.
  void remove(uid_t owner, const std::string& key, const job::Ulid& id) {
    if (key.empty()) return;
    auto at = ids_.find({owner, key});
    if (at != ids_.end() && at->second == id) ids_.erase(at);
  }

 private:
  std::map<std::pair<uid_t, std::string>, job::Ulid> ids_;
};

}  // namespace corund::run
