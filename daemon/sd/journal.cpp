// SPDX-License-Identifier: MIT
// sd_journal_sendv() splits what is too large for a datagram into a sealed memfd and takes any bytes as a value; so nothing is cut or
// escaped here.
#include "daemon/sd/journal.hpp"

#include <sys/stat.h>
#include <sys/uio.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include <cstdlib>
#include <vector>

namespace corund::sd {
namespace {

class Journal final : public LogBackend {
 public:
  explicit Journal(std::string identifier) : identifier_("SYSLOG_IDENTIFIER=" + std::move(identifier)) {}

  void write(const LogRecord& record) noexcept override {
    parts_.clear();
    for (std::string_view entry : record.entries) parts_.push_back(part(entry));
    parts_.push_back(part(identifier_));
    // Its error has nowhere to go: this is the log.
    (void)::sd_journal_sendv(parts_.data(), static_cast<int>(parts_.size()));
  }

 private:
  static iovec part(std::string_view text) { return {const_cast<char*>(text.data()), text.size()}; }

  std::string identifier_;
  std::vector<iovec> parts_;
};

}  // namespace

std::unique_ptr<LogBackend> journal_backend(std::string identifier) {
  return std::make_unique<Journal>(std::move(identifier));
}

bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (!stream || ::fstat(2, &status) != 0) return false;
  char* end = nullptr;
  const unsigned long long device = std::strtoull(stream, &end, 10);
  if (end == stream || *end != ':') return false;
  const char* second = end + 1;
  const unsigned long long inode = std::strtoull(second, &end, 10);
  return end != second && *end == '\0' && device == status.st_dev && inode == status.st_ino;
}

}  // namespace corund::sd
