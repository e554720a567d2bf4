// SPDX-License-Identifier: MIT
// One table for the process, because dispositions are the process's. A slot says what our handler does with its signal: interrupt the
// loop that runs in the main thread, or set a bit for the loop that watches it. All that the handler reads is atomic.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <corun/base/errors.hpp>
#include <corun/loop/loop_core.hpp>
#include <corun/loop/signals.hpp>

namespace corun::detail {
namespace {

constexpr int signals_max = 64;  // bits of a mask; covers the real-time signals of Linux

enum class Use : int { none, interrupt, watch };

struct Slot {
  std::atomic<Use> use{Use::none};
  std::atomic<LoopCore*> loop{nullptr};
};

std::array<Slot, signals_max + 1> slots;

// Of the run in the main thread: how many interrupts came, and how many of them its loop was told of.
std::atomic<std::uint32_t> received{0};
std::atomic<std::uint32_t> delivered{0};
std::atomic<int> latest_signal{0};
InterruptScope* current_scope_of_process = nullptr;  // main thread only

static_assert(std::atomic<std::uint32_t>::is_always_lock_free && std::atomic<LoopCore*>::is_always_lock_free);

void die_of(int signal) {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
  ::raise(signal);  // taken when this handler returns and the signal is unblocked
}

extern "C" void corun_signal_handler(int signal) {
  Slot& slot = slots[static_cast<std::size_t>(signal)];
  LoopCore* loop = slot.loop.load(std::memory_order_acquire);
  if (!loop) return;
  switch (slot.use.load(std::memory_order_acquire)) {
    case Use::none: return;
    case Use::interrupt:
      latest_signal.store(signal, std::memory_order_relaxed);
      if (received.fetch_add(1, std::memory_order_acq_rel) != delivered.load(std::memory_order_acquire))
        return die_of(signal);
      break;
    case Use::watch: loop->watched_signals.fetch_or(std::uint64_t{1} << (signal - 1), std::memory_order_acq_rel); break;
  }
  loop->attention.store(true, std::memory_order_release);
  loop->mailbox->wake();
}

bool install(int signal, struct sigaction* old) {
  struct sigaction action {};
  action.sa_handler = corun_signal_handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  return ::sigaction(signal, &action, old) == 0;
}

bool is_ours(const struct sigaction& action) {
  return !(action.sa_flags & SA_SIGINFO) && action.sa_handler == corun_signal_handler;
}

bool in_main_thread() { return ::syscall(SYS_gettid) == ::getpid(); }

}  // namespace

InterruptScope::InterruptScope(LoopCore& loop, InterruptSink& sink, const std::vector<int>& signals)
    : loop_(loop), sink_(sink) {
  if (!in_main_thread()) return;
  received.store(0);
  delivered.store(0);
  outer_ = std::exchange(current_scope_of_process, this);
  loop.interrupts = this;
  for (int signal : signals) {
    if (signal < 1 || signal > signals_max) continue;
    struct sigaction old {};
    if (::sigaction(signal, nullptr, &old) != 0) continue;  // fact 47: a run goes on without its handler
    if ((old.sa_flags & SA_SIGINFO) || old.sa_handler != SIG_DFL) continue;
    Slot& slot = slots[static_cast<std::size_t>(signal)];
    slot.loop.store(&loop);
    slot.use.store(Use::interrupt);
    if (install(signal, nullptr))
      replaced_.emplace_back(signal, old);
    else
      slot.use.store(Use::none);
  }
}

InterruptScope::~InterruptScope() {
  for (auto& [signal, old] : replaced_) {
    Slot& slot = slots[static_cast<std::size_t>(signal)];
    if (slot.use.load() != Use::interrupt) continue;  // the loop watches it now
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) == 0 && is_ours(now)) ::sigaction(signal, &old, nullptr);
    slot.use.store(Use::none);
    slot.loop.store(nullptr);
  }
  if (current_scope_of_process == this) current_scope_of_process = outer_;
  if (loop_.interrupts == this) loop_.interrupts = nullptr;
}

void InterruptScope::simulate(LoopCore& loop, int signal) {
  if (!loop.interrupts) throw RuntimeError("only what a Runner runs in the main thread can be interrupted");
  latest_signal.store(signal);
  received.fetch_add(1);
  loop.attention.store(true);
  loop.mailbox->wake();
}

bool InterruptScope::undelivered() const noexcept {
  return current_scope_of_process == this && received.load() != delivered.load();
}

int InterruptScope::latest() const noexcept { return latest_signal.load(); }

void InterruptScope::deliver() {
  while (undelivered()) {
    unsigned earlier = delivered.fetch_add(1);
    sink_.interrupted(latest_signal.load(), earlier);
  }
}

bool watch_signal(LoopCore& loop, int signal) {
  if (signal < 1 || signal > signals_max) {
    errno = EINVAL;
    return false;
  }
  Slot& slot = slots[static_cast<std::size_t>(signal)];
  Use use_before = slot.use.exchange(Use::none);
  LoopCore* loop_before = slot.loop.exchange(&loop);
  slot.use.store(Use::watch);
  if (install(signal, nullptr)) return true;
  slot.loop.store(loop_before);
  slot.use.store(use_before);
  return false;
}

void unwatch_signal(LoopCore& loop, int signal) {
  Slot& slot = slots[static_cast<std::size_t>(signal)];
  if (slot.use.load() != Use::watch || slot.loop.load() != &loop) return;
  struct sigaction now {};
  if (::sigaction(signal, nullptr, &now) == 0 && is_ours(now)) {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, nullptr);
  }
  slot.use.store(Use::none);
  slot.loop.store(nullptr);
}

std::uint64_t take_watched(LoopCore& loop) { return loop.watched_signals.exchange(0, std::memory_order_acq_rel); }

}  // namespace corun::detail
