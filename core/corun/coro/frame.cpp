// SPDX-License-Identifier: MIT
#include <corun/base/errors.hpp>
#include <corun/coro/async_generator.hpp>
#include <corun/coro/frame.hpp>
#include <string_view>

namespace corun::detail {

void destroy_chain(Chain& chain) noexcept {
  while (FrameBase* frame = chain.top) {
    chain.top = frame->caller();
    if (frame->is_generator())
      static_cast<GeneratorFrame*>(frame)->abandon();  // its handle stands in a frame below, or nowhere any more
    else
      frame->handle().destroy();
  }
}

namespace {

// g++ 12 calls a coroutine's body "R f(f(int)::_Z1fi.Frame*)"; the frame's name carries the mangled function.
std::string_view mangled_inside(std::string_view text) {
  auto end = text.find(".Frame*");
  if (end == std::string_view::npos) return {};
  auto begin = text.rfind("_Z", end);
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, end - begin);
}

}  // namespace

std::string function_name(const std::source_location& where) {
  std::string full = where.function_name();
  if (auto mangled = mangled_inside(full); !mangled.empty()) full = demangle(std::string(mangled).c_str());
  // Strip the return type, template arguments and parameters: keep the last name at depth zero before the parameter list.
  int depth = 0;
  std::size_t begin = 0;
  std::size_t end = full.size();
  for (std::size_t i = 0; i < full.size(); ++i) {
    char c = full[i];
    if (c == '<' && !(i >= 8 && full.compare(i - 8, 8, "operator") == 0)) ++depth;
    else if (c == '>' && depth > 0) --depth;
    else if (c == '{' || c == '[') ++depth;
    else if ((c == '}' || c == ']') && depth > 0) --depth;
    else if (depth == 0 && c == ' ') begin = i + 1;
    else if (depth == 0 && c == ':' && i + 1 < full.size() && full[i + 1] == ':') begin = i + 2;
    else if (depth == 0 && c == '(') {
      auto close = full.find(')', i);
      if (full.compare(i, 21, "(anonymous namespace)") == 0 || (i + 1 < full.size() && close != std::string::npos && close + 1 < full.size() &&
                                                                full[close + 1] == ':')) {
        i = close;  // a scope, not the parameters: "(anonymous namespace)::f", "g(int)::<lambda()>"
        continue;
      }
      end = i;
      break;
    }
  }
  std::string name = full.substr(begin, end - begin);
  if (name.empty()) return full;
  if (name.starts_with("<lambda") || name.starts_with("{lambda")) return "<lambda>";
  return name;
}

}  // namespace corun::detail
