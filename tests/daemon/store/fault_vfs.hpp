// SPDX-License-Identifier: MIT
// An SQLite VFS over the default one that knows what is on disk. Calls can be made to fail, and the power can
// be cut: then files hold what was synced and any part of what was not. Nothing is really synced, so that
// many runs take little time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace tests {

enum class DiskCall { write, sync, open, truncate };

// What a power cut leaves of what was not synced.
enum class Unsynced { random, all, none };

// Registered while it lives; outlives every connection that uses it. Threads: any.
class FaultVfs {
 public:
  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const std::string& name() const { return name_; }

  // The nth call of this sort from now on (1: the next) fails with this errno, and so do those right after
  // it, `times` in all. A write that fails has written half of its bytes.
  void fail(DiskCall call, int nth, int error, int times = 1);
  // What of its file a sync that fails has brought to the disk; the rest counts as clean all the same, as
  // Linux does it.
  void failed_sync_leaves(Unsynced part);
  // Whether a call has failed so.
  bool failed() const;
  // How often it was called, failures included. Opens and syncs of databases, WALs and journals.
  int calls(DiskCall call) const;

  // The nth write, sync, truncation or removal from now on finds no power, nor does any call after it.
  void cut_power_at(int nth);
  void cut_power();
  bool has_power() const;
  // Puts the files into the state that the cut has left. All connections are closed by then.
  void restore(Unsynced unsynced, std::uint32_t seed);

 private:
  struct Change {
    bool is_write = true;  // else a truncation to `offset`
    std::int64_t offset = 0;
    std::string bytes;
  };
  struct Disk {  // a file
    std::string durable;
    bool exists = false;          // now
    bool exists_durably = false;  // its directory entry is synced
    std::vector<Change> changes;  // since the latest sync
  };
  struct File;
  struct Methods;

  int enter(DiskCall call, bool counts_for_power, int& error);
  static void apply(std::string& content, const Change& change);
  static std::string after_cut(const Disk& disk, Unsynced unsynced, std::mt19937& random);

  mutable std::mutex mutex_;
  sqlite3_vfs vfs_{};
  sqlite3_vfs* real_ = nullptr;
  std::string name_;
  std::map<std::string, Disk> disks_;  // by path
  std::map<DiskCall, int> calls_;
  DiskCall fault_call_ = DiskCall::write;
  int fault_at_ = 0, fault_times_ = 0, fault_errno_ = 0;  // at 0: none
  Unsynced failed_sync_leaves_ = Unsynced::random;
  bool failed_ = false;
  int power_calls_ = 0, cut_at_ = 0;  // at 0: none
  bool power_ = true;
  int last_errno_ = 0;
  std::mt19937 random_{1};
};

}  // namespace tests
