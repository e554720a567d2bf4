// SPDX-License-Identifier: MIT
#include "integration/socket_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "support/catch.hpp"

namespace tests {

SocketClient::SocketClient(const std::string& path, char terminator) : terminator_(terminator) {
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  INFO("connect to " << path);
  REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
}

SocketClient::SocketClient(SocketClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      terminator_(other.terminator_),
      received_(std::move(other.received_)),
      asked_(std::move(other.asked_)),
      is_followed_(other.is_followed_.load()) {}

bool SocketClient::send(const std::string& bytes) {
  is_followed_ = false;
  return send_all(bytes);
}

bool SocketClient::send_all(const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n < 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

std::size_t SocketClient::try_send(const std::string& bytes) {
  is_followed_ = false;
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0) break;
    sent += static_cast<std::size_t>(n);
  }
  return sent;
}

void SocketClient::half_close() { ::shutdown(fd_, SHUT_WR); }
void SocketClient::hang_up() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::optional<std::string> SocketClient::frame() {
  for (;;) {
    auto end = received_.find(terminator_);
    if (end != std::string::npos) {
      std::string text = received_.substr(0, end);
      received_.erase(0, end + 1);
      return text;
    }
    pollfd event{fd_, POLLIN, 0};
    REQUIRE(::poll(&event, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) == 1);
    char buffer[65536];
    ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) return std::nullopt;
    received_.append(buffer, static_cast<std::size_t>(n));
  }
}

Json SocketClient::reply() {
  auto text = frame();
  REQUIRE(text.has_value());
  Json reply = Json::parse(*text);
  compare(reply);
  return reply;
}

void SocketClient::compare(const Json& reply) {
  std::string wrong;
  if (is_followed_ && !asked_.empty()) {
    const Asked asked = asked_.front();
    if (!reply.value("continues", false)) asked_.pop_front();
    wrong = descriptions().misfit(reply, asked.method, asked.more);
    if (!wrong.empty()) wrong = asked.method + ": " + wrong;
  } else {
    wrong = descriptions().misfit(reply);
  }
  if (!wrong.empty()) FAIL("a reply that does not fit its description: " << wrong << "\n" << reply.dump(2));
}

const VarlinkInterfaces& descriptions() {
  static const VarlinkInterfaces read = [] {
    VarlinkInterfaces all;
    for (const auto& file : std::filesystem::directory_iterator(VARLINK_FILES))
      if (file.path().extension() == ".varlink") all.add(read_file(file.path()));
    return all;
  }();
  return read;
}

std::string call_text(const std::string& method, const Json& parameters, char terminator, Json flags) {
  flags["method"] = method;
  flags["parameters"] = parameters;
  return flags.dump() + terminator;
}

std::string error_of(const Json& reply) {
  if (!reply.contains("error")) return "";
  std::string name = reply["error"];
  return name.substr(name.rfind('.') + 1);
}

void SocketClient::call(const std::string& method, const Json& parameters, const Json& flags) {
  if (!flags.value("oneway", false)) asked_.push_back({method, flags.value("more", false)});
  REQUIRE(send_all(call_text(method, parameters, terminator_, flags)));
}
Json SocketClient::ask(const std::string& method, const Json& parameters) {
  call(method, parameters);
  return reply();
}
std::vector<Json> SocketClient::ask_more(const std::string& method, const Json& parameters) {
  call(method, parameters, {{"more", true}});
  std::vector<Json> replies;
  do replies.push_back(reply());
  while (replies.back().value("continues", false));
  return replies;
}

Json SocketClient::run(const std::string& kind, const Json& args, Json options) {
  options["kind"] = kind;
  options["args"] = args;
  return ask("io.corund.Jobs.Run", options);
}
std::string SocketClient::submit(const std::string& kind, const Json& args, Json options) {
  options["kind"] = kind;
  options["args"] = args;
  Json answer = ask("io.corund.Jobs.Submit", options);
  INFO(answer.dump());
  REQUIRE(error_of(answer) == "");
  REQUIRE(answer["parameters"]["ack"] == options.value("ack", "disk"));
  return answer["parameters"]["id"];
}
Json SocketClient::wait(const std::string& id) {
  Json answer = ask("io.corund.Jobs.Wait", {{"id", id}});
  REQUIRE(error_of(answer) == "");
  return answer["parameters"]["job"];
}
Json SocketClient::show(const std::string& id) {
  Json answer = ask("io.corund.Jobs.Show", {{"id", id}});
  REQUIRE(error_of(answer) == "");
  return answer["parameters"]["job"];
}

}  // namespace tests
