// SPDX-License-Identifier: MIT
// run() is the daemon's life from top to bottom. serve() and stop() are the two main tasks that the one Runner runs, one after the
// other, on the same loop and in the same context: jobs that the first one started go on in the second.
//
// Signals are the Runner's. The first one cancels serve(), which swallows that and returns: from there on the stop takes its course. A
// second one cancels stop(), or leaves run() at once; either way a KeyboardInterrupt arrives here and the process dies of that signal.
#include "daemon/app.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "config/paths.hpp"
#include "daemon/kinds/echo.hpp"
#include "daemon/kinds/exec.hpp"
#include "daemon/kinds/sleep.hpp"
#include "daemon/plugin/loader.hpp"
#include "daemon/run/clock.hpp"
#include "daemon/sd/console.hpp"
#include "daemon/sd/message_ids.hpp"
#include "daemon/version.hpp"

namespace corund {
namespace {

// The drain has given every job its time: what still swallows cancellations at the close is not waited for again.
constexpr auto last_tasks = std::chrono::seconds(2);
// For replies owed at the stop to be read by their peers.
constexpr auto last_replies = std::chrono::seconds(5);
// Added to what the manager is told, so that the end of a phase is seen before the manager's patience is over.
constexpr auto manager_margin = std::chrono::seconds(10);
constexpr auto log_flush = std::chrono::seconds(2);

corun::RunnerOptions runner_options(const config::Config& config) {
  corun::RunnerOptions options;
  if (config.runner.debug) options.debug = true;
  options.executor_shutdown_timeout = config.executor.drain_timeout;
  options.cancel_timeout = last_tasks;
  options.interrupt_signals = {SIGINT, SIGTERM};
  return options;
}

run::SupervisorOptions supervisor_options(const config::Config& config) {
  run::SupervisorOptions options;
  options.grace = config.jobs.grace;
  options.output_bytes = config.limits.output_bytes;
  return options;
}

job::Retention retention(const config::JobsConfig& config) {
  job::Retention retention;
  retention.records = config.kept;
  retention.memory_records = config.kept_in_memory;
  retention.age = config.kept_for;
  return retention;
}

std::unique_ptr<sd::Log> make_log(const config::LogConfig& config) {
  sd::LogOptions options;
  options.level = static_cast<sd::LogLevel>(config.level);
  options.queue_records = config.queue_records;
  return std::make_unique<sd::Log>(sd::make_backend(static_cast<sd::LogTarget>(config.target)), options);
}

std::unique_ptr<store::Store> open_store(const AppOptions& options) {
  if (options.state.empty() || options.state == ":memory:") return nullptr;
  if (std::error_code failed; !std::filesystem::create_directories(options.state, failed) && failed)
    throw std::system_error(failed, "the state directory " + options.state + " cannot be made (--state DIR or store.path name another one)");
  store::StoreOptions store;
  store.directory = options.state;
  store.begin_anew = options.new_store;
  return std::make_unique<store::Store>(std::move(store));
}

std::shared_ptr<corun::ThreadPoolExecutor> make_executor(const config::ExecutorConfig& config) {
  corun::ThreadPoolOptions options;
  options.max_workers = config.max_workers;
  options.thread_name_prefix = "corund";
  return std::make_shared<corun::ThreadPoolExecutor>(options);
}

kinds::ExecOptions exec_options(const config::Config& config, std::shared_ptr<kinds::CgroupTree> cgroups) {
  return {config.exec.shell, config.exec.line_bytes, config.limits.output_bytes, std::move(cgroups)};
}

// One line for the log: "log.level, stop.grace".
std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

corun::Result<config::Config, config::Faults> read_config(const AppOptions& options) {
  auto read = config::load(options.config_file.empty() ? config::default_configuration_files()
                                                       : std::vector<std::string>{options.config_file});
  if (read && options.log_level) read->log.level = *options.log_level;
  return read;
}

void add_built_in_kinds(job::Registry& registry, const config::Config& config, std::shared_ptr<kinds::CgroupTree> cgroups) {
  KindRegistry kinds(registry);
  kinds::add_echo(kinds);
  kinds::add_exec(kinds, exec_options(config, std::move(cgroups)));
  kinds::add_sleep(kinds);
}

App::App(config::Config config, AppOptions options)
    : config_(std::move(config)),
      options_(std::move(options)),
      log_(make_log(config_.log)),
      notifier_(sd::Notifier::from_environment()),
      table_(retention(config_.jobs)),
      groups_(config_.groups, config_.limits.groups),
      contexts_(config_.limits.contexts_per_uid, config_.jobs.context_idle),
      journal_(*log_, config_.log.attached_rate, {config_.exec.output_rate, config_.exec.output_burst}),
      store_(open_store(options_)),
      ledger_(store_.get()),
      supervisor_(table_, registry_, contexts_, journal_, ledger_, supervisor_options(config_)),
      admission_(table_, groups_, contexts_, supervisor_, journal_, ledger_, config_.limits),
      drain_(admission_, supervisor_),
      recovery_(table_, registry_, admission_, ledger_, journal_),
      runner_(runner_options(config_)),
      executor_(make_executor(config_.executor)),
      access_(::geteuid(), config::is_users_own(), config_.access),
      host_{*this, config_, registry_, table_, admission_, supervisor_, drain_, journal_, ledger_, contexts_, access_, executor_, version, run::now_us(),
            sd::goes_to_journal(static_cast<sd::LogTarget>(config_.log.target))} {
  table_.changes().set_max(config_.limits.unread_changes);
}

// Sessions and jobs refer to the parts below: where the start failed half-way, their tasks must go first.
App::~App() {
  try {
    runner_.close();
  } catch (...) {
    log_->write(sd::LogLevel::error, "closing: " + corun::detail::describe(std::current_exception()));
  }
}

int App::run() {
  take_cgroups();
  load_kinds();
  corun::Loop& loop = runner_.loop();
  report_loop(loop);
  loop.add_signal_handler(SIGHUP, [this] { (void)reload(); });
  loop.set_default_executor(executor_);
  listener_ = std::make_unique<serve::Listener>(host_, loop);
  try {
    open_sockets(loop);
    recover(loop);
    runner_.run(serve());
    runner_.run(stop());
    recovery_.leave_running();
    own_sockets_.clear();
    close_store();
    runner_.close();
    std::signal(SIGHUP, SIG_IGN);
  } catch (const corun::KeyboardInterrupt& interrupt) {
    die_of(interrupt.signal_number());
  }
  monitor_.reset();
  listener_.reset();
  journal_.sum_up();
  log_->write(sd::LogLevel::info, "stopped");
  log_->close(log_flush);
  return 0;
}

// Before any job runs, and after the store's lock has shown that there is no other daemon.
void App::take_cgroups() {
  kinds::TakenOver taken = kinds::CgroupTree::take_over();
  cgroups_ = std::move(taken.tree);
  if (!taken.remark.empty()) log_->write(sd::LogLevel::warning, taken.remark);
  if (cgroups_)
    log_->write(sd::LogLevel::debug, "commands get cgroups of their own in " + cgroups_->path() +
                                         (cgroups_->limits_memory() ? ", limits.memory" : "") + (cgroups_->limits_tasks() ? ", limits.tasks" : ""));
}

void App::load_kinds() {
  add_built_in_kinds(registry_, config_, cgroups_);
  plugin::Loaded loaded = plugin::load_plugins(config_.plugins.directories, registry_);
  for (const auto& refused : loaded.refused)
    log_->write(sd::LogLevel::error, "plugin '" + refused.file + "' is left out: " + refused.why,
                sd::message_ids::plugin_refused, {sd::Field("CORUND_PLUGIN", refused.file)});
  if (!loaded.refused.empty() && config_.plugins.required)
    throw std::runtime_error("plugin '" + loaded.refused.front().file + "' cannot be loaded, and plugins are required: " +
                             loaded.refused.front().why);
  name_unknown_kinds();
}

// A misspelt name would leave the kind that was meant open.
void App::name_unknown_kinds() {
  for (const auto& [name, list] : config_.access.kinds)
    if (!registry_.find(name)) log_->write(sd::LogLevel::warning, "access.kinds." + name + ": there is no kind of that name");
}

void App::recover(corun::Loop& loop) {
  if (!store_) return;
  if (!store_->set_aside().empty())
    log_->write(sd::LogLevel::warning, "the former store was set aside as " + store_->set_aside() + ", and a new one begun");
  recovery_.read(*store_);
  store_->start(loop);
}

void App::close_store() {
  if (!store_) return;
  if (settling_) settling_->cancel();
  if (auto trouble = store_->close())
    log_->write(sd::LogLevel::error, std::string("the store could not be written to its end: ") + trouble->what());
}

void App::open_own(const std::string& path) {
  auto& kept = options_.passed.kept;
  const auto found = std::find_if(kept.begin(), kept.end(), [&](const sd::PassedSocket& socket) { return socket.path == path; });
  if (found == kept.end()) {
    own_sockets_.emplace_back(path, config_.socket);
    return;
  }
  corun::UniqueFd fd = std::move(found->fd);
  kept.erase(found);
  const bool was_kept = own_sockets_.emplace_back(path, config_.socket, std::move(fd)).was_kept();
  log_->write(sd::LogLevel::debug, "socket " + path + (was_kept ? " is the one that the manager kept" : " was kept, and its path leads elsewhere by now"));
  if (!was_kept) notifier_.drop(sd::kept_name);
}

// Where the manager keeps descriptors, it gets the own sockets: a restart refuses nobody then, also without a socket unit.
void App::keep_own() {
  const bool has_others = !options_.passed.kept.empty();
  options_.passed.kept.clear();
  if (has_others) notifier_.drop(sd::kept_name);
  if (own_sockets_.size() > sd::Notifier::kept_max()) return;
  for (auto& socket : own_sockets_) {
    notifier_.keep(socket.fd(), sd::kept_name);
    socket.stay_behind();
  }
}

void App::open_sockets(corun::Loop& loop) {
  for (const auto& refused : options_.passed.refused) log_->write(sd::LogLevel::warning, "passed socket refused: " + refused);
  const bool is_reached = !options_.passed.listeners.empty() || !options_.passed.connections.empty() || options_.listen.is_stdio;
  if (!is_reached) open_own(options_.socket);
  if (!options_.listen.path.empty() && (is_reached || options_.listen.path != options_.socket))
    open_own(options_.listen.path);
  keep_own();
  if (options_.listen.is_stdio) stdio_.emplace(loop, config_.limits.unread_reply_timeout);
}

// From all that it is reached by; returns that in words.
std::string App::accept() {
  std::string where = options_.passed.listeners.empty() ? "" : "passed sockets";
  const auto add = [&](const std::string& place) { where += (where.empty() ? "" : ", ") + place; };
  for (const auto& socket : own_sockets_) {
    listener_->accept_from(corun::UniqueFd(::fcntl(socket.fd(), F_DUPFD_CLOEXEC, 3)), socket.stays_behind());
    add(socket.path());
  }
  for (auto& socket : options_.passed.listeners) listener_->accept_from(std::move(socket.fd), true);
  if (!options_.passed.connections.empty()) add("a passed connection");
  for (auto& socket : options_.passed.connections) listener_->adopt(std::move(socket.fd));
  if (stdio_) {
    add("stdin and stdout");
    listener_->adopt(stdio_->take_connection());
    copying_ = corun::create_task(stdio_->copy(), {.name = "stdio"});
  }
  return where;
}

// What nobody awaited, and the loop's warnings, belong into the log and not to stderr.
void App::report_loop(corun::Loop& loop) {
  loop.slow_callback_duration = config_.runner.slow_callback;
  loop.set_exception_handler([this](corun::Loop&, const corun::ExceptionContext& context) {
    std::string text = context.message;
    if (context.exception) text += ": " + corun::detail::describe(context.exception);
    // The scope of what threw is the current one here; its label is the job's id where it is a job's.
    const std::shared_ptr<corun::TaskScope> scope = corun::current_scope();
    const bool is_job = scope && job::Ulid::parse(scope->label());
    const job::Job* job = is_job ? table_.find(scope->label()) : nullptr;
    log_->write(sd::LogLevel::error, text, {},
                {sd::Field("CORUND_JOB_ID", is_job ? std::string_view(scope->label()) : ""), sd::Field("CORUND_KIND", job ? std::string_view(job->spec.kind->name) : ""),
                 sd::Field("CORUND_WHERE", context.where)});
  });
  loop.set_warning_handler([this](std::string_view text) { log_->write(sd::LogLevel::warning, text); });
}

void App::watch_loop(corun::Loop& loop) {
  auto period = sd::watchdog_period();
  monitor_.reset();  // its thread has ended
  monitor_ = std::make_unique<sd::LoopMonitor>(
      loop.step_probe(), *log_, sd::LoopMonitorOptions{config_.watchdog.slow_step.value_or(sd::default_slow_step(period)), period});
}

// All in one step of the loop: nothing sees a half of it. The manager hears of its end however it went; that it went wrong is said by the
// status, the log and, where a peer asked, the answer.
corun::Result<config::Changes, config::Faults> App::reload() {
  if (is_ready_) notifier_.reloading("reading the configuration again");
  auto read = read_config(options_);
  if (!read) {
    for (const auto& fault : read.error())
      log_->write(sd::LogLevel::error, "not reloaded: " + config::to_string(fault), sd::message_ids::configuration_bad,
                  {sd::Field("CORUND_KEY", fault.key)});
    if (is_ready_) notifier_.ready("ready; the configuration is wrong, and the former one in force");
    return std::move(read.error());
  }
  config::Changes changes = config::take_over(config_, *read);
  apply(changes);
  log_->write(sd::LogLevel::info, "reloaded, changed: " + (changes.changed.empty() ? "nothing" : joined(changes.changed)));
  if (!changes.needs_restart.empty())
    log_->write(sd::LogLevel::warning, "changed, but not before a restart: " + joined(changes.needs_restart));
  if (is_ready_) notifier_.ready("ready");
  return changes;
}

// Whoever holds a copy of a setting is told here. Limits, the stop's grace and what else is read from config_ where it is used need nothing.
void App::apply(const config::Changes& changes) {
  corun::Loop& loop = runner_.loop();
  if (changes.has("runner.debug")) loop.set_debug(config_.runner.debug);
  loop.slow_callback_duration = config_.runner.slow_callback;
  if (changes.has("log.level")) log_->set_level(static_cast<sd::LogLevel>(config_.log.level));  // SetLogLevel's stays otherwise
  journal_.set_rates(config_.log.attached_rate, {config_.exec.output_rate, config_.exec.output_burst});
  contexts_.configure(config_.limits.contexts_per_uid, config_.jobs.context_idle);
  supervisor_.set_options(supervisor_options(config_));
  admission_.set_retention(retention(config_.jobs));
  groups_.set_max(config_.limits.groups);
  table_.changes().set_max(config_.limits.unread_changes);
  if (changes.has_any("access.kinds.")) name_unknown_kinds();
  if (changes.has_any("groups.")) admission_.regroup(config_.groups);
  if (changes.has("exec.shell") || changes.has("exec.line_bytes") || changes.has("limits.output_bytes")) renew_exec();
  if (changes.has("watchdog.slow_step") && monitor_) watch_loop(loop);
}

void App::renew_exec() {
  job::Registry fresh;
  KindRegistry kinds(fresh);
  kinds::add_exec(kinds, exec_options(config_, cgroups_));
  const job::KindBody& body = fresh.find("exec")->body;
  registry_.change_all([&](job::Kind& kind) {
    if (kind.name == "exec") former_bodies_.push_back(std::exchange(kind.body, body));
  });
}

corun::Coro<> App::serve() {
  corun::Loop& loop = corun::get_running_loop();
  try {
    contexts_.set_shared(corun::current_task().context());
    loop.watch_steps(true);
    watch_loop(loop);
    if (auto period = sd::watchdog_period()) pinging_ = corun::create_task(ping(sd::ping_interval(*period)), {.name = "watchdog"});
    for (const auto& hook : registry_.start_hooks()) co_await hook();
    if (store_) {
      settling_ = corun::create_task(admission_.enter_settled(), {.name = "store"});
      recovery_.resume();
      if (recovery_.waiting() + recovery_.lost() > 0) journal_.recovered(recovery_.waiting(), recovery_.lost());
    }

    const bool is_private = options_.is_private();
    const std::string where = accept();
    log_->write(sd::LogLevel::info, "corund " + std::string(version) + " is ready at " + where, sd::message_ids::daemon_started);
    notifier_.ready("ready");
    is_ready_ = true;

    if (!is_private) co_await corun::Future<>();
    while (listener_->sessions() > 0) co_await listener_->ended().wait();
    if (copying_) co_await corun::wait(*copying_);
  } catch (const corun::CancelledError&) {
    // The first signal; what follows is stop().
  }
}

corun::Coro<> App::stop() {
  corun::Loop& loop = corun::get_running_loop();
  log_->write(sd::LogLevel::info, "stopping", sd::message_ids::daemon_stopping);
  is_ready_ = false;
  notifier_.stopping("stopping", config_.stop.grace + manager_margin);
  listener_->leave_passed();
  corun::AnyTask teller = corun::create_task(tell_manager(), {.name = "status"});
  co_await drain_.stop(config_.stop.grace);
  table_.changes().close();
  const auto& hooks = registry_.stop_hooks();
  for (auto hook = hooks.rbegin(); hook != hooks.rend(); ++hook) co_await (*hook)();
  co_await listener_->close(last_replies);
  if (copying_) {
    std::vector<corun::Task<>> copying(1, *copying_);
    co_await corun::wait(std::move(copying), {.timeout = last_replies});
  }
  executor_deadline_ = loop.time() + config_.executor.drain_timeout;
  co_await loop.shutdown_default_executor(config_.executor.drain_timeout);
  teller.cancel();
}

corun::Coro<> App::ping(std::chrono::nanoseconds interval) {
  for (;;) {
    notifier_.ping();
    co_await corun::sleep(interval);
  }
}

std::string App::stop_status() const {
  if (drain_.phase() != run::Drain::Phase::done) return drain_.status();
  if (!executor_deadline_) return "sending the last replies";
  auto left = std::chrono::ceil<std::chrono::seconds>(*executor_deadline_ - corun::get_running_loop().time());
  const std::size_t busy = executor_->busy();
  return "waiting for " + std::to_string(busy) + (busy == 1 ? " thread function, " : " thread functions, ") +
         std::to_string(std::max<std::int64_t>(0, left.count())) + " s left";
}

// The manager hears what is waited for, and that it takes time as long as a phase has some left.
corun::Coro<> App::tell_manager() {
  corun::Loop& loop = corun::get_running_loop();
  for (;;) {
    corun::time_point until = executor_deadline_ ? *executor_deadline_
                              : drain_.phase() == run::Drain::Phase::done ? loop.time() + last_replies
                                                                          : drain_.deadline();
    if (until > loop.time()) notifier_.extend_timeout(until - loop.time() + manager_margin);
    notifier_.status(stop_status());
    notifier_.tick();
    co_await corun::sleep(std::chrono::seconds(1));
  }
}

// Nothing is awaited any more. Commands die with this process: their parent-death signal sees to it.
void App::die_of(int signal) {
  // A command's wait is an operation of the loop's, and the command goes with it, its whole group: the parent-death signal would reach the
  // command alone. Nothing runs on the loop from here on.
  try {
    runner_.loop().core().shut_down_io();
  } catch (const corun::RuntimeError&) {
    // It is closed, and has done so.
  }
  if (cgroups_) cgroups_->kill_all();
  for (auto& socket : own_sockets_) socket.remove();
  log_->write(sd::LogLevel::warning, "stopped at once by a second signal");
  log_->flush(log_flush);
  std::signal(signal, SIG_DFL);
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::raise(signal);
  ::_exit(128 + signal);
}

}  // namespace corund
