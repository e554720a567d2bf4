// SPDX-License-Identifier: MIT
#include "client/fake_daemon.hpp"

#include "daemon/wire/reply.hpp"
#include "daemon/wire/request.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace tests {

namespace wire = corund::wire;

std::optional<Call> Conversation::next() {
  while (true) {
    auto scan = scanner_.feed(buffer_);
    if (scan.status == wire::ScanStatus::bad) throw std::runtime_error("the client sent a bad frame");
    if (scan.status == wire::ScanStatus::frame) {
      auto request = wire::parse_request(scanner_.frame());
      Call call{std::string(request->method()), nlohmann::json::parse(request->parameters()), request->more()};
      buffer_.erase(0, scan.consumed);
      return call;
    }
    char piece[4096];
    ssize_t got = ::recv(fd_.get(), piece, sizeof piece, 0);
    if (got <= 0) return std::nullopt;
    buffer_.append(piece, static_cast<std::size_t>(got));
  }
}

void Conversation::bytes(std::string_view text) {
  while (!text.empty()) {
    ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Conversation::reply(const nlohmann::json& parameters, bool continues) {
  std::string out;
  wire::append_reply(out, parameters.dump(), wire::Terminator::nul, continues);
  bytes(out);
}

void Conversation::error(const std::string& name, const nlohmann::json& parameters) {
  std::string out;
  wire::append_error(out, name, parameters.dump(), wire::Terminator::nul);
  bytes(out);
}

void Conversation::event(const std::string& type, nlohmann::json more) {
  more["type"] = type;
  more["id"] = "J1";
  more["timestampUSec"] = 1'700'000'000'000'000;
  reply({{"event", more}}, true);
}

FakeDaemon::FakeDaemon(std::vector<Talk> talks) : talks_(std::move(talks)) {
  std::string pattern = "/tmp/corunctl-test-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  directory_ = pattern;
  path_ = directory_ + "/socket";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 || ::listen(listener_.get(), 16) < 0)
    throw std::runtime_error("listen");
  acceptor_ = std::thread([this] { accept_all(); });
}

void FakeDaemon::accept_all() {
  for (std::size_t number = 0;; ++number) {
    corun::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) return;  // shut down
    Talk& talk = talks_[std::min(number, talks_.size() - 1)];
    connections_.emplace_back([&talk, connection = std::move(fd)]() mutable {
      Conversation conversation(std::move(connection));
      talk(conversation);
    });
  }
}

FakeDaemon::Talk FakeDaemon::serving(std::function<void(Conversation&, const Call&)> answer) {
  return [answer = std::move(answer)](Conversation& conversation) {
    while (auto call = conversation.next()) answer(conversation, *call);
  };
}

FakeDaemon::~FakeDaemon() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  ::unlink(path_.c_str());
  ::rmdir(directory_.c_str());
}

}  // namespace tests
