// SPDX-License-Identifier: MIT
// Floor 2. use_coro, the completion token by which any Asio operation is awaited in a Coro.
//
// The operation starts when it is awaited, on the loop's thread, and resumes the task through the ready queue. Its memory comes from
// the frame pool. Cancelling the task emits cancellation_type::all on the operation's slot, once.
#pragma once

#include <corun/coro/frame.hpp>
#include <corun/coro/frame_pool.hpp>
#include <corun/loop/asio.hpp>
#include <corun/loop/loop.hpp>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/system/system_error.hpp>

namespace corun {

// auto n = co_await socket.async_read_some(buffer, corun::use_coro);
//
// Errors: an error_code is thrown as boost::system::system_error, an exception_ptr is rethrown; as_tuple(use_coro) returns them instead.
// Cancellation: the operation is cancelled and CancelledError thrown. One that completed all the same delivers what it has, and the
// CancelledError comes at the next await: no byte that was read is lost.
// Lifetime: what is passed by reference (the socket, buffers) must outlive the await.
struct use_coro_t {
  constexpr use_coro_t() noexcept {}
};
// The token itself.
inline constexpr use_coro_t use_coro;

using boost::asio::as_tuple;

namespace detail {

CORUN_API boost::asio::io_context& io_of(LoopCore& loop) noexcept;

// The name of an operation by the type of what initiates it: "async_read_some". Empty where the type has none that says so.
CORUN_API std::string operation_name(const std::type_info& initiation);

// An operation in flight: what parks the task.
class CORUN_API OperationBase : public Waiter {
 public:
  OperationBase() noexcept {}
  OperationBase(const OperationBase&) = delete;
  OperationBase& operator=(const OperationBase&) = delete;

  bool await_ready() const noexcept { return false; }
  bool cancel(const std::string& message) override;
  const char* what() const noexcept override { return "an operation"; }

 protected:
  ~OperationBase() = default;

  enum class State : std::uint8_t { not_started, starting, in_flight, complete };

  void completed() noexcept {
    bool inside = state_ == State::starting;
    state_ = State::complete;
    if (!inside) wake(*chain_);
  }
  // After the resumption: throws a CancelledError where the request stopped the operation (or came before it could start). An
  // operation that succeeded keeps its result, and the request stays for the next await.
  void resumed(bool succeeded, bool aborted);

