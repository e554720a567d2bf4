// SPDX-License-Identifier: MIT
#include <corun/loop/loop_io.hpp>
#include <corun/loop/use_coro.hpp>

namespace corun::detail {

boost::asio::io_context& io_of(LoopCore& loop) noexcept { return loop.io->context; }

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
