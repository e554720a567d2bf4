// SPDX-License-Identifier: MIT
// What needs no journald; with one, tests/integration/test_daemon_logs.cpp and the container read real entries.
#include "daemon/sd/journal_reader.hpp"

#include <filesystem>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using corund::sd::JournalQuery;
using corund::sd::JournalReader;

namespace {

// A directory without journal files.
struct Empty {
  std::string path = (std::filesystem::temp_directory_path() / "corund-journal-XXXXXX").string();
  Empty() { REQUIRE(::mkdtemp(path.data())); }
  ~Empty() { std::filesystem::remove_all(path); }
  JournalQuery query() const {
    JournalQuery query;
    query.job_id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    query.follow = true;
    query.lag = 1h;
    query.directory = path;
    return query;
  }
};

std::size_t threads() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) ++count;
  return count;
}

}  // namespace

TEST_CASE("a journal that has nothing of the daemon at all is not waited for") {
  Empty journal;
  corun::run([](JournalQuery query) -> corun::Coro<> {
    JournalReader reader(corun::get_running_loop(), std::move(query));
    auto entries = co_await reader.next();
    CHECK(entries.empty());
    CHECK_FALSE(reader.has_found());
    CHECK(reader.failure() == "");
    entries = co_await reader.next();
    CHECK(entries.empty());
    co_await reader.close();
    co_await reader.close();
  }(journal.query()));
}

TEST_CASE("a journal that cannot be opened is told as that") {
  JournalQuery query = Empty().query();  // which is gone
  corun::run([](JournalQuery asked) -> corun::Coro<> {
    JournalReader reader(corun::get_running_loop(), std::move(asked));
    auto entries = co_await reader.next();
    CHECK(entries.empty());
    CHECK_FALSE(reader.has_found());
    CHECK(reader.failure().find("No such file") != std::string::npos);
  }(std::move(query)));
}

TEST_CASE("a reader that is dropped or whose wait is cancelled leaves no thread") {
  Empty journal;
  const std::size_t before = threads();
  corun::run([](JournalQuery query) -> corun::Coro<> {
    { JournalReader dropped(corun::get_running_loop(), query); }
    corun::Task<> reading = corun::create_task([query]() -> corun::Coro<> {
      JournalReader reader(corun::get_running_loop(), query);
      (void)co_await reader.next();
      co_await corun::Future<>();
    });
    co_await corun::sleep(0s);
    reading.cancel();
    std::vector<corun::Task<>> tasks(1, reading);
    (void)co_await corun::wait(std::move(tasks));
    CHECK(reading.cancelled());
  }(journal.query()));
  CHECK(threads() == before);
}
