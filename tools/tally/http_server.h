// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A small HTTP server on cpp-httplib that a stranger cannot wear out: few threads, a bounded number
// of connections, and for each one request of a few KiB and a deadline for the whole of it. The
// library's own timeouts begin anew with every byte, and its lines have no bounds.
//
// Called by command_exporter.
//
// Threads: the handler is called by several at once. Stop by any, once.

#ifndef TOOLS_TALLY_HTTP_SERVER_H_
#define TOOLS_TALLY_HTTP_SERVER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace tally::tool {

struct HttpAnswer {
  int status;
  std::string type;  // of the content
  std::string body;
};

class HttpServer {
 public:
  // For GET and HEAD alone. `path` is without the query.
  using Handler = std::function<HttpAnswer(const std::string& path, const std::string& accept)>;

  explicit HttpServer(Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // `host` is a number, of IPv4 or IPv6; port 0 is any that is free. The port; -1, with errno,
  // where there is none to be had.
  int Bind(const std::string& host, int port);

  // Serves until Stop. False if it ended for another reason. REQUIRES: Bind.
  bool Serve();
  void Stop();

 private:
  class Server;
  std::unique_ptr<Server> server_;
  std::atomic<bool> is_stopped_ = false;
  std::atomic<bool> has_ended_ = false;
};

}  // namespace tally::tool

#endif  // TOOLS_TALLY_HTTP_SERVER_H_
