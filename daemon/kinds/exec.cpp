// SPDX-License-Identifier: MIT
// Three things happen at once: input is fed, the two streams are read, the end is awaited. The first two are tasks of the job's; the
// end is awaited by the main task, because it is the one that is cancelled. When the command has ended, the tasks are stopped, and what is left in the
// pipes is read without waiting: a grandchild that left the group may keep them open for ever, and write into them faster than we read.
//
// Most commands are over in a moment and write less than a pipe holds. So the streams are not watched for that moment: what such a command
// wrote is read when it has ended, and its end is the only thing that the loop wakes up for.
#include "daemon/kinds/exec.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <span>

#include "daemon/kinds/exec_args.hpp"
#include "daemon/kinds/exec_result.hpp"
#include "daemon/kinds/lines.hpp"

extern char** environ;

namespace corund::kinds {
namespace {

constexpr std::size_t read_bytes = 16 * 1024;
// Lines of output in one step of the loop, so that a command that writes nothing but line ends delays the others by a fraction of a millisecond.
constexpr std::size_t lines_per_step = 256;
// For processes to die of SIGKILL. What sleeps in the kernel for longer is left to the cgroups' later removal.
constexpr auto last_wait = std::chrono::seconds(5);
// How long nobody looks at what a new command writes: a person does not notice, and a command that fills a pipe in less waits for the rest of it.
constexpr auto unwatched_time = std::chrono::milliseconds(8);
// What programs that use select() can bear; the daemon raises its own.
constexpr rlim_t soft_open_files = 1024;

// One stream of the command. Shared by the job's main task and the one that reads.
struct Output {
  Output(JobContext& context, pid_t process, Stream which, corun::PipeReader pipe, const ExecOptions& options, std::span<char> shared)
      : job(context),
        pid(process),
        stream(which),
        reader(std::move(pipe)),
        lines(options.line_bytes),
        tail(options.output_bytes),
        buffer(shared) {}

  // So many bytes are in the buffer, none of the former ones being left. Gives out a step's worth of lines.
  void take(std::size_t bytes) {
    const std::string_view read(buffer.data(), bytes);
    tail.add(read);
    rest = give_out(read);
  }
  // Another step's worth, of what is left.
  void give_out_rest() { rest.erase(0, rest.size() - give_out(rest).size()); }
  std::string_view give_out(std::string_view bytes) {
    return lines.feed(bytes, [this](std::string_view line) { job.output(stream, line, pid); }, lines_per_step);
  }
  void finish() {
    reader.close();
    lines.finish([this](std::string_view line) { job.output(stream, line, pid); });
    job.wrote(stream, tail.view());
  }

  JobContext& job;
  const pid_t pid;
  const Stream stream;
  corun::PipeReader reader;
  LineSplitter lines;
  Tail tail;
  bool command_ended = false;
  std::string rest;  // of the buffer, once it held more than a step's worth
  const std::span<char> buffer;  // all commands'
};

// Others have their turn; and a caller who reads along has read: the command waits for it as it would for a terminal.
corun::Coro<> next_turn(Output& output) {
  co_await corun::sleep(std::chrono::nanoseconds(0));
  co_await output.job.caller_catches_up();
}

corun::Coro<> read_while_it_runs(Output& output) {
  for (;;) {
    const std::size_t n = co_await output.reader.read_some(output.buffer);
    if (n == 0) co_return;
    output.take(n);
    while (!output.rest.empty() || output.job.is_ahead_of_caller()) {
      co_await next_turn(output);
      output.give_out_rest();
    }
  }
}

// What is there when the command has ended: what others write after it, it has not written. No cancellation keeps it from that.
corun::Coro<> read_rest(Output& output) {
  std::size_t budget = output.reader.available();
  for (;;) {
    while (!output.rest.empty()) {
      try {
        co_await next_turn(output);
      } catch (const corun::CancelledError&) {
      }
      output.give_out_rest();
    }
    const auto n = budget > 0 ? output.reader.try_read_some(output.buffer) : std::nullopt;
    if (!n || *n == 0) co_return;
    output.take(*n);
    budget -= std::min(budget, *n);
    if (!output.job.is_ahead_of_caller()) continue;
    try {
      co_await output.job.caller_catches_up();
    } catch (const corun::CancelledError&) {
    }
  }
}

// Up to the end; once the command has ended and this is cancelled, up to what is there.
corun::Coro<> read_output(std::shared_ptr<Output> output) {
  try {
    co_await read_while_it_runs(*output);
  } catch (const corun::CancelledError&) {
    if (!output->command_ended) throw;
  }
  co_await read_rest(*output);
}

corun::Coro<> feed(corun::PipeWriter writer, std::string input) {
  try {
    co_await writer.write(input);
  } catch (const std::system_error&) {
    // The command does not want it all.
  }
}

// Ends a helper task, whatever we are asked meanwhile: it takes no more than a step. What it threw is of no interest: a pipe that cannot be read has
// its end where reading stopped.
corun::Coro<> stop(corun::Task<> task) {
  task.cancel();
  while (!task.done()) {
    try {
      co_await task;
    } catch (const corun::CancelledError&) {
    } catch (const std::exception&) {
    }
  }
  if (!task.cancelled()) (void)task.exception();
}

// What is the same for all commands.
struct Shared {
  explicit Shared(ExecOptions exec_options) : options(std::move(exec_options)), environment(inherited_environment(environ)) {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    open_files_max = files.rlim_max;
  }

