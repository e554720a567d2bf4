// SPDX-License-Identifier: MIT
#include "fault_vfs.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>

namespace tests {
namespace {

constexpr std::int64_t sector_bytes = 512;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_watched(int flags) {
  return (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
}

}  // namespace

// What SQLite holds of an open file; the real one follows it in memory.
struct FaultVfs::File {
  sqlite3_file base;
  FaultVfs* vfs;
  std::string* path;  // owned; null: not watched
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

struct FaultVfs::Methods {
  static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  static FaultVfs& of(sqlite3_vfs* vfs) { return *static_cast<FaultVfs*>(vfs->pAppData); }

  static int close(sqlite3_file* file) {
    delete of(file).path;
    return of(file).real()->pMethods->xClose(of(file).real());
  }
  static int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
    return of(file).real()->pMethods->xRead(of(file).real(), to, size, at);
  }
  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
    File& f = of(file);
    if (f.path == nullptr) return f.real()->pMethods->xWrite(f.real(), bytes, size, at);
    const std::lock_guard lock(f.vfs->mutex_);
    int error = 0;
    const int verdict = f.vfs->enter(DiskCall::write, true, error);
    if (verdict == 2) return SQLITE_IOERR_WRITE;  // no power
    const int written = verdict == 1 ? size / 2 : size;
    f.vfs->disks_[*f.path].changes.push_back(
        {true, at, std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(written))});
    const int code = written == 0 ? SQLITE_OK : f.real()->pMethods->xWrite(f.real(), bytes, written, at);
    if (verdict == 1) return error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    return code;
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    File& f = of(file);
    if (f.path == nullptr) return f.real()->pMethods->xTruncate(f.real(), size);
    const std::lock_guard lock(f.vfs->mutex_);
    int error = 0;
    if (f.vfs->enter(DiskCall::truncate, true, error) != 0) return SQLITE_IOERR_TRUNCATE;
    f.vfs->disks_[*f.path].changes.push_back({false, size, {}});
    return f.real()->pMethods->xTruncate(f.real(), size);
  }
  static int sync(sqlite3_file* file, int) {
    File& f = of(file);
    if (f.path == nullptr) return SQLITE_OK;
    const std::lock_guard lock(f.vfs->mutex_);
    int error = 0;
    const int verdict = f.vfs->enter(DiskCall::sync, true, error);
    if (verdict == 2) return SQLITE_IOERR_FSYNC;
    Disk& disk = f.vfs->disks_[*f.path];
    if (verdict == 1) {
      disk.durable = after_cut(disk, f.vfs->failed_sync_leaves_, f.vfs->random_);
      disk.changes.clear();
      return SQLITE_IOERR_FSYNC;
    }
    for (const Change& change : disk.changes) apply(disk.durable, change);
    disk.changes.clear();
    // The unix VFS syncs the directory with the first sync of a WAL or journal that it made; the entry of a
    // file that was there is as durable as it was. One directory: all its entries become so.
    if (!disk.exists_durably)
      for (auto& [path, other] : f.vfs->disks_) other.exists_durably = other.exists;
    return SQLITE_OK;
  }
  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
    return of(file).real()->pMethods->xFileSize(of(file).real(), size);
  }
  static int lock(sqlite3_file* file, int level) {
    return of(file).real()->pMethods->xLock(of(file).real(), level);
  }
  static int unlock(sqlite3_file* file, int level) {
    return of(file).real()->pMethods->xUnlock(of(file).real(), level);
  }
  static int check_lock(sqlite3_file* file, int* held) {
    return of(file).real()->pMethods->xCheckReservedLock(of(file).real(), held);
  }
  static int control(sqlite3_file* file, int op, void* argument) {
    return of(file).real()->pMethods->xFileControl(of(file).real(), op, argument);
  }
  static int sector_size(sqlite3_file* file) {
    return of(file).real()->pMethods->xSectorSize(of(file).real());
  }
  static int traits(sqlite3_file* file) {
    return of(file).real()->pMethods->xDeviceCharacteristics(of(file).real());
  }
  static int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** at) {
    return of(file).real()->pMethods->xShmMap(of(file).real(), page, size, extend, at);
  }
  static int shm_lock(sqlite3_file* file, int offset, int n, int flags) {
    return of(file).real()->pMethods->xShmLock(of(file).real(), offset, n, flags);
  }
  static void shm_barrier(sqlite3_file* file) { of(file).real()->pMethods->xShmBarrier(of(file).real()); }
  static int shm_unmap(sqlite3_file* file, int remove) {
    return of(file).real()->pMethods->xShmUnmap(of(file).real(), remove);
  }

  static int open(sqlite3_vfs* vfs, sqlite3_filename path, sqlite3_file* file, int flags, int* flags_out) {
    static const sqlite3_io_methods methods = {
        2,       close,       read,   write,   truncate, sync,        file_size, lock,    unlock, check_lock,
        control, sector_size, traits, shm_map, shm_lock, shm_barrier, shm_unmap, nullptr, nullptr};
    FaultVfs& self = of(vfs);
    File& f = *new (file) File{};
    const bool watched = path != nullptr && is_watched(flags);
    const std::lock_guard guard(self.mutex_);
    if (watched) {
      int error = 0;
      if (self.enter(DiskCall::open, false, error) != 0) return SQLITE_CANTOPEN;
    }
    const bool there = watched && ::access(path, F_OK) == 0;
    const int code = self.real_->xOpen(self.real_, path, f.real(), flags, flags_out);
    if (code != SQLITE_OK) return code;
    f.base.pMethods = &methods;
    f.vfs = &self;
    if (watched) {
      f.path = new std::string(path);
      Disk& disk = self.disks_[path];
      if (!disk.exists) {
        // A file from before the test, which is on disk, or a new one.
        disk = Disk{there ? content_of(path) : std::string(), true, there, {}};
      }
    }
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* path, int sync_directory) {
    FaultVfs& self = of(vfs);
    const std::lock_guard guard(self.mutex_);
    int error = 0;
    if (self.enter(DiskCall::truncate, true, error) != 0) return SQLITE_IOERR_DELETE;
    const int code = self.real_->xDelete(self.real_, path, 0);
    if (code != SQLITE_OK) return code;
    self.disks_[path].exists = false;
    if (sync_directory)
      for (auto& [other_path, other] : self.disks_) other.exists_durably = other.exists;
    return code;
  }
  static int last_error(sqlite3_vfs* vfs, int, char*) {
    const std::lock_guard guard(of(vfs).mutex_);
    return of(vfs).last_errno_;
  }
  static int access(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
    return of(vfs).real_->xAccess(of(vfs).real_, path, flags, result);
  }
  static int full_path(sqlite3_vfs* vfs, const char* path, int size, char* to) {
    return of(vfs).real_->xFullPathname(of(vfs).real_, path, size, to);
  }
};

