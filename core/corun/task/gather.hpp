// SPDX-License-Identifier: MIT
// Floor 3. gather(): several awaitables at once.
#pragma once

#include <corun/task/future.hpp>
#include <corun/task/outcome.hpp>
#include <corun/task/run_until_complete.hpp>
#include <corun/task/task.hpp>
#include <memory>
#include <tuple>
#include <variant>
#include <vector>

namespace corun {

namespace detail {

// The future that stands for all: done with the first error, or when all are. Cancelling it cancels the children.
class CORUN_API GatherCore final : public FutureCore {
 public:
  GatherCore(LoopCore& owner, bool keep_exceptions, std::source_location where)
      : FutureCore(owner, where), keep_exceptions_(keep_exceptions) {}

  void add(FutureCore& child);  // each once; a child given twice is one child
  void begin();                 // after the last add

  bool cancel(const std::string& message) override;
  std::string describe() const override { return "gather"; }

 private:
  struct Node final : DoneNode, Pooled {
    explicit Node(GatherCore& g, FutureCore& c) : gather(&g), child(&c) {}
    void done(FutureCore& future) noexcept override;
    void dropped() noexcept override { gather->release(); }
    FutureCore* waiting_future() const noexcept override { return gather; }
    GatherCore* gather;  // holds it by a count while linked
    Ref<FutureCore> child;
  };

  void child_done(FutureCore& child) noexcept;

  bool keep_exceptions_;
  bool cancel_requested_ = false;
  std::string cancel_message_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::size_t remaining_ = 0;
};

// A handle on a child: the Task or Future itself, or a new task.
template <class A>
auto ensure_future(A&& awaitable, std::source_location where) {
  using Plain = std::remove_cvref_t<A>;
  if constexpr (requires { typename Plain::value_type; requires std::is_same_v<Plain, Future<typename Plain::value_type>>; })
    return awaitable;
  else
    return ensure_task(running_loop(), std::forward<A>(awaitable), {}, where);
}

template <class Handle>
using handle_value_t = typename Handle::value_type;

template <class Handle>
or_monostate<handle_value_t<Handle>> read_child(const Handle& handle) {
  if constexpr (std::is_void_v<handle_value_t<Handle>>) {
    handle.core().check_result();
    return {};
  } else {
    return handle.result();
  }
}

template <class Handle>
auto outcome_of_child(const Handle& handle) {
  using S = std::remove_reference_t<decltype(handle.core())>;
  return outcome_of<S, handle_value_t<Handle>>(handle.core());
}

struct AwaitCore {
  FutureCore& core;
  DoneAwaiter operator co_await() const { return DoneAwaiter(core); }
};

template <class... Handles>
Ref<GatherCore> begin_gather(bool keep_exceptions, std::source_location where, const Handles&... handles) {
  Ref<GatherCore> core(new GatherCore(running_loop(), keep_exceptions, where));
  (core->add(handles.core()), ...);
  core->begin();
  return core;
}

template <class Handle>
Ref<GatherCore> begin_gather_all(bool keep_exceptions, std::source_location where, const std::vector<Handle>& handles) {
  Ref<GatherCore> core(new GatherCore(running_loop(), keep_exceptions, where));
  for (const Handle& handle : handles) core->add(handle.core());
  core->begin();
  return core;
}

template <class... Handles>
Coro<std::tuple<or_monostate<handle_value_t<Handles>>...>> gather_results(Ref<GatherCore> core, Handles... handles) {
  co_await AwaitCore{*core};
  co_return std::tuple<or_monostate<handle_value_t<Handles>>...>(read_child(handles)...);
}

template <class... Handles>
Coro<std::tuple<Outcome<handle_value_t<Handles>>...>> gather_all_outcomes(Ref<GatherCore> core, Handles... handles) {
  co_await AwaitCore{*core};
  co_return std::tuple<Outcome<handle_value_t<Handles>>...>(outcome_of_child(handles)...);
}

template <class Handle>
auto gather_vector(Ref<GatherCore> core, std::vector<Handle> handles)
    -> Coro<std::conditional_t<std::is_void_v<handle_value_t<Handle>>, void, std::vector<or_monostate<handle_value_t<Handle>>>>> {
  co_await AwaitCore{*core};
  if constexpr (!std::is_void_v<handle_value_t<Handle>>) {
    std::vector<handle_value_t<Handle>> results;
    results.reserve(handles.size());
    for (const Handle& handle : handles) results.push_back(handle.result());
    co_return results;
  }
}

template <class Handle>
Coro<std::vector<Outcome<handle_value_t<Handle>>>> gather_vector_outcomes(Ref<GatherCore> core, std::vector<Handle> handles) {
  co_await AwaitCore{*core};
  std::vector<Outcome<handle_value_t<Handle>>> outcomes;
  outcomes.reserve(handles.size());
  for (const Handle& handle : handles) outcomes.push_back(outcome_of_child(handle));
  co_return outcomes;
}

template <class T>
std::vector<Task<T>> start_all(std::vector<Coro<T>>& coros, std::source_location where) {
  std::vector<Task<T>> tasks;
  tasks.reserve(coros.size());
  for (Coro<T>& coro : coros) tasks.push_back(create_task_on(running_loop(), coro, {}, where));
  return tasks;
}

}  // namespace detail

// Runs several awaitables at once; their results in the order of the arguments, void as std::monostate. The children start at the call.
// Errors: the first one is thrown at once, the others go on; a child that was cancelled counts as an error.
// Cancellation: cancels every child, and throws when the first of them has ended by it; the others may still be cleaning up then, which
// gather_outcomes() and task_group() wait for. Source: asyncio.gather.
template <Awaitable... A>
auto gather(A... awaitables) -> Coro<std::tuple<detail::or_monostate<await_result_t<A>>...>> {
  auto where = std::source_location::current();
  std::tuple handles{detail::ensure_future(std::move(awaitables), where)...};  // braces: from left to right
  return std::apply(
      [&](auto&... each) {
        auto core = detail::begin_gather(false, where, each...);
        return detail::gather_results(std::move(core), std::move(each)...);
      },
      handles);
}

// The same for any number of one type. Of void: Coro<>.
template <class T>
auto gather(std::vector<Task<T>> tasks) {
  auto core = detail::begin_gather_all(false, std::source_location::current(), tasks);
  return detail::gather_vector(std::move(core), std::move(tasks));
}
template <class T>
auto gather(std::vector<Coro<T>> coros) {
  return gather(detail::start_all(coros, std::source_location::current()));
}

// asyncio's gather(return_exceptions=True): never throws what a child threw; waits for all.
template <Awaitable... A>
auto gather_outcomes(A... awaitables) -> Coro<std::tuple<Outcome<await_result_t<A>>...>> {
  auto where = std::source_location::current();
  std::tuple handles{detail::ensure_future(std::move(awaitables), where)...};  // braces: from left to right
  return std::apply(
      [&](auto&... each) {
        auto core = detail::begin_gather(true, where, each...);
        return detail::gather_all_outcomes(std::move(core), std::move(each)...);
      },
      handles);
}
template <class T>
auto gather_outcomes(std::vector<Task<T>> tasks) {
  auto core = detail::begin_gather_all(true, std::source_location::current(), tasks);
  return detail::gather_vector_outcomes(std::move(core), std::move(tasks));
}
template <class T>
auto gather_outcomes(std::vector<Coro<T>> coros) {
  return gather_outcomes(detail::start_all(coros, std::source_location::current()));
}

}  // namespace corun
