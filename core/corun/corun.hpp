// SPDX-License-Identifier: MIT
// All of libcorun. Each header it names also stands alone.
#pragma once

#include <corun/base/errors.hpp>
#include <corun/base/result.hpp>
#include <corun/coro/async_generator.hpp>
#include <corun/coro/coro.hpp>
#include <corun/coro/with_cleanup.hpp>
#include <corun/loop/loop.hpp>
#include <corun/loop/use_coro.hpp>
#include <corun/process/process.hpp>
#include <corun/runner.hpp>
#include <corun/sync/barrier.hpp>
#include <corun/sync/condition.hpp>
#include <corun/sync/event.hpp>
#include <corun/sync/lock.hpp>
#include <corun/sync/queue.hpp>
#include <corun/sync/semaphore.hpp>
#include <corun/task/as_completed.hpp>
#include <corun/task/call_graph.hpp>
#include <corun/task/co_spawn.hpp>
#include <corun/task/context.hpp>
#include <corun/task/future.hpp>
#include <corun/task/gather.hpp>
#include <corun/task/outcome.hpp>
#include <corun/task/run_until_complete.hpp>
#include <corun/task/shield.hpp>
#include <corun/task/sleep.hpp>
#include <corun/task/task.hpp>
#include <corun/task/task_group.hpp>
#include <corun/task/task_scope.hpp>
#include <corun/task/timeout.hpp>
#include <corun/task/wait.hpp>
#include <corun/thread/run_coroutine_threadsafe.hpp>
#include <corun/thread/to_thread.hpp>
