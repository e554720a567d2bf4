// SPDX-License-Identifier: MIT
// Records as lines on stderr, for whoever runs corund in a shell or a container: coloured on a terminal, plain elsewhere.
#pragma once

#include <memory>
#include <string>

#include "daemon/sd/log.hpp"

namespace corund::sd {

// A backend that writes to stderr. A job's records carry its id and kind, its output the name of the stream as well.
std::unique_ptr<LogBackend> console_backend();

// The part of a line after time and level: "message [id kind stream]". Control characters of the message, with which output of a
// command could rule the terminal, are made harmless.
std::string console_text(const LogRecord& record);

enum class LogTarget { automatic, journal, console, null };  // automatic: the journal iff stderr is connected to it

// Whether what is written to this target ends in the journal, as far as there is one.
bool goes_to_journal(LogTarget target);

// The backend of a target; none for null.
std::unique_ptr<LogBackend> make_backend(LogTarget target);

}  // namespace corund::sd
