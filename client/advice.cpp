// SPDX-License-Identifier: MIT
#include "client/advice.hpp"

#include "client/invalid_parameter.hpp"
#include "daemon/wire/errors.hpp"
#include "daemon/wire/interfaces.hpp"
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
  std::function<std::string(const Json&, std::string_view method)> words;
};

std::string quoted(const Json& parameters, const char* name) { return "'" + text_of(parameters, name) + "'"; }

std::string job(const Json& parameters) {
  std::string id = text_of(parameters, "id");
  return id.empty() ? "the job" : "job " + id;
}

std::string with_reason(std::string words, const std::string& reason) {
  return reason.empty() ? words : words + ": " + reason;
}

std::string daemon_method(std::string_view name) { return std::string(corund::wire::daemon_interface) + "." + std::string(name); }

// Of a method that is not known too: submitting is what is asked for most.
bool is_submission(std::string_view method) {
  for (std::string_view name : {".Run", ".Submit", ".SubmitMany", ".Retry"})
    if (method.ends_with(name)) return true;
  return method.empty();
}

const Advice* find(std::string_view name) {
  using exit_code::refused;
  static const Advice all[] = {
      {errors::JobFailed::name, exit_code::failed,
       [](const Json& p, std::string_view) {
         std::string message = text_of(p, "message");
         std::string words = job(p) + " failed: " + text_of(p, "type") + ": " + message;
         if (message.find("changing to the directory") != message.npos)
           words += "\nThe daemon's user cannot enter it: say where to run instead, for example with -C /";
         return words + "\nIts record: corunctl show " + text_of(p, "id");
       }},
      {errors::JobCancelled::name, exit_code::cancelled,
       [](const Json& p, std::string_view) { return with_reason(job(p) + " was cancelled", text_of(p, "reason")); }},
      {errors::JobTimedOut::name, exit_code::timed_out,
       [](const Json& p, std::string_view) { return job(p) + " ran longer than its " + text_of(p, "timeout") + " seconds and was cancelled"; }},
      {errors::JobLost::name, exit_code::failed,
       [](const Json& p, std::string_view) { return job(p) + " was lost: the daemon died while it ran. Try again with: corunctl retry " + text_of(p, "id"); }},
      {errors::DependencyFailed::name, exit_code::failed,
       [](const Json& p, std::string_view) { return job(p) + " did not run: job " + text_of(p, "dependency") + ", which it waited for, did not succeed"; }},
      {errors::WaitTimedOut::name, exit_code::timed_out,
       [](const Json& p, std::string_view) { return job(p) + " has not ended yet; it goes on. Look at it with: corunctl show " + text_of(p, "id"); }},
      {errors::KindNotFound::name, refused,
       [](const Json& p, std::string_view) { return "there is no kind " + quoted(p, "kind") + ". 'corunctl kinds' shows those that there are."; }},
      {errors::JobNotFound::name, refused,
       [](const Json& p, std::string_view) {
         return "there is no job " + quoted(p, "id") + ", or it is not yours. 'corunctl list' shows those kept; ended ones are dropped after a while.";
       }},
      {errors::ContextNotFound::name, refused,
       [](const Json& p, std::string_view) { return "there is no context " + quoted(p, "name") + ". 'corunctl contexts' shows those that there are."; }},
      {errors::GroupNotFound::name, refused,
       [](const Json& p, std::string_view) { return "there is no group " + quoted(p, "name") + ". 'corunctl status' shows those that there are."; }},
      {errors::NotEnded::name, refused,
       [](const Json& p, std::string_view) { return job(p) + " has not ended. Wait for it (corunctl wait) or end it (corunctl cancel) first."; }},
      {errors::QueueFull::name, refused,
       [](const Json& p, std::string_view) {
         return "the queue is full (" + text_of(p, "limit") + " jobs). Try again in " + text_of(p, "retryAfter") + " seconds.";
       }},
      {errors::LimitReached::name, refused,
       [](const Json& p, std::string_view) {
         return "the limit " + quoted(p, "limit") + " (" + text_of(p, "value") + ") is reached: a key of corund.toml, see 'man corund.toml'.";
       }},
      {errors::StoreFull::name, refused,
       [](const Json& p, std::string_view method) {
         const std::string words = with_reason("the daemon's disk does not take it", text_of(p, "message")) +
                                   ". Where the disk is full, make room; what else it may be, 'journalctl -u corund' says.";
         return is_submission(method) ? words + " Or submit with --ack memory, which survives no restart." : words;
       }},
      {errors::Draining::name, refused,
       [](const Json&, std::string_view method) {
         if (method == daemon_method("Resume"))
           return std::string("the daemon was drained or is stopping, and starts nothing more: only a restart ends that (systemctl restart corund).");
         if (!is_submission(method)) return std::string("the daemon is stopping, or was drained: what is asked for is its successor's. Ask that one again.");
         return std::string("the daemon is stopping, or was drained (corunctl drain), and takes nothing new. Try again when it is back; after a drain "
                            "somebody has to restart it (systemctl restart corund).");
       }},
      {errors::BadFrame::name, refused,
       [](const Json& p, std::string_view) {
         return "the daemon could not read the call: " + text_of(p, "reason") + " (byte " + text_of(p, "offset") + ")";
       }},
      {errors::BadConfiguration::name, refused,
       [](const Json& p, std::string_view) {
         std::string words = "the configuration is wrong, and none of it was taken:";
         for (const Json& fault : p.value("faults", Json::array()))
           words += "\n  " + text_of(fault, "file") + ":" + text_of(fault, "line") + ": " + text_of(fault, "key") + ": " + text_of(fault, "reason");
         return words;
       }},
      {errors::InvalidParameter::name, refused,
       [](const Json& p, std::string_view method) { return explain_invalid(method, text_of(p, "parameter")); }},
      {errors::MethodNotImplemented::name, refused,
       [](const Json& p, std::string_view) { return "this daemon cannot do " + text_of(p, "method") + " (yet). 'corunctl status' says its version."; }},
      {errors::MethodNotFound::name, refused,
       [](const Json& p, std::string_view) { return "this daemon has no method " + text_of(p, "method") + ". 'corunctl status' says its version."; }},
      {errors::InterfaceNotFound::name, refused,
       [](const Json& p, std::string_view) { return "what listens there has no interface " + text_of(p, "interface") + ": is it corund?"; }},
      {errors::PermissionDenied::name, refused,
       [](const Json&, std::string_view) { return std::string("you may not do this. The table [access] of the daemon's corund.toml says who may see all jobs (view), run some (submit, kinds), "
                                               "and everything (admin); root and another administrator can change it, and reload."); }},
      {errors::InconsistentEnvironment::name, refused,
       [](const Json&, std::string_view) { return std::string("the daemon's environment holds bytes that are no text, and cannot be told."); }},
      {errors::ExpectedMore::name, refused,
       [](const Json&, std::string_view) { return std::string("this method answers more than once: add --more."); }},
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
  if (const Advice* advice = find(answer.error)) return advice->words(parameters, answer.method);
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
  if (state == "cancelled") return text_of(record, "errorType") == "DependencyFailed" ? exit_code::failed : exit_code::cancelled;
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
