// SPDX-License-Identifier: MIT
// A systemd-journald of a test's own, where the machine's is out of reach: in a mount namespace that the test's process moves into, with
// /run and /var/log of its own. Daemons and clients that are started meanwhile find it in its usual place.
#pragma once

#include <sys/types.h>

#include <corun/base/unique_fd.hpp>
#include <string>

namespace tests {

class OwnJournal {
 public:
  // why_not() says whether it worked.
  OwnJournal();
  ~OwnJournal();
  OwnJournal(const OwnJournal&) = delete;
  OwnJournal& operator=(const OwnJournal&) = delete;

  // Empty: journald runs. Else what is missing here.
  const std::string& why_not() const { return why_not_; }

  // Ends journald and starts another one; its files stay.
  void restart();
  // It stands still, and what is sent to it waits; it goes on.
  void pause();
  void resume();
  // An entry as that user would send it: lines of FIELD=value.
  static void send_as(uid_t user, const std::string& entry);

 private:
  std::string move_in();
  void start();
  void stop();

  std::string why_not_;
  corun::UniqueFd home_;       // the namespace before
  corun::UniqueFd directory_;  // and the working directory there
  pid_t journald_ = -1;
};

}  // namespace tests
