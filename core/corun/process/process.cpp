// SPDX-License-Identifier: MIT
// The loop's wait for a child's end is an Asio operation on its pidfd; its handler holds the Child. So whoever drops a Process
// need not wait for the end, and a loop that goes first destroys the handler, which kills and reaps.
//
// SIGCHLD plays no part: no handler to share with anybody, and no child of somebody else's is ever waited for.
#include <corun/loop/use_coro.hpp>
#include <corun/process/async_fd.hpp>
#include <corun/process/process.hpp>
#include <corun/process/spawn.hpp>
#include <corun/task/future.hpp>
#include <corun/task/task.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

extern char** environ;

namespace corun {
namespace detail {

class Child : public std::enable_shared_from_this<Child> {
 public:
  Child(LoopCore& loop, Spawned spawned, bool end_group)
      : pid(spawned.pid), end_group_(end_group), pidfd_(loop, std::move(spawned.pidfd)) {}

  // Starts the loop's wait for the end. Errors: boost::system::system_error.
  void watch() { pidfd_.descriptor().async_wait(AsyncFd::Descriptor::wait_read, Ended(shared_from_this())); }

  bool send(int signal) {
    if (status) return false;
    if (::syscall(SYS_pidfd_send_signal, pidfd_.fd(), signal, nullptr, 0) == 0) return true;
    if (errno == ESRCH) return false;
    throw std::system_error(errno, std::generic_category(), "cannot send a signal to a child");
  }

  bool send_group(int signal) {
    // Until it is reaped, its pid cannot be another group's.
    if (status) return false;
    if (::kill(-pid, signal) == 0) return true;
    if (errno == ESRCH) return false;
    throw std::system_error(errno, std::generic_category(), "cannot send a signal to a child's group");
  }

  // Static, so that the child lives as long as the wait, also before its start.
  static Coro<ExitStatus> wait(std::shared_ptr<Child> self) {
    while (!self->status) {
      const Future<> ended = self->add_waiter();
      co_await ended;
    }
    co_return *self->status;
  }

  static Coro<bool> has_ended_within(std::shared_ptr<Child> self, std::chrono::nanoseconds limit) {
    if (self->status) co_return true;
    const Future<> ended = self->add_waiter();
    struct Timer : TimerHandle {
      explicit Timer(TimerHandle timer) : TimerHandle(std::move(timer)) {}
      ~Timer() { cancel(); }
    };
    const Timer timer(get_running_loop().call_later(limit, [ended] {
      if (!ended.done()) ended.set_result();
    }));
    co_await ended;
    co_return self->status.has_value();
  }

  const pid_t pid;
  std::optional<ExitStatus> status;

 private:
  Future<> add_waiter() {
    std::erase_if(waiters_, [](const Future<>& waiter) { return waiter.done(); });  // those that were cancelled
    return waiters_.emplace_back();
  }

  // The wait's handler. Destroyed without being called, the loop went before the child did: then the child goes too.
  class Ended {
   public:
    explicit Ended(std::shared_ptr<Child> child) noexcept : child_(std::move(child)) {}
    Ended(Ended&&) noexcept = default;
    Ended& operator=(Ended&&) = delete;
    ~Ended() {
      if (child_) child_->end_now();
    }
    void operator()(boost::system::error_code error) {
      const auto child = std::move(child_);
      if (!error) child->ended();
    }

   private:
    std::shared_ptr<Child> child_;  // null once moved from or called
  };

  static constexpr int last_wait_ms = 1000;  // for a process to die of SIGKILL; one in an uninterruptible sleep takes longer

  void ended() {
    // Before the child is reaped: after that, its pid is anybody's.
    if (end_group_) ::kill(-pid, SIGKILL);
    reap();
    pidfd_.close();
    auto waiters = std::move(waiters_);
    for (Future<>& waiter : waiters)
      if (!waiter.done()) waiter.set_result();
  }

  void end_now() noexcept {
    ::kill(-pid, SIGKILL);
    pollfd ended{pidfd_.fd(), POLLIN, 0};
    if (::poll(&ended, 1, last_wait_ms) > 0) reap();
  }

  void reap() {
    siginfo_t info{};
    rusage used{};
    // The system call and not glibc's waitid(), which keeps the resource usage from us.
    while (::syscall(SYS_waitid, P_PIDFD, pidfd_.fd(), &info, WEXITED, &used) != 0 && errno == EINTR) continue;
    status.emplace();
    if (info.si_code == CLD_EXITED)
      status->code = info.si_status;
    else
      status->signal = info.si_status;
    status->dumped_core = info.si_code == CLD_DUMPED;
    const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); };
    status->cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
    status->max_rss_kib = used.ru_maxrss;
  }

  bool end_group_;
  AsyncFd pidfd_;
  std::vector<Future<>> waiters_;
};

}  // namespace detail

