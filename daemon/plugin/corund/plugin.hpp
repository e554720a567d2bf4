// SPDX-License-Identifier: MIT
// The header that kinds are written against: those built into the daemon and those of plugins alike.
//
//   corun::Coro<corund::Json> resize(corund::JobContext& job, ResizeArgs args);
//   CORUND_PLUGIN(registry) { registry.add("image.resize", resize, {.summary = "Resize a picture"}); }
//
// A kind is any callable of (JobContext&) or (JobContext&, Args) that returns a Coro<Result>. Args and Result are types that
// nlohmann::json converts, corund::Json itself, or corund::JsonText (no tree is built); a Result may be void. What a kind
// returns is a JSON object, or nothing. Args with a static from_text(std::string_view) read the object's text themselves, and throw
// corund::ArgsError where it is wrong; what they give holds nothing of the text, which is gone after the call.
#pragma once

#include <corun/corun.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "daemon/job/context.hpp"
#include "daemon/job/json.hpp"
#include "daemon/job/outcome.hpp"
#include "daemon/job/registry.hpp"

namespace corund {

// Args that their kind refuses. what() names the place and the reason.
class ArgsError : public std::invalid_argument {
 public:
  // at: the path of what is wrong, from the args on: "size[0]". Empty: the args as a whole. why: half a sentence, or nothing.
  explicit ArgsError(std::string_view at, std::string_view why = "is not what it must be")
      : std::invalid_argument(path_to(at) + " " + std::string(why)), path_(path_to(at)) {}
  // What the caller finds as InvalidParameter's parameter.
  const std::string& path() const noexcept { return path_; }

 private:
  static std::string path_to(std::string_view at) { return at.empty() ? "args" : "args." + std::string(at); }
  std::string path_;
};

namespace plugin {

// Library-internal: what a kind's callable takes and gives.
template <class F>
struct Signature : Signature<decltype(&F::operator())> {};
template <class R>
struct Signature<corun::Coro<R> (*)(JobContext&)> {
  using Result = R;
  using Args = void;
};
template <class R, class A>
struct Signature<corun::Coro<R> (*)(JobContext&, A)> {
  using Result = R;
  using Args = std::remove_cvref_t<A>;
};
template <class C, class R>
struct Signature<corun::Coro<R> (C::*)(JobContext&) const> : Signature<corun::Coro<R> (*)(JobContext&)> {};
template <class C, class R, class A>
struct Signature<corun::Coro<R> (C::*)(JobContext&, A) const> : Signature<corun::Coro<R> (*)(JobContext&, A)> {};

// The path that nlohmann's diagnostics put into a message, as a path from `args`: "(/size/0) type must ..." is args.size[0].
std::string path_of(const Json::exception& error);

// args as the kind wants them. Errors: whatever the conversion throws.
template <class Args>
Args convert_args(std::string_view text) {
  if constexpr (std::is_same_v<Args, JsonText>)
    return JsonText(std::string(text));
  else if constexpr (std::is_same_v<Args, std::string_view>)
    return text;
  else if constexpr (std::is_same_v<Args, Json>)
    return Json::parse(text);
  else if constexpr (requires { Args::from_text(text); })
    return Args::from_text(text);
  else
    return Json::parse(text).template get<Args>();
}

template <class Result>
JsonText convert_result(Result&& result) {
  if constexpr (std::is_same_v<std::remove_cvref_t<Result>, JsonText>)
    return std::forward<Result>(result);
  else
    return to_text(Json(std::forward<Result>(result)));
}

// The args that were checked last, as the kind wants them: a job that starts at once finds them here and they are not converted again.
// Threads: the loop's.
template <class Args>
class LastChecked {
 public:
  // In place of what was kept before; a long text's are not.
  void keep(std::string_view text, Args args) {
    if (text.size() > text_bytes_max) return;
    text_.assign(text);
    args_.emplace(std::move(args));
  }
  // Errors: whatever the conversion throws.
  Args take(std::string_view text) {
    if (!args_ || text != text_) return convert_args<Args>(text);
    Args taken = std::move(*args_);
    args_.reset();
    return taken;
  }

