// SPDX-License-Identifier: MIT
#include "daemon/serve/own_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "support/catch.hpp"

using corund::config::SocketConfig;
using corund::serve::OwnSocket;
using corund::serve::SocketInUse;

namespace {

struct Directory {
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "corund-socket-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()));
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

int connect_with(int fd, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

int connect_to(const std::string& path) {
  corun::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return connect_with(fd.get(), path);
}

}  // namespace

TEST_CASE("a socket is there with its mode, and gone with its owner") {
  Directory directory;
  const std::string path = directory.path / "deeper/still/socket";
  {
    SocketConfig settings;
    settings.mode = 0600;
    OwnSocket socket(path, settings);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    CHECK(connect_to(path) == 0);
  }
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_FALSE(std::filesystem::exists(path + ".lock"));
}

TEST_CASE("a second owner is refused with the pid of the first") {
  Directory directory;
  const std::string path = directory.path / "socket";
  OwnSocket first(path, {});
  try {
    OwnSocket second(path, {});
    FAIL("two at one path");
  } catch (const SocketInUse& error) {
    CHECK(std::string(error.what()).find("pid " + std::to_string(::getpid())) != std::string::npos);
  }
  CHECK(connect_to(path) == 0);
}

TEST_CASE("somebody who listens without our lock is not pushed aside either") {
  Directory directory;
  const std::string path = directory.path / "socket";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  corun::UniqueFd other(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(other.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(other.get(), 1) == 0);
  CHECK_THROWS_AS(OwnSocket(path, {}), SocketInUse);
  other.reset();  // stale from here on
  OwnSocket socket(path, {});
  CHECK(connect_to(path) == 0);
}

TEST_CASE("a file that is no socket stays, and a path that is too long is an error") {
  Directory directory;
  const std::string path = directory.path / "file";
  std::ofstream(path) << "precious";
  CHECK_THROWS_AS(OwnSocket(path, {}), std::system_error);
  CHECK(std::filesystem::file_size(path) == 8);
  CHECK_THROWS_AS(OwnSocket(directory.path / std::string(200, 'x'), {}), std::system_error);
}

TEST_CASE("a path that somebody else has taken over is not removed") {
  Directory directory;
  const std::string path = directory.path / "socket";
  {
    OwnSocket socket(path, {});
    std::filesystem::remove(path);
    std::ofstream(path) << "another";
  }
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("a socket that was kept is taken over by the next owner, and who connected in between is still there") {
  Directory directory;
  const std::string path = directory.path / "socket";
  corun::UniqueFd kept;
  {
    OwnSocket first(path, {});
    kept.reset(::fcntl(first.fd(), F_DUPFD_CLOEXEC, 3));
    first.stay_behind();
  }
  CHECK(std::filesystem::exists(path));
  CHECK_FALSE(std::filesystem::exists(path + ".lock"));
  corun::UniqueFd waiting(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(connect_with(waiting.get(), path) == 0);
  {
    OwnSocket second(path, {}, std::move(kept));
    CHECK(second.was_kept());
    CHECK(corun::UniqueFd(::accept4(second.fd(), nullptr, nullptr, SOCK_CLOEXEC)).get() >= 0);
    CHECK_THROWS_AS(OwnSocket(path, {}), SocketInUse);
  }
  CHECK_FALSE(std::filesystem::exists(path));  // it does not stay behind by itself
}

TEST_CASE("a kept socket whose path leads elsewhere, or nowhere, is given up for a new one") {
  Directory directory;
  const std::string path = directory.path / "socket";
  corun::UniqueFd kept;
  {
    OwnSocket first(path, {});
    kept.reset(::fcntl(first.fd(), F_DUPFD_CLOEXEC, 3));
  }
  OwnSocket second(path, {}, std::move(kept));
  CHECK_FALSE(second.was_kept());
  CHECK(connect_to(path) == 0);
}
