// SPDX-License-Identifier: MIT
#include <cerrno>
#include <corun/base/errors.hpp>
#include <corun/loop/loop.hpp>
#include <corun/loop/loop_io.hpp>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace corun {

Loop::Loop(bool virtual_time) : core_(new detail::LoopCore(*this, virtual_time)) {
  const char* wanted = std::getenv("CORUN_DEBUG");
  set_debug(wanted && *wanted && std::string_view(wanted) != "0");
}

Loop::~Loop() {
  if (!core_->closed) {
    warn("unclosed event loop");
    close();
  }
  core_->shut_down_io();
  detail::abandon_tasks(*core_);
  core_->face = nullptr;
  core_->io->close();
}

void Loop::set_debug(bool on) {
  core_->debug = on;
  core_->watch_steps();
}

void Loop::watch_steps(bool on) {
  core_->probe.enabled.store(on);
  core_->watch_steps();
}

Handle Loop::schedule(detail::Ref<detail::Callback> callback) {
  core_->check_closed();
  core_->check_thread();
  Handle handle(callback);
  core_->make_ready(*callback.leak());
  return handle;
}

TimerHandle Loop::schedule_at(detail::Ref<detail::TimedCallback> callback) {
  TimerHandle handle(callback);
  if (callback->when <= core_->now()) {
    core_->make_ready(*callback.leak());
  } else {
    core_->add_timer(*callback);
    callback.leak();
  }
  return handle;
}

Handle Loop::schedule_threadsafe(detail::Ref<detail::Callback> callback) {
  if (detail::thread_state.loop != core_.get()) callback->drop_scope();  // this thread runs a loop of its own, which counts it
  auto mailbox = core_->mailbox;  // the callback may end the loop, and its thread the loop's life, before post() returns
  if (!mailbox->post(callback)) throw RuntimeError("Event loop is closed");
  return Handle(std::move(callback));
}

void Loop::run_forever() { core_->run(); }

void Loop::stop() { core_->stopping = true; }

bool Loop::is_running() const { return core_->owner.load() != nullptr; }
bool Loop::is_closed() const { return core_->closed; }

void Loop::close() {
  if (is_running()) throw RuntimeError("Cannot close a running event loop");
  if (core_->closed) return;
  core_->closed = true;
  while (!core_->signal_callbacks.empty()) remove_signal_handler(core_->signal_callbacks.begin()->first);
  while (detail::Outstanding* elsewhere = core_->outstanding.pop_front()) elsewhere->loop_closes();
  core_->mailbox->close();
  while (!core_->ready.empty()) core_->ready.pop().dispose();
  while (!core_->timers.empty()) core_->timers.pop().dropped();
}

void Loop::watch(int signal, detail::Ref<detail::Callback> callback) {
  core_->check_closed();
  if (!detail::watch_signal(*core_, signal))
    throw std::system_error(errno, std::generic_category(), "add_signal_handler(" + std::to_string(signal) + ")");
  core_->signal_callbacks.insert_or_assign(signal, std::move(callback));
}

bool Loop::remove_signal_handler(int signal) {
  if (core_->signal_callbacks.erase(signal) == 0) return false;
  detail::unwatch_signal(*core_, signal);
  return true;
}

boost::asio::io_context& Loop::io_context() {
  core_->check_closed();
  return core_->io->context;
}

LoopStats Loop::stats() const {
  return {.iterations = core_->iterations,
          .steps = core_->steps + core_->steps_since_poll,
          .lag_p50 = core_->lag.percentile(0.50),
          .lag_p99 = core_->lag.percentile(0.99),
          .lag_max = core_->lag.max_seconds(),
          .tasks = core_->tasks_alive,
          .timers = core_->timers.size()};
}

std::unique_ptr<Loop> new_event_loop() { return std::make_unique<Loop>(false); }

Loop& get_running_loop() { return *detail::running_loop().face; }

}  // namespace corun
