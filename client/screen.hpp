// SPDX-License-Identifier: MIT
// Room: a terminal that is drawn anew now and then, as top(1) has it. What is drawn is a verb's.
#pragma once

#include "client/interrupt.hpp"

#include <termios.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace corunctl {

// The first `width` characters of a text; characters are counted as UTF-8 has them.
std::string clipped(const std::string& text, std::size_t width);

// Takes the terminal's other screen, hides the cursor and reads keys unseen; the destructor gives all of that back.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  struct Size {
    std::size_t columns = 80, lines = 24;
  };
  Size size() const;

  // Draws the lines, as many and as much of them as the terminal shows.
  void draw(const std::vector<std::string>& lines);

  // Waits that long, or until a key is pressed or the terminal asks to end. The key; 0: none; nothing: it is to end ('q', Ctrl-C, a signal).
  std::optional<char> wait(std::chrono::milliseconds time);

 private:
  Interrupts interrupts_;
  termios before_{};
  bool has_keys_ = false;
};

}  // namespace corunctl
