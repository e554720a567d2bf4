// SPDX-License-Identifier: MIT
// Floor 0. Every exception that libcorun throws, with asyncio's names.
//
// Four of them are not std::exceptions, as Python's four are not Exceptions: CancelledError, KeyboardInterrupt, SystemExit and
// GeneratorExit pass through `catch (const std::exception&)` on purpose. Clean up and rethrow them; swallow a CancelledError only
// in the scope that asked for it.
#pragma once

#include <corun/base/export.hpp>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace corun {

// Thrown at the await of a task that was asked to cancel. message() is what cancel() was given.
// Source: asyncio.CancelledError.
class CORUN_API CancelledError {
 public:
  explicit CancelledError(std::string message = {}) : message_(std::move(message)) {}
  const std::string& message() const noexcept { return message_; }

 private:
  std::string message_;
};

// A signal ended the run. Leaves Runner::run(). Source: KeyboardInterrupt.
class CORUN_API KeyboardInterrupt {
 public:
  explicit KeyboardInterrupt(int signal) noexcept : signal_(signal) {}
  int signal_number() const noexcept { return signal_; }

 private:
  int signal_;
};

// A task wants the program to end with this code. Leaves the loop and run(). Source: SystemExit.
class CORUN_API SystemExit {
 public:
  explicit SystemExit(int code = 0) noexcept : code_(code) {}
  int code() const noexcept { return code_; }

 private:
  int code_;
};

// Thrown at the co_yield of a generator that is being closed; let it pass. Source: GeneratorExit.
class CORUN_API GeneratorExit {};

// Misuse of a loop, runner, group or timeout: closed, nested, wrong thread, finished.
class CORUN_API RuntimeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The time of a timeout, wait_for or as_completed is over.
class CORUN_API TimeoutError : public std::runtime_error {
 public:
  explicit TimeoutError(const std::string& what = "timed out") : std::runtime_error(what) {}
};

// A ContextVar without a value and without a default.
class CORUN_API LookupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An argument that no state would make right: a token of another context, a lock released too often, a negative size.
class CORUN_API ValueError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// result() of what is not done, set_result() of what is.
class CORUN_API InvalidStateError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// put() to a queue that is shut down, get() from one that is empty as well.
class CORUN_API QueueShutDown : public std::runtime_error {
 public:
  QueueShutDown() : std::runtime_error("the queue has been shut down") {}
};

// get_nowait() found no item.
class CORUN_API QueueEmpty : public std::runtime_error {
 public:
  QueueEmpty() : std::runtime_error("the queue is empty") {}
};

// put_nowait() found no room.
class CORUN_API QueueFull : public std::runtime_error {
 public:
  QueueFull() : std::runtime_error("the queue is full") {}
};

// wait() at a barrier that was aborted, or reset meanwhile.
class CORUN_API BrokenBarrierError : public std::runtime_error {
 public:
  explicit BrokenBarrierError(const std::string& what = "the barrier is broken") : std::runtime_error(what) {}
};

// Several failures at once, in the order in which they came. Source: ExceptionGroup.
class CORUN_API ExceptionGroup : public std::exception {
 public:
  // what() becomes "MESSAGE (N sub-exceptions)", as Python words it.
  ExceptionGroup(const std::string& message, std::vector<std::exception_ptr> exceptions);
  std::vector<std::exception_ptr> exceptions() const { return exceptions_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
  std::vector<std::exception_ptr> exceptions_;
};

namespace detail {

// Type and text of an exception for reports, one line: "corun::RuntimeError: Event loop is closed".
CORUN_API std::string describe(const std::exception_ptr& error);

// The C++ name of a type, readable.
CORUN_API std::string demangle(const char* mangled);

}  // namespace detail
}  // namespace corun
