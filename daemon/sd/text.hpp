// SPDX-License-Identifier: MIT
// Text from anywhere made fit for a line that a person reads: systemctl's status, a terminal.
#pragma once

#include <string>
#include <string_view>

namespace corund::sd {

// The text as valid UTF-8 on one line: control characters become spaces, bytes that are no UTF-8 become U+FFFD, and it is cut before
// the character that would make it longer than `bytes_max`.
std::string one_line(std::string_view text, std::size_t bytes_max);
// The same at the end of `line`.
void append_one_line(std::string& line, std::string_view text, std::size_t bytes_max);

}  // namespace corund::sd
