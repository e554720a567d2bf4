// SPDX-License-Identifier: MIT
#include "client/advice.hpp"

#include "daemon/wire/errors.hpp"
#include "daemon/wire/writer.hpp"

#include <nlohmann/json.hpp>

#include <csignal>
#include <cstring>
#include <functional>

namespace corunctl {

namespace errors = corund::wire::errors;
using Json = nlohmann::json;

namespace {

std::string text_of(const Json& parameters, const char* name) {
  auto found = parameters.find(name);
  if (found == parameters.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

struct Advice {
  std::string_view error;
  int code;
  std::function<std::string(const Json&)> words;
};

std::string quoted(const Json& parameters, const char* name) { return "'" + text_of(parameters, name) + "'"; }

std::string job(const Json& parameters) {
  std::string id = text_of(parameters, "id");
  return id.empty() ? "the job" : "job " + id;
}

std::string with_reason(std::string words, const std::string& reason) {
  return reason.empty() ? words : words + ": " + reason;
}

const Advice* find(std::string_view name) {
  using exit_code::refused;
  static const Advice all[] = {
      {errors::JobFailed::name, exit_code::failed,
       [](const Json& p) {
         std::string message = text_of(p, "message");
         std::string words = job(p) + " failed: " + text_of(p, "type") + ": " + message;
         if (message.find("changing to the directory") != message.npos)
           words += "\nThe daemon's user cannot enter it: say where to run instead, for example with -C /";
         return words + "\nIts record: corunctl show " + text_of(p, "id");
       }},
      {errors::JobCancelled::name, exit_code::cancelled,
       [](const Json& p) { return with_reason(job(p) + " was cancelled", text_of(p, "reason")); }},
      {errors::JobTimedOut::name, exit_code::timed_out,
       [](const Json& p) { return job(p) + " ran longer than its " + text_of(p, "timeout") + " seconds and was cancelled"; }},
      {errors::JobLost::name, exit_code::failed,
       [](const Json& p) { return job(p) + " was lost: the daemon died while it ran. Try again with: corunctl retry " + text_of(p, "id"); }},
      {errors::DependencyFailed::name, exit_code::failed,
       [](const Json& p) { return job(p) + " did not run: job " + text_of(p, "dependency") + ", which it waited for, did not succeed"; }},
      {errors::WaitTimedOut::name, exit_code::timed_out,
       [](const Json& p) { return job(p) + " has not ended yet; it goes on. Look at it with: corunctl show " + text_of(p, "id"); }},
      {errors::KindNotFound::name, refused,
       [](const Json& p) { return "there is no kind " + quoted(p, "kind") + ". 'corunctl kinds' shows those that there are."; }},
      {errors::JobNotFound::name, refused,
       [](const Json& p) {
         return "there is no job " + quoted(p, "id") + ", or it is not yours. 'corunctl list' shows those kept; ended ones are dropped after a while.";
       }},
      {errors::ContextNotFound::name, refused,
       [](const Json& p) { return "there is no context " + quoted(p, "name") + ". 'corunctl contexts' shows those that there are."; }},
      {errors::GroupNotFound::name, refused,
       [](const Json& p) { return "there is no group " + quoted(p, "name") + ". 'corunctl status' shows those that there are."; }},
      {errors::NotEnded::name, refused,
       [](const Json& p) { return job(p) + " has not ended. Wait for it (corunctl wait) or end it (corunctl cancel) first."; }},
      {errors::QueueFull::name, refused,
       [](const Json& p) {
         return "the queue is full (" + text_of(p, "limit") + " jobs). Try again in " + text_of(p, "retryAfter") + " seconds.";
       }},
      {errors::LimitReached::name, refused,
       [](const Json& p) {
         return "the limit " + quoted(p, "limit") + " (" + text_of(p, "value") + ") is reached. The keys of corund.toml among these are its administrator's to set.";
       }},
      {errors::StoreFull::name, refused,
       [](const Json& p) {
         return with_reason("the daemon's disk is full, so it cannot promise to keep a job", text_of(p, "message")) +
                ". Make room, or submit with --ack memory.";
       }},
      {errors::Draining::name, refused,
       [](const Json&) { return std::string("the daemon is stopping and takes nothing new. Try again when it is back."); }},
      {errors::BadFrame::name, refused,
       [](const Json& p) {
         return "the daemon could not read the call: " + text_of(p, "reason") + " (byte " + text_of(p, "offset") + ")";
       }},
      {errors::BadConfiguration::name, refused,
       [](const Json& p) {
         std::string words = "the configuration is wrong, and none of it was taken:";
         for (const Json& fault : p.value("faults", Json::array()))
           words += "\n  " + text_of(fault, "file") + ":" + text_of(fault, "line") + ": " + text_of(fault, "key") + ": " + text_of(fault, "reason");
         return words;
       }},
      {errors::InvalidParameter::name, refused,
       [](const Json& p) {
         return quoted(p, "parameter") + " is missing, unknown, or not what it should be. 'corunctl kinds KIND' shows what a kind takes, "
                "'man corunctl' the options.";
       }},
      {errors::MethodNotImplemented::name, refused,
       [](const Json& p) { return "this daemon cannot do " + text_of(p, "method") + " (yet). 'corunctl status' says its version."; }},
      {errors::MethodNotFound::name, refused,
       [](const Json& p) { return "this daemon has no method " + text_of(p, "method") + ". 'corunctl status' says its version."; }},
      {errors::InterfaceNotFound::name, refused,
       [](const Json& p) { return "what listens there has no interface " + text_of(p, "interface") + ": is it corund?"; }},
      {errors::PermissionDenied::name, refused,
       [](const Json&) { return std::string("you may not do this. The table [access] of the daemon's corund.toml says who may see all jobs (view), run some (submit, kinds), "
                                               "and everything (admin); root and another administrator can change it, and reload."); }},
      {errors::InconsistentEnvironment::name, refused,
       [](const Json&) { return std::string("the daemon's environment holds bytes that are no text, and cannot be told."); }},
      {errors::ExpectedMore::name, refused,
       [](const Json&) { return std::string("this method answers more than once: add --more."); }},
  };
  for (const Advice& advice : all)
    if (advice.error == name) return &advice;
  return nullptr;
}

// Of "SIGKILL", "signal 40" or 9; 0 of anything else.
int signal_number(const Json& signal) {
  if (signal.is_number_integer()) return signal.get<int>();
  if (!signal.is_string()) return 0;
  auto name = signal.get<std::string>();
  for (int number = 1; number < NSIG; ++number) {
    const char* abbreviation = ::sigabbrev_np(number);
    if (name == (abbreviation ? "SIG" + std::string(abbreviation) : "signal " + std::to_string(number))) return number;
  }
  return 0;
}

// A command's own exit code or signal in its result, or what else would be said.
int exit_code_of_result(const Json& result, int otherwise) {
  if (!result.is_object()) return otherwise;
  if (auto code = result.find("exitCode"); code != result.end() && code->is_number_integer()) return code->get<int>();
  if (int signal = signal_number(result.value("signal", Json())); signal != 0) return exit_code::signalled + signal;
  return otherwise;
}

}  // namespace

std::string explain(const Answer& answer) {
  Json parameters = Json::parse(answer.parameters, nullptr, false);
  if (const Advice* advice = find(answer.error)) return advice->words(parameters);
  return "the daemon answered " + answer.error + " " + answer.parameters;
}

int exit_code_of(const Answer& answer) {
  if (answer.error.empty()) return exit_code::success;
  const Advice* advice = find(answer.error);
  if (advice == nullptr) return exit_code::refused;
  if (answer.error != errors::JobFailed::name) return advice->code;
  Json parameters = Json::parse(answer.parameters, nullptr, false);
  return exit_code_of_result(parameters.value("result", Json()), advice->code);
}

int exit_code_of_job(std::string_view text) {
  Json record = Json::parse(text, nullptr, false);
  std::string state = text_of(record, "state");
  if (state == "succeeded") return exit_code::success;
  if (state == "timedOut") return exit_code::timed_out;
  if (state == "cancelled") return exit_code::cancelled;
  return exit_code_of_result(record.value("result", Json()), exit_code::failed);
}

void require_success(const Answer& answer) {
  if (!answer.error.empty()) throw Refusal(answer);
}

std::string wire_error(const Answer& answer) {
  std::string object;
  corund::wire::JsonWriter(object).begin_object().key("error").string(answer.error).key("parameters").raw(answer.parameters).end_object();
  return object;
}

}  // namespace corunctl
