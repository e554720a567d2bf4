// SPDX-License-Identifier: MIT
// Floor 3. Context variables: values that follow the flow of control, as Python's contextvars.
#pragma once

#include <corun/base/errors.hpp>
#include <corun/loop/context_cell.hpp>
#include <corun/loop/thread_state.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace corun {

// A handle on one context: copies of the handle are the same context; copy_context() makes another one.
// Threads: handles may cross threads; a context is entered in one place at a time.
// Source: contextvars.Context.
class CORUN_API Context {
 public:
  Context();  // empty

  // Calls f with this context current; what f sets is seen in it afterwards. Errors: RuntimeError where it is entered already; what f throws.
  template <class F>
  auto run(F&& f) -> decltype(f()) {
    Entered entered(*this);
    return f();
  }

  friend bool operator==(const Context& a, const Context& b) noexcept { return a.cell_ == b.cell_; }

  // Number of variables that have a value in it.
  std::size_t size() const noexcept;

  // Library-internal.
  explicit Context(detail::Ref<detail::ContextCell> cell) noexcept : cell_(std::move(cell)) {}
  const detail::Ref<detail::ContextCell>& cell() const noexcept { return cell_; }
  bool entered() const noexcept { return cell_->entered.load(std::memory_order_relaxed); }

 private:
  class CORUN_API Entered {
   public:
    explicit Entered(Context& context);
    ~Entered();

   private:
    detail::ContextCell& cell_;
    detail::ContextSlot slot_;
    detail::ContextSlot* saved_;
  };

  detail::Ref<detail::ContextCell> cell_;
};

// A copy of the current context, in O(1).
CORUN_API Context copy_context();

namespace detail {
// The value of a key in the current context; null where it has none.
CORUN_API std::shared_ptr<const void> context_lookup(const void* key);
// Sets it, or removes it where the value is null; returns the value before.
CORUN_API std::shared_ptr<const void> context_assign(const std::shared_ptr<const void>& key, std::shared_ptr<const void> value);
// Names the current context, for tokens.
CORUN_API Ref<ContextCell> current_cell();
}  // namespace detail

template <class T>
class ContextVar;

// What set() gives, for reset(): the value before, once, in the same context.
template <class T>
class Token {
 public:
  // The value before set(); nothing where there was none.
  std::optional<T> old_value() const {
    return old_ ? std::optional<T>(*static_cast<const T*>(old_.get())) : std::nullopt;
  }

 private:
  friend ContextVar<T>;
  std::shared_ptr<const void> key_;
  std::shared_ptr<const void> old_;
  detail::Ref<detail::ContextCell> cell_;
  std::shared_ptr<bool> used_;
};

// A variable with a value per context. May be made outside a loop, at namespace scope.
// Errors: get() without value and default: LookupError. reset(): ValueError for a token of another variable or another context,
// RuntimeError for one used before.
// Source: contextvars.ContextVar.
template <class T>
class ContextVar {
 public:
  explicit ContextVar(std::string name) : key_(std::make_shared<const std::string>(std::move(name))) {}
  ContextVar(std::string name, T default_value)
      : key_(std::make_shared<const std::string>(std::move(name))), default_(std::move(default_value)) {}
  ContextVar(const ContextVar&) = delete;
  ContextVar& operator=(const ContextVar&) = delete;

  const std::string& name() const { return *key_; }

  T get() const {
    if (auto value = detail::context_lookup(key_.get())) return *static_cast<const T*>(value.get());
    if (default_) return *default_;
    throw LookupError("context variable '" + *key_ + "' has no value");
  }
  T get(T fallback) const {
    if (auto value = detail::context_lookup(key_.get())) return *static_cast<const T*>(value.get());
    return fallback;
  }

  // Sets it in the current context only.
  Token<T> set(T value) {
    Token<T> token;
    token.cell_ = detail::current_cell();
    token.key_ = key_;
    token.old_ = detail::context_assign(key_, std::make_shared<const T>(std::move(value)));
    token.used_ = std::make_shared<bool>(false);
    return token;
  }

  // Puts back what was before the set() that gave the token.
  void reset(Token<T> token) {
    if (*token.used_) throw RuntimeError("Token has already been used once");
    if (token.key_ != std::shared_ptr<const void>(key_)) throw ValueError("Token was created by a different ContextVar");
    if (!(token.cell_ == detail::current_cell())) throw ValueError("Token was created in a different Context");
    *token.used_ = true;
    detail::context_assign(key_, std::move(token.old_));
  }

 private:
  std::shared_ptr<const std::string> key_;
  std::optional<T> default_;
};

}  // namespace corun