namespace {

// The two ends of a child's descriptor: the one that the child gets, and ours where there is one.
struct Ends {
  UniqueFd owned;  // the child's, where we made it
  UniqueFd ours;
  int child = -1;
};

enum class Direction { to_child, from_child };

Ends make_ends(const Stdio& stdio, int inherited, Direction direction) {
  Ends ends;
  switch (stdio.kind()) {
    case Stdio::Kind::inherit: ends.child = inherited; break;
    case Stdio::Kind::fd: ends.child = stdio.number(); break;
    case Stdio::Kind::to_stdout: break;  // the caller's to fill in
    case Stdio::Kind::null: ends.child = detail::null_device; break;
    case Stdio::Kind::pipe: {
      int pair[2];
      if (::pipe2(pair, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "cannot make a pipe");
      UniqueFd read_end(pair[0]), write_end(pair[1]);
      ends.owned = std::move(direction == Direction::to_child ? read_end : write_end);
      ends.ours = std::move(direction == Direction::to_child ? write_end : read_end);
      ends.child = ends.owned.get();
      break;
    }
  }
  return ends;
}

// Puts the child into the loop's care. Where that fails, there is no child either.
std::shared_ptr<detail::Child> adopt(detail::LoopCore& loop, detail::Spawned spawned, bool end_group) {
  const pid_t pid = spawned.pid;
  std::shared_ptr<detail::Child> child;
  try {
    child = std::make_shared<detail::Child>(loop, std::move(spawned), end_group);
    child->watch();
  } catch (...) {
    ::kill(-pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
    throw;
  }
  return child;
}

std::vector<const char*> own_environment() {
  std::vector<const char*> list;
  for (char** entry = environ; entry && *entry; ++entry) list.push_back(*entry);
  return list;
}

// Where a program without a slash is looked for.
std::string search_path(const ProcessOptions& options) {
  const char* own = std::getenv("PATH");
  const auto path = options.env ? options.env->find("PATH") : own ? std::optional<std::string_view>(own) : std::nullopt;
  return std::string(path.value_or("/usr/local/bin:/usr/bin:/bin"));
}

// One that stops reading is within its rights.
Coro<> feed(PipeWriter writer, std::string input) {
  try {
    co_await writer.write(input);
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::broken_pipe) throw;
  }
}

Coro<std::string> drain(PipeReader reader) { co_return co_await reader.read_all(); }

}  // namespace

Process::Process(std::shared_ptr<detail::Child> child, PipeWriter in, PipeReader out, PipeReader err) noexcept
    : child_(std::move(child)), in_(std::move(in)), out_(std::move(out)), err_(std::move(err)) {}

Process::Process(Process&&) noexcept = default;

Process& Process::operator=(Process&& other) noexcept {
  Process dropped(std::move(*this));
  child_ = std::move(other.child_);
  in_ = std::move(other.in_);
  out_ = std::move(other.out_);
  err_ = std::move(other.err_);
  return *this;
}

Process::~Process() {
  if (child_ && !child_->status) ::kill(-child_->pid, SIGKILL);
}

pid_t Process::pid() const noexcept { return child_->pid; }

const std::optional<ExitStatus>& Process::status() const noexcept { return child_->status; }

PipeWriter& Process::std_in() {
  if (!in_.is_open()) throw RuntimeError("the child's stdin is no pipe, or is closed");
  return in_;
}

PipeReader& Process::std_out() {
  if (!out_.is_open()) throw RuntimeError("the child's stdout is no pipe, or is closed");
  return out_;
}

PipeReader& Process::std_err() {
  if (!err_.is_open()) throw RuntimeError("the child's stderr is no pipe, or is closed");
  return err_;
}

Coro<ExitStatus> Process::wait() { return detail::Child::wait(child_); }

Coro<bool> Process::has_ended_within(std::chrono::nanoseconds limit) { return detail::Child::has_ended_within(child_, limit); }

bool Process::send_signal(int signal) { return child_->send(signal); }

bool Process::signal_group(int signal) { return child_->send_group(signal); }

Coro<Communicated> Process::communicate(std::string input) {
  Communicated all;
  std::optional<Task<>> in;
  std::optional<Task<std::string>> out, err;
  if (in_.is_open()) in = create_task(feed(std::move(in_), std::move(input)));
  if (out_.is_open()) out = create_task(drain(std::move(out_)));
  if (err_.is_open()) err = create_task(drain(std::move(err_)));
  // The first failure, or a cancellation, ends the others; all are joined before it goes on.
  std::exception_ptr failure;
  const auto stop_all = [&] {
    if (!failure) failure = std::current_exception();
    if (in) in->cancel();
    if (out) out->cancel();
    if (err) err->cancel();
  };
  try {
    if (in) co_await *in;
  } catch (...) {
    stop_all();
  }
  try {
    if (out) all.out = co_await *out;
  } catch (...) {
    stop_all();
  }
  try {
    if (err) all.err = co_await *err;
  } catch (...) {
    stop_all();
  }
  if (failure) std::rethrow_exception(failure);
  all.status = co_await wait();
  co_return all;
}

Coro<Process> create_subprocess(ProcessOptions options) {
  detail::LoopCore& loop = detail::running_loop();
  Ends in = make_ends(options.std_in, 0, Direction::to_child);
  Ends out = make_ends(options.std_out, 1, Direction::from_child);
  Ends err = make_ends(options.std_err, 2, Direction::from_child);
  if (options.std_err.kind() == Stdio::Kind::to_stdout) err.child = out.child;

  detail::SpawnPlan plan;
  plan.env = options.env ? options.env->entries() : own_environment();
  const std::string program = !options.executable.empty() ? options.executable : options.argv.empty() ? "" : options.argv.front();
  plan.candidates = detail::program_candidates(program, search_path(options));
  plan.argv = std::move(options.argv);
  plan.cwd = std::move(options.cwd);
  plan.stdio = {in.child, out.child, err.child};
  plan.umask = options.umask;
  plan.limits = std::move(options.limits);
  plan.death_signal = options.death_signal;
  plan.cgroup = options.cgroup;
  // Before the child is there, so that nothing but its adoption can fail once it is.
  PipeWriter to_child = in.ours ? PipeWriter(loop, std::move(in.ours)) : PipeWriter();
  PipeReader from_out = out.ours ? PipeReader(loop, std::move(out.ours)) : PipeReader();
  PipeReader from_err = err.ours ? PipeReader(loop, std::move(err.ours)) : PipeReader();
  co_return Process(adopt(loop, detail::spawn(plan), options.end_group), std::move(to_child), std::move(from_out),
                    std::move(from_err));
}

}  // namespace corun