  const ExecOptions options;
  const corun::Environment environment;
  rlim_t open_files_max;
  std::array<char, read_bytes> buffer;  // between a read and the end of the step nobody else has it
};

corun::ProcessOptions process_options(const JobContext& job, const Shared& shared, ExecArgs& args, const Cgroup* cgroup) {
  corun::ProcessOptions process(args.argv.empty() ? std::vector<std::string>{shared.options.shell, "-c", args.shell} : std::move(args.argv));
  process.env = command_environment(shared.environment, args, job.id());
  process.cwd = args.cwd;
  process.umask = args.umask;
  process.std_in = args.input ? corun::Stdio::pipe() : corun::Stdio::null();
  process.std_out = corun::Stdio::pipe();
  process.std_err = corun::Stdio::pipe();
  process.end_group = true;
  if (cgroup) process.cgroup = cgroup->fd();
  rlimit files{std::min(shared.open_files_max, soft_open_files), shared.open_files_max};
  if (args.open_files_limit) files.rlim_cur = files.rlim_max = std::min<rlim_t>(files.rlim_max, *args.open_files_limit);
  process.limits.emplace_back(RLIMIT_NOFILE, files);
  if (args.cpu_limit) process.limits.emplace_back(RLIMIT_CPU, rlimit{*args.cpu_limit, *args.cpu_limit + 1});
  return process;
}

corun::Coro<corun::Process> start(corun::ProcessOptions options) {
  try {
    co_return co_await corun::create_subprocess(std::move(options));
  } catch (const corun::StartError& error) {
    throw not_started(error);
  }
}

Measured measure(const corun::ExitStatus& status, const Cgroup* cgroup, std::chrono::steady_clock::time_point begin) {
  Measured measured;
  measured.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  measured.cpu_seconds = status.cpu_seconds;
  if (!cgroup) return measured;
  measured.cpu_seconds = cgroup->cpu_seconds().value_or(status.cpu_seconds);
  measured.memory_peak_kib = cgroup->memory_peak_kib();
  measured.oom_kills = cgroup->oom_kills();
  return measured;
}

// Both streams of a command, and who reads them.
class Streams {
 public:
  Streams(JobContext& job, corun::Process& process, Shared& shared)
      : out_(std::make_shared<Output>(job, process.pid(), Stream::out, std::move(process.std_out()), shared.options, shared.buffer)),
        err_(std::make_shared<Output>(job, process.pid(), Stream::err, std::move(process.std_err()), shared.options, shared.buffer)) {}

  bool are_watched() const noexcept { return out_reader_.has_value(); }
  // From here on what is written is read at once.
  void watch() {
    out_reader_ = corun::create_task(read_output(out_), {.name = "stdout"});
    err_reader_ = corun::create_task(read_output(err_), {.name = "stderr"});
  }
  // Reads what the command has left, now that it has ended. Cancellation: is passed over.
  corun::Coro<> finish() {
    out_->command_ended = err_->command_ended = true;
    if (are_watched()) {
      co_await stop(*out_reader_);
      co_await stop(*err_reader_);
    } else {
      co_await read_rest(*out_);
      co_await read_rest(*err_);
    }
    out_->finish();
    err_->finish();
  }

  std::string_view out_tail() const noexcept { return out_->tail.view(); }
  std::string_view err_tail() const noexcept { return err_->tail.view(); }

