// SPDX-License-Identifier: MIT
// A daemon under measurement: started so that the moment of its READY=1 is known, asked one call at a time,
// and looked at from outside.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "bench/echo/server.hpp"

namespace bench {

class Daemon {
 public:
  // base: an existing directory, absolute; its socket and its state are made there, or found again. Returns
  // when it is ready. Errors: std::runtime_error.
  Daemon(const std::string& binary, const std::string& base);

  double seconds_to_ready() const noexcept { return seconds_to_ready_; }
  const std::string& socket() const noexcept { return socket_; }
  // One call, `parameters` being an object; the reply. Errors: std::runtime_error, also where it is an error.
  std::string call(const std::string& method, const std::string& parameters = "{}");
  // The number behind the first "key": of a reply; 0 where there is none.
  static double number(const std::string& reply, const std::string& key);

  double cpu_ns() const { return server_->cpu_ns(); }
  std::int64_t resident_bytes() const;
  // Of all threads so far: each one is a wake-up to come.
  std::int64_t voluntary_switches() const;

 private:
  std::string socket_;
  std::unique_ptr<Server> server_;
  double seconds_to_ready_ = 0;
};

}  // namespace bench