FaultVfs::FaultVfs() : real_(sqlite3_vfs_find(nullptr)) {
  static std::atomic<int> count{0};
  name_ = "fault-" + std::to_string(++count);
  vfs_ = *real_;
  vfs_.iVersion = 2;
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = Methods::open;
  vfs_.xDelete = Methods::remove;
  vfs_.xAccess = Methods::access;
  vfs_.xFullPathname = Methods::full_path;
  vfs_.xGetLastError = Methods::last_error;
  sqlite3_vfs_register(&vfs_, 0);
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(&vfs_); }

void FaultVfs::fail(DiskCall call, int nth, int error, int times) {
  const std::lock_guard lock(mutex_);
  fault_call_ = call;
  fault_at_ = calls_[call] + nth;
  fault_times_ = times;
  fault_errno_ = error;
}

void FaultVfs::failed_sync_leaves(Unsynced part) {
  const std::lock_guard lock(mutex_);
  failed_sync_leaves_ = part;
}

bool FaultVfs::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

int FaultVfs::calls(DiskCall call) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(call);
  return found == calls_.end() ? 0 : found->second;
}

void FaultVfs::cut_power_at(int nth) {
  const std::lock_guard lock(mutex_);
  cut_at_ = power_calls_ + nth;
}

void FaultVfs::cut_power() {
  const std::lock_guard lock(mutex_);
  power_ = false;
}

bool FaultVfs::has_power() const {
  const std::lock_guard lock(mutex_);
  return power_;
}

// 0: go on. 1: fail with `error`. 2: there is no power. Under the lock.
int FaultVfs::enter(DiskCall call, bool counts_for_power, int& error) {
  const int count = ++calls_[call];
  if (counts_for_power && ++power_calls_ == cut_at_) power_ = false;
  if (!power_) {
    last_errno_ = EIO;
    return 2;
  }
  if (fault_at_ == 0 || call != fault_call_ || count < fault_at_ || count >= fault_at_ + fault_times_)
    return 0;
  failed_ = true;
  error = last_errno_ = fault_errno_;
  return 1;
}

void FaultVfs::apply(std::string& content, const Change& change) {
  const auto offset = static_cast<std::size_t>(change.offset);
  if (!change.is_write) {
    content.resize(offset);
    return;
  }
  if (content.size() < offset + change.bytes.size()) content.resize(offset + change.bytes.size());
  std::memcpy(content.data() + offset, change.bytes.data(), change.bytes.size());
}

std::string FaultVfs::after_cut(const Disk& disk, Unsynced unsynced, std::mt19937& random) {
  std::string content = disk.durable;
  if (unsynced == Unsynced::none) return content;
  const auto arrives = [&] { return unsynced == Unsynced::all || random() % 2 == 0; };
  for (const Change& change : disk.changes) {
    if (!change.is_write) {
      if (arrives()) apply(content, change);
      continue;
    }
    // Sector by sector: a write may arrive in part, and later ones without earlier ones.
    const auto end = change.offset + static_cast<std::int64_t>(change.bytes.size());
    for (std::int64_t at = change.offset; at < end;) {
      const std::int64_t next = std::min(end, (at / sector_bytes + 1) * sector_bytes);
      if (arrives())
        apply(content, {true, at,
                        change.bytes.substr(static_cast<std::size_t>(at - change.offset),
                                            static_cast<std::size_t>(next - at))});
      at = next;
    }
  }
  return content;
}

void FaultVfs::restore(Unsynced unsynced, std::uint32_t seed) {
  const std::lock_guard lock(mutex_);
  std::mt19937 random(seed);
  for (const auto& [path, disk] : disks_) {
    ::unlink((path + "-shm").c_str());
    const bool is_certain = disk.exists == disk.exists_durably;
    const bool is_there = is_certain || unsynced == Unsynced::all ? disk.exists
                          : unsynced == Unsynced::none            ? disk.exists_durably
                                                                  : random() % 2 == 0;
    ::unlink(path.c_str());
    if (!is_there) continue;
    std::ofstream file(path, std::ios::binary);
    file << after_cut(disk, unsynced, random);
  }
  disks_.clear();
  power_ = true;
  cut_at_ = 0;
}

}  // namespace tests
