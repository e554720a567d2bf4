// SPDX-License-Identifier: MIT
#include "client/screen.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>

namespace corunctl {

std::string clipped(const std::string& text, std::size_t width) {
  std::size_t shown = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80 && shown++ == width) return text.substr(0, i);
  return text;
}

Screen::Screen() {
  if (::tcgetattr(STDIN_FILENO, &before_) == 0) {
    has_keys_ = true;
    termios unseen = before_;
    unseen.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    unseen.c_cc[VSUSP] = _POSIX_VDISABLE;  // a shell would be left on this screen
    unseen.c_cc[VMIN] = 1;
    unseen.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &unseen);
  }
  std::cout << "\033[?1049h\033[?25l" << std::flush;
}

Screen::~Screen() {
  std::cout << "\033[?25h\033[?1049l" << std::flush;
  if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

Screen::Size Screen::size() const {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) return {};
  return {window.ws_col, window.ws_row};
}

void Screen::draw(const std::vector<std::string>& lines) {
  const Size area = size();
  std::string text = "\033[H";
  for (std::size_t i = 0; i < lines.size() && i < area.lines; ++i) text += (i ? "\r\n" : "") + clipped(lines[i], area.columns) + "\033[K";
  std::cout << text << "\033[J" << std::flush;
}

std::optional<char> Screen::wait(std::chrono::milliseconds time) {
  std::array<pollfd, 2> sources{{{interrupts_.fd(), POLLIN, 0}, {has_keys_ ? STDIN_FILENO : -1, POLLIN, 0}}};
  const int ready = ::poll(sources.data(), sources.size(), static_cast<int>(time.count()));
  if (ready <= 0) return '\0';
  if (sources[0].revents && interrupts_.take() != 0) return std::nullopt;
  if (!sources[1].revents) return '\0';
  char key = 0;
  if (::read(STDIN_FILENO, &key, 1) != 1 || key == 'q') return std::nullopt;  // the terminal is gone, or is told to
  return key;
}

}  // namespace corunctl
