// SPDX-License-Identifier: MIT
// A TCP echo server with a graceful Ctrl-C: connections in a task group, ordinary Asio sockets.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <corun/corun.hpp>
#include <iostream>

using boost::asio::ip::tcp;
using corun::use_coro;

corun::Coro<> session(tcp::socket socket) {
  char data[4096];
  try {
    for (;;) {
      std::size_t n = co_await socket.async_read_some(boost::asio::buffer(data), use_coro);
      co_await boost::asio::async_write(socket, boost::asio::buffer(data, n), use_coro);
    }
  } catch (const boost::system::system_error&) {
    // The peer is gone.
  }
}

corun::Coro<> serve(unsigned short port) {
  tcp::acceptor acceptor(corun::get_running_loop().io_context(), {boost::asio::ip::address_v4::loopback(), port});
  std::cout << "listening on " << acceptor.local_endpoint().port() << std::endl;
  co_await corun::task_group([&](corun::TaskGroup& group) -> corun::Coro<> {
    for (;;) group.create_task(session(co_await acceptor.async_accept(use_coro)));
  });
}

int main(int argc, char* argv[]) {
  return corun::run_main(serve(argc > 1 ? static_cast<unsigned short>(std::stoi(argv[1])) : 0));
}
