// SPDX-License-Identifier: MIT
// A command's output, bytes in whatever pieces they come, as lines of bounded length; and its end, kept in bounded memory.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace corund::kinds {

// Bytes become lines. A line that grows past the limit is given out in parts of at most so many bytes, cut where a UTF-8 character begins.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  // Calls emit(std::string_view line) for each line that is complete, without its "\n" or "\r\n". The view is valid during the call.
  // Stops once it has done so for lines_max lines; returns the bytes that it has not looked at.
  template <class Emit>
  std::string_view feed(std::string_view bytes, Emit&& emit, std::size_t lines_max = std::string_view::npos) {
    std::size_t lines = 0;
    while (!bytes.empty() && lines < lines_max) {
      const std::size_t end = bytes.find('\n');
      const bool complete = end != std::string_view::npos;
      std::string_view piece = bytes.substr(0, end);
      bytes.remove_prefix(complete ? end + 1 : bytes.size());
      if (complete && part_.empty() && piece.size() <= line_bytes_max_) {  // the common case copies nothing
        emit(without_return(piece));
        in_long_line_ = false;
        ++lines;
        continue;
      }
      part_ += piece;
      while (part_.size() > line_bytes_max_) {
        const std::size_t cut = cut_position();
        emit(std::string_view(part_).substr(0, cut));
        part_.erase(0, cut);
        in_long_line_ = true;
      }
      if (!complete) continue;
      // The end of a line that was given out in parts of exactly the limit is no empty line.
      if (!part_.empty() || !in_long_line_) emit(without_return(part_));
      part_.clear();
      in_long_line_ = false;
      ++lines;
    }
    return bytes;
  }

  // The last line, where the output did not end with "\n".
  template <class Emit>
  void finish(Emit&& emit) {
    if (!part_.empty()) emit(without_return(part_));
    part_.clear();
  }

 private:
  static std::string_view without_return(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  std::size_t cut_position() const noexcept;

  std::size_t line_bytes_max_;
  std::string part_;            // of a line whose end has not come
  bool in_long_line_ = false;   // parts of this line have been given out
};

// The last bytes of a stream.
class Tail {
 public:
  explicit Tail(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  void add(std::string_view bytes);
  // At most bytes_max, beginning with a whole UTF-8 character.
  std::string_view view() const noexcept;

 private:
  std::size_t bytes_max_;
  std::string kept_;  // up to twice as much, so that little is moved
};

}  // namespace corund::kinds
