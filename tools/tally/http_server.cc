// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/http_server.h"

#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <semaphore>
#include <thread>
#include <utility>

namespace tally::tool {
namespace {

using Clock = std::chrono::steady_clock;

// Two Prometheus servers and a curious person at once.
constexpr size_t kThreads = 4;
// Connections at work or waiting for a thread; more wait in the kernel. Four rounds of kReadTime
// are less than the ten seconds that Prometheus waits.
constexpr ptrdiff_t kConnectionsMax = 16;
constexpr auto kReadTime = std::chrono::seconds(2);
constexpr auto kWriteTime = std::chrono::seconds(10);
constexpr size_t kRequestBytesMax = 8192;  // Prometheus' have some 300

// A connection for one request and its answer.
class BoundedStream : public httplib::Stream {
 public:
  explicit BoundedStream(int socket) : socket_(socket), read_until_(Clock::now() + kReadTime) {}

  bool is_readable() const override { return Wait(POLLIN, read_until_); }
  bool is_writable() const override {
    return Wait(POLLOUT, write_until_.value_or(Clock::now() + kWriteTime));
  }
  ssize_t read(char* to, size_t bytes) override {
    if (taken_ == filled_ && !Fill()) {
      return -1;
    }
    const size_t count = std::min(bytes, filled_ - taken_);
    std::copy_n(request_.begin() + static_cast<ptrdiff_t>(taken_), count, to);
    taken_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, size_t bytes) override {
    write_until_ = write_until_.value_or(Clock::now() + kWriteTime);
    return Wait(POLLOUT, *write_until_) ? send(socket_, from, bytes, MSG_DONTWAIT | MSG_NOSIGNAL)
                                        : -1;
  }
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  socket_t socket() const override { return socket_; }

 private:
  bool Wait(short events, Clock::time_point until) const {
    pollfd polled{socket_, events, 0};
    for (;;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
      const int count = left <= 0 ? 0 : poll(&polled, 1, static_cast<int>(left));
      if (count >= 0 || errno != EINTR) {
        return count > 0;
      }
    }
  }
  bool Fill() {
    if (filled_ == request_.size() || !Wait(POLLIN, read_until_)) {
      return false;
    }
    const ssize_t got =
        recv(socket_, request_.data() + filled_, request_.size() - filled_, MSG_DONTWAIT);
    filled_ += got > 0 ? static_cast<size_t>(got) : 0;
    return got > 0;
  }

  int socket_;
  Clock::time_point read_until_;
  std::optional<Clock::time_point> write_until_;
  std::array<char, kRequestBytesMax> request_;
  size_t taken_ = 0;
  size_t filled_ = 0;
};

// Accepting waits while kConnectionsMax connections are open.
class BoundedPool : public httplib::ThreadPool {
 public:
  BoundedPool() : ThreadPool(kThreads) {}

  void enqueue(std::function<void()> serve) override {
    room_.acquire();
    ThreadPool::enqueue([this, serve = std::move(serve)] {
      serve();
      room_.release();
    });
  }

 private:
  std::counting_semaphore<> room_{kConnectionsMax};
};

}  // namespace

class HttpServer::Server : public httplib::Server {
 public:
  explicit Server(HttpServer::Handler handler) : handler_(std::move(handler)) {
    new_task_queue = [] { return new BoundedPool; };
    // The library's default lets a second server have the port, too.
    set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      Answer(request, response);
      return HandlerResponse::Handled;
    });
  }

 private:
  bool process_and_close_socket(socket_t socket) override {
    BoundedStream stream(socket);
    bool is_closed = false;
    const bool is_good = process_request(stream, true, is_closed, [](httplib::Request& request) {
      request.ranges.clear();  // a page is there as a whole; many ranges would multiply it
    });
    shutdown(socket, SHUT_RDWR);
    close(socket);
    return is_good;
  }

  void Answer(const httplib::Request& request, httplib::Response& response) const {
    if (request.method != "GET" && request.method != "HEAD") {
      response.status = 405;
      response.set_header("Allow", "GET, HEAD");
      response.set_content("GET and HEAD alone\n", "text/plain");
      return;
    }
    const HttpAnswer answer = handler_(request.path, request.get_header_value("Accept"));
    response.status = answer.status;
    response.set_content(answer.body, answer.type);
  }

  HttpServer::Handler handler_;
};

HttpServer::HttpServer(Handler handler) : server_(std::make_unique<Server>(std::move(handler))) {}
HttpServer::~HttpServer() = default;

int HttpServer::Bind(const std::string& host, int port) {
  errno = 0;
  if (port == 0) {
    return server_->bind_to_any_port(host);
  }
  return server_->bind_to_port(host, port) ? port : -1;
}

bool HttpServer::Serve() {
  server_->listen_after_bind();
  has_ended_ = true;
  return is_stopped_;
}

void HttpServer::Stop() {
  is_stopped_ = true;
  while (!has_ended_ && !server_->is_running()) {  // it would not notice
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  server_->stop();
}

}  // namespace tally::tool
