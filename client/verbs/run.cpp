// SPDX-License-Identifier: MIT
// A job attached to this terminal: what it writes is written here as it comes, a first Ctrl-C cancels it, a second one by force, and this process ends as
// the job does. Hanging up cancels it too, so nothing has to be done about our own death. Cancellations go over connections of their own: this one
// answers in order, and its next answer is the outcome.
#include "client/advice.hpp"
#include "client/interrupt.hpp"
#include "client/verbs/common.hpp"
#include "client/verbs/verbs.hpp"
#include "daemon/wire/errors.hpp"
#include "daemon/wire/writer.hpp"

#include <poll.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <list>

namespace corunctl::verbs {

namespace {

class AttachedJob {
 public:
  explicit AttachedJob(const Options& options) : options_(options), connection_(connect(options)) {}

  // The exit code.
  int follow();

 private:
  void call();
  bool is_refused_by_ending(const Answer& answer) const;
  void on_event(const Answer& answer);
  void on_output(const Json& event);
  void on_progress(const Json& event);
  void note(const std::string& text);
  void clear_progress();
  int on_outcome(const Answer& answer);
  void on_interrupt();
  void cancel();
  void read_cancellations();
  void wait_for_something();

  const Options& options_;
  Interrupts interrupts_;  // before the call: a Ctrl-C must not leave it half sent
  Connection connection_;
  std::list<Connection> cancellations_;
  std::string id_;
  int asked_ = 0;  // Ctrl-Cs so far
  int sent_ = 0;   // of those, passed on
  bool was_repeated_ = false;
  bool progress_shown_ = false;
};

void AttachedJob::call() { connection_.send(jobs_method("Run"), submission(options_), {.more = true}); }

// A daemon that ends takes no more jobs: the job goes to whoever listens after that, once.
bool AttachedJob::is_refused_by_ending(const Answer& answer) const {
  return id_.empty() && !was_repeated_ && answer.error == corund::wire::errors::Draining::name;
}

int AttachedJob::follow() {
  call();
  while (true) {
    for (Answer answer; connection_.take(answer);) {
      if (answer.continues) {
        on_event(answer);
      } else if (is_refused_by_ending(answer) && connection_.try_reconnect()) {
        was_repeated_ = true;
        call();
      } else {
        return on_outcome(answer);
      }
    }
    std::cout << std::flush;
    wait_for_something();
    if (asked_ > 2) return exit_code::cancelled;
  }
}

void AttachedJob::wait_for_something() {
  std::vector<pollfd> watched = {{connection_.fd(), POLLIN, 0}, {interrupts_.fd(), POLLIN, 0}};
  for (const Connection& each : cancellations_) watched.push_back({each.fd(), POLLIN, 0});
  if (::poll(watched.data(), watched.size(), -1) < 0) {
    if (errno == EINTR) return;
    throw Failure(std::string("poll: ") + std::strerror(errno));
  }
  if (watched[1].revents != 0) on_interrupt();
  else if (watched[0].revents == 0) read_cancellations();
  if (watched[0].revents != 0) connection_.fill();
}

// What came of a cancellation is seen by the job's outcome; here only that it was refused.
void AttachedJob::read_cancellations() {
  for (auto at = cancellations_.begin(); at != cancellations_.end();) {
    pollfd readable{at->fd(), POLLIN, 0};
    bool done = false;
    if (::poll(&readable, 1, 0) > 0) {
      Answer answer;
      try {
        at->fill();
        done = at->take(answer);
      } catch (const Failure& failure) {
        answer = {};
        done = true;
        note(std::string("cannot cancel: ") + failure.what());
      }
      if (done && !answer.error.empty()) note("cannot cancel: " + explain(answer));
    }
    at = done ? cancellations_.erase(at) : std::next(at);
  }
}

void AttachedJob::on_interrupt() {
  while (interrupts_.take() != 0) ++asked_;
  cancel();
}

void AttachedJob::cancel() {
  if (id_.empty() || sent_ >= std::min(asked_, 2)) return;  // without an id: once the first event has told it
  sent_ = std::min(asked_, 2);
  bool force = sent_ == 2;
  if (is_error_terminal()) note(force ? "ending job " + id_ + " by force" : "cancelling job " + id_ + "; once more to end it by force");
  std::string parameters;
  corund::wire::JsonWriter out(parameters);
  out.begin_object().key("id").string(id_).key("reason").string("interrupted at the terminal");
  if (force) out.key("force").boolean(true);
  out.end_object();
  cancellations_.push_back(connect(options_));
  cancellations_.back().send(jobs_method("Cancel"), parameters);
}

void AttachedJob::on_event(const Answer& answer) {
  Json parameters = Json::parse(answer.parameters);
  Json event = parameters.value("event", Json::object());
  if (id_.empty()) {
    id_ = event.value("id", std::string());
    cancel();
  }
  if (options_.json) {
    print_wire(answer.parameters);
    return;
  }
  std::string type = event.value("type", std::string());
  if (type == "output") on_output(event);
  else if (type == "progress") on_progress(event);
  else if (type == "log") note(safe_text(value_text(event.value("text", Json("")))));
  else if (type == "retry") note("job " + id_ + " failed and is tried again");
}

void AttachedJob::on_output(const Json& event) {
  clear_progress();
  std::string text = event.value("text", std::string());
  if (event.value("stream", std::string()) == "stderr") {
    std::cout << std::flush;
    std::cerr << text << std::endl;
  } else {
    std::cout << text << '\n';
  }
}

void AttachedJob::on_progress(const Json& event) {
  if (!is_error_terminal()) return;
  Json progress = event.value("progress", Json::object());
  Json fraction = progress.value("fraction", Json());
  std::string line = "\r\033[K";
  if (fraction.is_number()) line += std::to_string(std::lround(fraction.get<double>() * 100)) + "% ";
  std::cout << std::flush;
  std::cerr << line << safe_text(value_text(progress.value("text", Json("")))) << std::flush;
  progress_shown_ = true;
}

void AttachedJob::note(const std::string& text) {
  clear_progress();
  std::cout << std::flush;
  std::cerr << "corunctl: " << text << std::endl;
}

void AttachedJob::clear_progress() {
  if (progress_shown_) std::cerr << "\r\033[K" << std::flush;
  progress_shown_ = false;
}

int AttachedJob::on_outcome(const Answer& answer) {
  clear_progress();
  if (options_.json) print_wire(answer.error.empty() ? answer.parameters : wire_error(answer));
  if (!answer.error.empty()) {
    // A command that ended with a code has said why itself, and its code says the rest.
    Json parameters = Json::parse(answer.parameters);
    bool is_exit = answer.error == corund::wire::errors::JobFailed::name && parameters.value("type", std::string()) == "ExitStatus";
    if (!is_exit) note(explain(answer));
    return exit_code_of(answer);
  }
  if (!options_.json && options_.kind != "exec") {
    Json result = Json::parse(answer.parameters).value("result", Json::object());
    std::cout << result.dump(is_terminal() ? 2 : -1) << std::endl;
  }
  return exit_code::success;
}

}  // namespace

int run(const Options& options) { return AttachedJob(options).follow(); }

}  // namespace corunctl::verbs
