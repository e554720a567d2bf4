// SPDX-License-Identifier: MIT
// Jobs as rows of the store, and back: the translation and nothing else. What is written as JSON within a row is made and read here.
#pragma once

#include <string>
#include <string_view>

#include "daemon/job/job.hpp"
#include "daemon/store/rows.hpp"

namespace corund::run {

// The number of an attempt that says that the one that the submission begins with was never made.
inline constexpr int never_begun = 0;

// What few submissions say, as the column `options` has it; empty where there is nothing to say.
std::string options_text(const job::JobSpec& spec);
// The other way. Errors: nlohmann's, corun::ValueError; what this version does not know is passed over.
void read_options(std::string_view text, job::JobSpec& spec);

// build_id: of the plugin that ran; empty: none did.
std::string usage_text(const job::Usage& usage, std::string_view build_id = {});
// "file:line", as the log and the store have it; empty: a first step, or none.
std::string place_text(const std::source_location& place);
job::Usage read_usage(std::string_view text);
std::string names_text(const std::vector<std::string>& names);
std::vector<std::string> read_names(std::string_view text);

// What was asked for; the texts that the row views are kept in `options`.
store::JobRow job_row(const job::Job& job, const std::string& options);
// Fills a job that has its id already; its kind is the caller's business.
void read_job(const store::JobRow& row, job::Job& job);
// The attempt that has just ended; next_us: when the next one is due.
store::AttemptRow attempt_row(const job::Job& job, const std::string& usage, std::optional<std::int64_t> next_us);
job::Attempt read_attempt(const store::AttemptRow& row);
store::OutcomeRow outcome_row(const job::Job& job, std::int64_t ended_us, const std::string& leftovers);
void read_outcome(const store::OutcomeRow& row, job::Record& record);

}  // namespace corund::run
