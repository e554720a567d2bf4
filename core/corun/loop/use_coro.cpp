// SPDX-License-Identifier: MIT
#include <corun/base/errors.hpp>
#include <corun/loop/loop_io.hpp>
#include <corun/loop/use_coro.hpp>

namespace corun::detail {

boost::asio::io_context& io_of(LoopCore& loop) noexcept { return loop.io->context; }

std::string operation_name(const std::type_info& initiation) {
  std::string name = demangle(initiation.name());
  // The last name outside of brackets: "boost::asio::basic_waitable_timer<...>::initiate_async_wait", "...::initiate_async_read<...>".
  int depth = 0;
  std::size_t begin = 0;
  std::size_t end = name.size();
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (c == '<' || c == '(' || c == '{') {
      if (depth++ == 0) end = i;
    } else if (c == '>' || c == ')' || c == '}') {
      --depth;
    } else if (depth == 0 && c == ':') {
      begin = i + 1;
      end = name.size();
    }
  }
  if (begin >= end) return {};  // a lambda
  constexpr std::string_view prefix = "initiate_";
  if (name.compare(begin, prefix.size(), prefix) == 0) begin += prefix.size();
  return name.substr(begin, end - begin);
}

bool OperationBase::cancel(const std::string& message) {
  if (cancel_sent_) return false;  // the operation has been told; this further request is the task's to remember
  cancel_sent_ = true;
  remember_cancel_message(*chain_, message);
  signal_.emit(boost::asio::cancellation_type::all);
  return true;
}

void OperationBase::resumed(bool succeeded, bool aborted) {
  if (state_ != State::complete) throw_cancelled(*chain_);  // refused before its start
  if (succeeded) {
    if (cancel_sent_) chain_->must_cancel = true;
    return;
  }
  if (cancel_sent_ && aborted) throw_cancelled(*chain_);
  if (cancel_sent_) chain_->must_cancel = true;  // it failed in its own way: its error first, the request at the next await
  if (aborted) deliver_cancel(*chain_);
}

}  // namespace corun::detail
