// SPDX-License-Identifier: MIT
// Floor 2. Asio as libcorun includes it. Its inline functions and static data keep default visibility, so that the library's copy and
// the program's are one: a post from a program's handler is seen as coming from inside the loop.
#pragma once

#pragma GCC visibility push(default)
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#pragma GCC visibility pop
