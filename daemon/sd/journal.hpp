// SPDX-License-Identifier: MIT
// Records as entries of the systemd journal, with all their fields.
#pragma once

#include <memory>
#include <string>

#include "daemon/sd/log.hpp"

namespace corund::sd {

// A backend that sends each record with SYSLOG_IDENTIFIER=identifier. Blocks while journald stands still; where there is no journald,
// records go nowhere. Source: sd_journal_sendv(3).
std::unique_ptr<LogBackend> journal_backend(std::string identifier);

// Whether stderr is the stream that systemd connected to the journal: $JOURNAL_STREAM names the device and inode of file descriptor
// 2. Merely being set is not enough, since the variable is inherited by what has its stderr elsewhere. Source: systemd.exec(5).
bool stderr_is_journal();

}  // namespace corund::sd