 private:
  std::shared_ptr<Output> out_, err_;  // a reader, or this, is the last one out
  std::optional<corun::Task<>> out_reader_, err_reader_;
};

// Waits for the end, and has the streams watched once that takes longer than a moment. A request to cancel goes to the command: the first as
// SIGTERM, a further one, or one by force, as SIGKILL. Returns the first.
corun::Coro<std::exception_ptr> wait_for_end(const JobContext& job, corun::Process& process, Cgroup* cgroup, Streams& streams) {
  std::exception_ptr cancelled;
  while (!process.status()) {
    bool asked = false;
    try {
      if (streams.are_watched())
        co_await process.wait();
      else if (!co_await process.has_ended_within(unwatched_time))
        streams.watch();
    } catch (const corun::CancelledError&) {
      asked = true;
      const bool is_last = cancelled || job.is_escalated();
      if (!process.status()) process.signal_group(is_last ? SIGKILL : SIGTERM);
      if (cgroup && is_last) cgroup->kill();
      if (!cancelled) cancelled = std::current_exception();
    }
    // A stopped command takes no SIGTERM before it goes on.
    if (asked && !process.status()) process.signal_group(SIGCONT);
  }
  co_return cancelled;
}

// Ends what the command has left, wherever it went. Returns the first request to cancel that came meanwhile.
corun::Coro<std::exception_ptr> clear(Cgroup& cgroup) {
  std::exception_ptr cancelled;
  const auto until = std::chrono::steady_clock::now() + last_wait;
  while (!cgroup.is_empty()) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0) break;
    cgroup.kill();
    try {
      co_await corun::wait_for(cgroup.emptied(), left);
    } catch (const corun::TimeoutError&) {
    } catch (const corun::CancelledError&) {
      if (!cancelled) cancelled = std::current_exception();
    }
  }
  co_return cancelled;
}

corun::Coro<JsonText> run_command(JobContext& job, ExecArgs args, std::shared_ptr<Shared> shared) {
  const auto begin = std::chrono::steady_clock::now();
  std::unique_ptr<Cgroup> cgroup;
  if (shared->options.cgroups) cgroup = shared->options.cgroups->make(job.id(), {args.memory_limit, args.tasks_limit});
  corun::Process process = co_await start(process_options(job, *shared, args, cgroup.get()));
  job.spawned(process.pid());
  Streams streams(job, process, *shared);
  std::optional<corun::Task<>> feeder;
  if (args.input) feeder = corun::create_task(feed(std::move(process.std_in()), std::move(*args.input)), {.name = "stdin"});

  std::exception_ptr cancelled = co_await wait_for_end(job, process, cgroup.get(), streams);
  if (cgroup) {
    const std::exception_ptr meanwhile = co_await clear(*cgroup);
    if (!cancelled) cancelled = meanwhile;
  }

  if (feeder) co_await stop(*feeder);
  co_await streams.finish();
  const corun::ExitStatus status = *process.status();
  const Measured measured = measure(status, cgroup.get(), begin);
  job.used(measured.cpu_seconds, status.max_rss_kib);
  if (cancelled) std::rethrow_exception(cancelled);
  JsonText result = exec_result(job.spare_text(), status, measured, streams.out_tail(), streams.err_tail());
  if (!status.success()) throw exec_failure(status, measured, args, std::move(result));
  co_return result;
}

template <class Args>
void add(KindRegistry& registry, ExecOptions options) {
  auto shared = std::make_shared<Shared>(std::move(options));
  registry.add(
      "exec", [shared](JobContext& job, Args args) { return run_command(job, std::move(args), shared); },
      {.summary = "Run a command",
       .args_schema = exec_args_schema,
       .result_schema = exec_result_schema,
       .group = "exec",
       .journal_all = true});
}

}  // namespace

void add_exec(KindRegistry& registry, ExecOptions options) {
  const bool memory = options.cgroups && options.cgroups->limits_memory();
  const bool tasks = options.cgroups && options.cgroups->limits_tasks();
  if (memory && tasks) return add<ExecArgsWithin<true, true>>(registry, std::move(options));
  if (memory) return add<ExecArgsWithin<true, false>>(registry, std::move(options));
  if (tasks) return add<ExecArgsWithin<false, true>>(registry, std::move(options));
  add<ExecArgsWithin<false, false>>(registry, std::move(options));
}

}  // namespace corund::kinds
