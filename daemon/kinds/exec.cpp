// SPDX-License-Identifier: MIT
// Three things happen at once: input is fed, the two streams are read, the end is awaited. The first two are tasks of the job's; the
// end is awaited by the main task, because it is the one that is cancelled. When the command has ended, the tasks are stopped, and what is left in the
// pipes is read without waiting: a grandchild that left the group may keep them open for ever.
#include "daemon/kinds/exec.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <optional>

#include "daemon/kinds/exec_args.hpp"
#include "daemon/kinds/lines.hpp"

extern char** environ;

namespace corund::kinds {
namespace {

constexpr std::size_t read_bytes = 16 * 1024;
// What programs that use select() can bear; the daemon raises its own.
constexpr rlim_t soft_open_files = 1024;

// One stream of the command. Shared by the job's main task and the one that reads.
struct Output {
  Output(JobContext& context, pid_t process, Stream which, corun::PipeReader pipe, const ExecOptions& options)
      : job(context), pid(process), stream(which), reader(std::move(pipe)), lines(options.line_bytes), tail(options.output_bytes) {}

  void take(std::string_view bytes) {
    tail.add(bytes);
    lines.feed(bytes, [this](std::string_view line) { job.output(stream, line, pid); });
  }

  // What is there, then the last line.
  void finish() {
    while (auto n = reader.try_read_some(buffer)) {
      if (*n == 0) break;
      take({buffer.data(), *n});
    }
    reader.close();
    lines.finish([this](std::string_view line) { job.output(stream, line, pid); });
  }

  JobContext& job;
  const pid_t pid;
  const Stream stream;
  corun::PipeReader reader;
  LineSplitter lines;
  Tail tail;
  std::array<char, read_bytes> buffer;
};

corun::Coro<> read_to_end(std::shared_ptr<Output> output) {
  for (;;) {
    const std::size_t n = co_await output->reader.read_some(output->buffer);
    if (n == 0) co_return;
    output->take({output->buffer.data(), n});
  }
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

corun::ProcessOptions process_options(const JobContext& job, const ExecArgs& args, const ExecOptions& options) {
  corun::ProcessOptions process(args.argv.empty() ? std::vector<std::string>{options.shell, "-c", args.shell} : args.argv);
  process.env = command_environment(environ, args, std::string(job.id()));
  process.cwd = args.cwd;
  process.umask = args.umask;
  process.std_in = args.input ? corun::Stdio::pipe() : corun::Stdio::null();
  process.std_out = corun::Stdio::pipe();
  process.std_err = corun::Stdio::pipe();
  process.end_group = true;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min(files.rlim_max, soft_open_files);
  if (args.open_files_limit) files.rlim_cur = files.rlim_max = std::min<rlim_t>(files.rlim_max, *args.open_files_limit);
  process.limits.emplace_back(RLIMIT_NOFILE, files);
  if (args.cpu_limit) process.limits.emplace_back(RLIMIT_CPU, rlimit{*args.cpu_limit, *args.cpu_limit + 1});
  return process;
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
}

Json result_of(const corun::ExitStatus& status, double wall_seconds, const Output& out, const Output& err) {
  Json result;
  if (status.signal)
    result["signal"] = signal_name(status.signal);
  else
    result["exitCode"] = status.code;
  result["cpuSeconds"] = status.cpu_seconds;
  result["maxRssKiB"] = status.max_rss_kib;
  result["wallSeconds"] = wall_seconds;
  result["stdoutTail"] = out.tail.view();
  result["stderrTail"] = err.tail.view();
  return result;
}

// Waits for the end. A request to cancel goes to the command: the first as SIGTERM, a further one as SIGKILL. Returns the first.
corun::Coro<std::exception_ptr> wait_for_end(corun::Process& process) {
  std::exception_ptr cancelled;
  while (!process.status()) {
    bool asked = false;
    try {
      co_await process.wait();
    } catch (const corun::CancelledError&) {
      asked = true;
      if (!process.status()) process.signal_group(cancelled ? SIGKILL : SIGTERM);
      if (!cancelled) cancelled = std::current_exception();
    }
    // A stopped command takes no SIGTERM before it goes on.
    if (asked && !process.status()) process.signal_group(SIGCONT);
  }
  co_return cancelled;
}

corun::Coro<Json> run_command(JobContext& job, ExecArgs args, ExecOptions options) {
  const auto begin = std::chrono::steady_clock::now();
  corun::Process process = co_await corun::create_subprocess(process_options(job, args, options));
  job.spawned(process.pid());
  auto out = std::make_shared<Output>(job, process.pid(), Stream::out, std::move(process.std_out()), options);
  auto err = std::make_shared<Output>(job, process.pid(), Stream::err, std::move(process.std_err()), options);
  corun::Task<> out_reader = corun::create_task(read_to_end(out), {.name = "stdout"});
  corun::Task<> err_reader = corun::create_task(read_to_end(err), {.name = "stderr"});
  std::optional<corun::Task<>> feeder;
  if (args.input) feeder = corun::create_task(feed(std::move(process.std_in()), std::move(*args.input)), {.name = "stdin"});

  const std::exception_ptr cancelled = co_await wait_for_end(process);

  if (feeder) co_await stop(*feeder);
  co_await stop(out_reader);
  co_await stop(err_reader);
  out->finish();
  err->finish();
  const corun::ExitStatus status = *process.status();
  const double wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  job.used(status.cpu_seconds, status.max_rss_kib);
  if (cancelled) std::rethrow_exception(cancelled);
  Json result = result_of(status, wall_seconds, *out, *err);
  if (status.signal) throw JobFailure("Signal", "killed by " + signal_name(status.signal), to_text(result));
  if (status.code) throw JobFailure("ExitStatus", "exited with status " + std::to_string(status.code), to_text(result));
  co_return result;
}

}  // namespace

void add_exec(KindRegistry& registry, ExecOptions options) {
  registry.add(
      "exec",
      [options = std::move(options)](JobContext& job, ExecArgs args) { return run_command(job, std::move(args), options); },
      {.summary = "Run a command",
       .args_schema = exec_args_schema,
       .result_schema = R"({"type":"object","properties":{"exitCode":{"type":"integer"},"signal":{"type":"string"},)"
                        R"("cpuSeconds":{"type":"number"},"maxRssKiB":{"type":"integer"},"wallSeconds":{"type":"number"},)"
                        R"("stdoutTail":{"type":"string"},"stderrTail":{"type":"string"}}})",
       .group = "exec",
       .journal_all = true});
}

}  // namespace corund::kinds