 private:
  static constexpr std::size_t text_bytes_max = 4096;  // so that a large one is not held for a job that waits
  std::string text_;
  std::optional<Args> args_;
};
template <>
class LastChecked<void> {};

// Whether args are converted to a type of the kind's own, which checks them.
template <class Args>
inline constexpr bool is_typed = !std::is_void_v<Args> && !std::is_same_v<Args, Json> && !std::is_same_v<Args, JsonText> &&
                                 !std::is_same_v<Args, std::string_view>;

// One more frame around the kind's own, for the conversions; a kind of text to text does without (see adapt()).
template <class F>
corun::Coro<JsonText> run_typed(const F& body, LastChecked<typename Signature<F>::Args>& checked, JobContext& job, std::string_view text) {
  using S = Signature<F>;
  if constexpr (std::is_void_v<typename S::Args>) {
    if constexpr (std::is_void_v<typename S::Result>) {
      co_await body(job);
      co_return JsonText();
    } else {
      auto result = co_await body(job);
      co_return convert_result(std::move(result));
    }
  } else {
    auto args = checked.take(text);
    if constexpr (std::is_void_v<typename S::Result>) {
      co_await body(job, std::move(args));
      co_return JsonText();
    } else {
      auto result = co_await body(job, std::move(args));
      co_return convert_result(std::move(result));
    }
  }
}

// The kind's function as the daemon calls it: text to text.
template <class F>
job::KindBody adapt(F body, std::shared_ptr<LastChecked<typename Signature<F>::Args>> checked) {
  using S = Signature<F>;
  if constexpr (std::is_same_v<typename S::Result, JsonText> && std::is_same_v<typename S::Args, std::string_view>)
    return job::KindBody(std::move(body));
  else
    return [body = std::move(body), checked = std::move(checked)](JobContext& job, std::string_view args) {
      return run_typed(body, *checked, job, args);
    };
}

// What refuses args before a job is accepted: gives the path of what is wrong. None for kinds that take any.
template <class Args>
job::ArgsCheck checker(std::shared_ptr<LastChecked<Args>> checked) {
  if constexpr (!is_typed<Args>)
    return {};
  else
    return [checked = std::move(checked)](std::string_view args) -> std::optional<std::string> {
      try {
        checked->keep(args, convert_args<Args>(args));
        return std::nullopt;
      } catch (const Json::exception& error) {
        return path_of(error);
      } catch (const ArgsError& error) {
        return error.path();
      } catch (const std::exception&) {
        return "args";  // a conversion of the kind's own that refuses
      }
    };
}

}  // namespace plugin

// Where a plugin, or the list of built-in kinds, puts its kinds.
class KindRegistry {
 public:
  explicit KindRegistry(job::Registry& registry, std::string origin = "built in", std::string build_id = {})
      : registry_(registry), origin_(std::move(origin)), build_id_(std::move(build_id)) {}

  // Errors: corun::ValueError where the name is taken or is none.
  template <class F>
  void add(std::string_view name, F body, KindOptions options = {}) {
    auto checked = std::make_shared<plugin::LastChecked<typename plugin::Signature<F>::Args>>();
    job::Kind kind = job::make_kind(name, plugin::adapt(std::move(body), checked), plugin::checker(checked), options);
    kind.origin = origin_;
    kind.build_id = build_id_;
    registry_.add(std::move(kind));
  }

  // A coroutine to run before the daemon is ready, resp. in its drain when no job runs any more. F() -> Coro<>.
  template <class F>
  void at_start(F hook) {
    registry_.at_start(std::move(hook));
  }
  template <class F>
  void at_stop(F hook) {
    registry_.at_stop(std::move(hook));
  }

 private:
  job::Registry& registry_;
  std::string origin_;
  std::string build_id_;
};

namespace plugin {

// Library-internal: what a plugin's entry tells the loader.
inline constexpr unsigned entry_version = 1;

// What two object files must share to call each other: told by each side from its own compilation, compared as text.
#define CORUND_STRINGIFY_2(x) #x
#define CORUND_STRINGIFY(x) CORUND_STRINGIFY_2(x)
#if defined(__clang__)
#define CORUND_ABI_COMPILER "clang coroutines"
#else
#define CORUND_ABI_COMPILER "gcc coroutines"
#endif
#if defined(__SANITIZE_ADDRESS__)
#define CORUND_ABI_SANITIZER "address"
#elif defined(__SANITIZE_THREAD__)
#define CORUND_ABI_SANITIZER "thread"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CORUND_ABI_SANITIZER "address"
#elif __has_feature(thread_sanitizer)
#define CORUND_ABI_SANITIZER "thread"
#endif
#endif
#ifndef CORUND_ABI_SANITIZER
#define CORUND_ABI_SANITIZER "none"
#endif
inline constexpr const char* abi_tag =
    CORUND_ABI_COMPILER ", cxx11 strings " CORUND_STRINGIFY(_GLIBCXX_USE_CXX11_ABI) ", sanitizer " CORUND_ABI_SANITIZER
                        ", json " CORUND_STRINGIFY(NLOHMANN_JSON_VERSION_MAJOR) "." CORUND_STRINGIFY(NLOHMANN_JSON_VERSION_MINOR)
                            ", libcorun.so.0";

// What the one entry of a plugin hands out. Plain data, so that it can be read before anything is trusted.
struct Entry {
  unsigned version;
  const char* abi;
  void (*add_kinds)(KindRegistry&);
};

}  // namespace plugin
}  // namespace corund

// Defines the plugin's one exported symbol; what follows is the body of a function that is given the registry.
#define CORUND_PLUGIN(registry)                                                                                 \
  static void corund_plugin_add_kinds(::corund::KindRegistry& registry);                                        \
  extern "C" __attribute__((visibility("default"))) const ::corund::plugin::Entry* corund_plugin_v1() {         \
    static const ::corund::plugin::Entry entry{::corund::plugin::entry_version, ::corund::plugin::abi_tag,      \
                                               corund_plugin_add_kinds};                                        \
    return &entry;                                                                                              \
  }                                                                                                             \
  static void corund_plugin_add_kinds([[maybe_unused]] ::corund::KindRegistry& registry)
