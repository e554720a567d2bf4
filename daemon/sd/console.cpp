// SPDX-License-Identifier: MIT
#include "daemon/sd/console.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "daemon/sd/journal.hpp"
#include "daemon/sd/text.hpp"

namespace corund::sd {
namespace {

// A line of output is as long as the configuration allows; a terminal's reader is served by less.
constexpr std::size_t line_bytes_max = 8192;

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::notice:
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::debug: return spdlog::level::debug;
  }
  return spdlog::level::info;
}

class Console final : public LogBackend {
 public:
  // The sink without a lock: the log has one thread. It looks for a terminal by itself.
  Console() : logger_("corund", std::make_shared<spdlog::sinks::stderr_color_sink_st>()) {
    logger_.set_level(spdlog::level::trace);
    logger_.set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v");
    logger_.set_error_handler([](const std::string&) {});  // stderr is gone: nobody to tell
  }

  void write(const LogRecord& record) noexcept override {
    try {
      logger_.log(record.time, spdlog::source_loc{}, level_of(record.level), console_text(record));
      logger_.flush();
    } catch (...) {
      // Out of memory for one line: the line is lost, the log goes on.
    }
  }

 private:
  spdlog::logger logger_;
};

}  // namespace

std::string console_text(const LogRecord& record) {
  std::string text = one_line(record.message(), line_bytes_max);
  std::string about;
  for (const char* name : {"CORUND_JOB_ID", "CORUND_KIND", "CORUND_STREAM"})
    if (auto value = record.find(name); !value.empty()) about += (about.empty() ? "" : " ") + one_line(value, 128);
  return about.empty() ? text : text + " [" + about + "]";
}

std::unique_ptr<LogBackend> console_backend() { return std::make_unique<Console>(); }

bool goes_to_journal(LogTarget target) {
  return target == LogTarget::journal || (target == LogTarget::automatic && stderr_is_journal());
}

std::unique_ptr<LogBackend> make_backend(LogTarget target) {
  if (target == LogTarget::null) return nullptr;
  return goes_to_journal(target) ? journal_backend("corund") : console_backend();
}

}  // namespace corund::sd
