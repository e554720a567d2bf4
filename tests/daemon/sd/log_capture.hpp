// SPDX-License-Identifier: MIT
// A backend for tests: keeps what it is given, and can be made to stand still.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/sd/log.hpp"

namespace tests {

struct CapturedRecord {
  corund::sd::LogLevel level;
  std::vector<std::string> entries;

  std::string find(const std::string& name) const {
    for (const std::string& entry : entries)
      if (entry.rfind(name + "=", 0) == 0) return entry.substr(name.size() + 1);
    return {};
  }
  std::string message() const { return find("MESSAGE"); }
};

// Shared by the test and the backend, which belongs to the log.
class LogCapture {
 public:
  std::unique_ptr<corund::sd::LogBackend> backend() { return std::make_unique<Backend>(state_); }

  // From now on the backend blocks in its next record, until go_on().
  void stand_still() {
    std::lock_guard lock(state_->mutex);
    state_->blocked = true;
  }
  void go_on() {
    std::lock_guard lock(state_->mutex);
    state_->blocked = false;
    state_->changed.notify_all();
  }
  // Until the backend is inside a record and blocked there.
  bool wait_stuck() {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, std::chrono::seconds(30), [&] { return state_->inside; });
  }
  // Until so many records have come; those are returned.
  std::vector<CapturedRecord> wait_for(std::size_t count) {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait_for(lock, std::chrono::seconds(30), [&] { return state_->records.size() >= count; });
    return state_->records;
  }
  std::vector<CapturedRecord> records() { return wait_for(0); }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<CapturedRecord> records;
    bool blocked = false;
    bool inside = false;
  };
  struct Backend final : corund::sd::LogBackend {
    explicit Backend(std::shared_ptr<State> s) : state(std::move(s)) {}
    void write(const corund::sd::LogRecord& record) noexcept override {
      std::unique_lock lock(state->mutex);
      state->inside = state->blocked;
      state->changed.notify_all();
      state->changed.wait(lock, [&] { return !state->blocked; });
      state->inside = false;
      state->records.push_back({record.level, {record.entries.begin(), record.entries.end()}});
      state->changed.notify_all();
    }
    std::shared_ptr<State> state;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace tests