  Chain* chain_ = nullptr;
  boost::asio::io_context* context_ = nullptr;
  boost::asio::cancellation_signal signal_;
  State state_ = State::not_started;
  bool cancel_sent_ = false;
};

// What the arguments of a completion become.
template <class... Args>
struct Completion {
  using result = std::conditional_t<sizeof...(Args) == 0, void,
                                    std::conditional_t<sizeof...(Args) == 1, std::tuple_element_t<0, std::tuple<Args..., void>>,
                                                       std::tuple<Args...>>>;
  static bool failed(const std::tuple<Args...>&) noexcept { return false; }
  static bool aborted(const std::tuple<Args...>&) noexcept { return false; }
  static result take(std::tuple<Args...>& all) {
    if constexpr (sizeof...(Args) == 1)
      return std::get<0>(std::move(all));
    else if constexpr (sizeof...(Args) > 1)
      return std::move(all);
  }
};

template <class... Rest, std::size_t... I>
auto tail_of(std::tuple<Rest...>& all, std::index_sequence<I...>) {
  return std::tuple(std::get<I + 1>(std::move(all))...);
}

template <class... Rest>
struct Completion<boost::system::error_code, Rest...> {
  using all_type = std::tuple<boost::system::error_code, Rest...>;
  using result = typename Completion<Rest...>::result;
  static bool failed(const all_type& all) noexcept { return static_cast<bool>(std::get<0>(all)); }
  static bool aborted(const all_type& all) noexcept { return std::get<0>(all) == boost::asio::error::operation_aborted; }
  static result take(all_type& all) {
    if (std::get<0>(all)) throw boost::system::system_error(std::get<0>(all));
    std::tuple<Rest...> rest = tail_of(all, std::index_sequence_for<Rest...>());
    return Completion<Rest...>::take(rest);
  }
};

template <class... Rest>
struct Completion<std::exception_ptr, Rest...> {
  using all_type = std::tuple<std::exception_ptr, Rest...>;
  using result = typename Completion<Rest...>::result;
  static bool failed(const all_type& all) noexcept { return std::get<0>(all) != nullptr; }
  static bool aborted(const all_type& all) noexcept {
    try {
      if (std::get<0>(all)) std::rethrow_exception(std::get<0>(all));
    } catch (const boost::system::system_error& e) {
      return e.code() == boost::asio::error::operation_aborted;
    } catch (...) {
    }
    return false;
  }
  static result take(all_type& all) {
    if (std::get<0>(all)) std::rethrow_exception(std::get<0>(all));
    std::tuple<Rest...> rest = tail_of(all, std::index_sequence_for<Rest...>());
    return Completion<Rest...>::take(rest);
  }
};

// as_tuple(use_coro): the tuple itself; its first element says how it went.
template <class... Args>
struct Completion<std::tuple<Args...>> {
  using all_type = std::tuple<std::tuple<Args...>>;
  using result = std::tuple<Args...>;
  static bool failed(const all_type& all) noexcept { return Completion<Args...>::failed(std::get<0>(all)); }
  static bool aborted(const all_type& all) noexcept { return Completion<Args...>::aborted(std::get<0>(all)); }
  static result take(all_type& all) { return std::get<0>(std::move(all)); }
};

template <class Initiation, class InitArgs, class... Args>
class OperationAwaiter final : public OperationBase {
 public:
  OperationAwaiter(Initiation initiation, InitArgs args)
      : initiation_(std::move(initiation)), args_(std::move(args)) {}

  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    FrameBase& frame = h.promise();
    chain_ = frame.chain;
    if (chain_->must_cancel) return false;  // not started at all
    context_ = &io_of(running_loop());
    state_ = State::starting;
    chain_->park(this);
    try {
      std::apply([this](auto&... args) { std::move(initiation_)(Handler(this), std::move(args)...); }, args_);
    } catch (...) {
      chain_->parked = false;
      chain_->waiter = nullptr;
      throw;
    }
    if (state_ == State::complete) {
      chain_->parked = false;
      chain_->waiter = nullptr;
      return false;
    }
    state_ = State::in_flight;
    return true;
  }

  auto await_resume() -> typename Completion<Args...>::result {
    bool complete = state_ == State::complete;
    resumed(complete && !Completion<Args...>::failed(*results_), complete && Completion<Args...>::aborted(*results_));
    return Completion<Args...>::take(*results_);
  }

  std::string operation() const override { return operation_name(typeid(Initiation)); }

  // What Asio calls. Copies are the same completion.
  class Handler {
   public:
    using executor_type = boost::asio::io_context::executor_type;
    using allocator_type = PoolAllocator<void>;
    using cancellation_slot_type = boost::asio::cancellation_slot;

    explicit Handler(OperationAwaiter* op) noexcept : op_(op) {}
    executor_type get_executor() const noexcept { return op_->context_->get_executor(); }
    allocator_type get_allocator() const noexcept { return {}; }
    cancellation_slot_type get_cancellation_slot() const noexcept { return op_->signal_.slot(); }

    template <class... Results>
    void operator()(Results&&... results) {
      op_->results_.emplace(std::forward<Results>(results)...);
      op_->completed();
    }

   private:
    OperationAwaiter* op_;
  };

 private:
  Initiation initiation_;
  InitArgs args_;
  std::optional<std::tuple<Args...>> results_;
};

// What the initiating function returns: starts when awaited, once.
template <class Initiation, class InitArgs, class... Args>
class [[nodiscard]] Operation {
 public:
  Operation(Initiation initiation, InitArgs args) : initiation_(std::move(initiation)), args_(std::move(args)) {}
  auto operator co_await() {
    return OperationAwaiter<Initiation, InitArgs, Args...>(std::move(initiation_), std::move(args_));
  }

 private:
  Initiation initiation_;
  InitArgs args_;
};

}  // namespace detail
}  // namespace corun

template <class R, class... Args>
class boost::asio::async_result<corun::use_coro_t, R(Args...)> {
 public:
  template <class Initiation, class... InitArgs>
  static auto initiate(Initiation&& initiation, corun::use_coro_t, InitArgs&&... args) {
    using Tuple = std::tuple<std::decay_t<InitArgs>...>;
    return corun::detail::Operation<std::decay_t<Initiation>, Tuple, std::decay_t<Args>...>(
        std::forward<Initiation>(initiation), Tuple(std::forward<InitArgs>(args)...));
  }
};
