// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// `tally exporter`: the books of this user's processes for Prometheus, by HTTP or by a text file
// that its node_exporter collects.

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tools/tally/command.h"
#include "tools/tally/exporter.h"
#include "tools/tally/http_server.h"
#include "tools/tally/output.h"

namespace tally::tool {
namespace {

constexpr const char* kOpenType = "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr const char* kTextType = "text/plain; version=0.0.4; charset=utf-8";

struct ExporterOptions {
  std::string listen = "127.0.0.1:9857";
  std::string textfile;
  double interval_s = 15;
  size_t limit = 100;
};

struct Address {
  std::string host;  // without brackets
  int port;
};

// "127.0.0.1:9857" or "[::1]:9857".
std::optional<Address> ParseAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  const std::string digits = colon == std::string::npos ? "" : text.substr(colon + 1);
  int port = 0;
  const bool is_port = digits.find_first_not_of("0123456789") == std::string::npos &&
                       absl::SimpleAtoi(digits, &port) && port <= 65535;
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  host = is_bracketed ? host.substr(1, host.size() - 2) : host;
  in6_addr binary;
  if (!is_port || inet_pton(is_bracketed ? AF_INET6 : AF_INET, host.c_str(), &binary) != 1) {
    return std::nullopt;
  }
  return Address{host, port};
}

// SIGINT and SIGTERM, which from now on wait until somebody asks for them.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

HttpAnswer AnswerTo(Exporter& exporter, const std::string& path, const std::string& accept) {
  if (path == "/metrics") {
    const bool is_open =
        absl::StrContains(absl::AsciiStrToLower(accept), "application/openmetrics-text");
    return {200, is_open ? kOpenType : kTextType, exporter.Page(is_open)};
  }
  if (path == "/healthz") {
    return {200, "text/plain", "ok\n"};
  }
  return {404, "text/plain", "not found; metrics are at /metrics\n"};
}

int RunServer(const ExporterOptions& options) {
  const std::optional<Address> address = ParseAddress(options.listen);
  if (!address) {
    Complain("exporter", absl::StrCat("--listen ", options.listen,
                                      ": not an address; write 127.0.0.1:9857 or [::1]:9857"));
    return kBadUse;
  }
  const sigset_t signals = BlockEndSignals();
  Exporter exporter(options.limit);
  HttpServer server([&](const std::string& path, const std::string& accept) {
    return AnswerTo(exporter, path, accept);
  });
  const int port = server.Bind(address->host, address->port);
  if (port < 0) {
    Complain("exporter", absl::StrCat(options.listen, ": ", std::strerror(errno),
                                      "; name another address with --listen"));
    return kNotSo;
  }
  std::cerr << "tally: exporter: http://" << options.listen.substr(0, options.listen.rfind(':') + 1)
            << port << "/metrics\n";
  std::thread stopper([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    server.Stop();
  });
  const bool is_good = server.Serve();
  if (!is_good) {
    Complain("exporter", absl::StrCat("cannot accept connections: ", std::strerror(errno)));
    pthread_kill(stopper.native_handle(), SIGINT);
  }
  stopper.join();
  return is_good ? kGood : kNotSo;
}

// The first write must succeed; a disk that is full later may have room again.
int RunTextfile(const ExporterOptions& options) {
  const sigset_t signals = BlockEndSignals();
  const double whole_s = std::floor(options.interval_s);
  const timespec interval{static_cast<time_t>(whole_s),
                          static_cast<long>((options.interval_s - whole_s) * 1e9)};
  Exporter exporter(options.limit);
  for (bool is_first = true;; is_first = false) {
    const absl::Status status = WriteWhole(options.textfile, exporter.Page(false));
    std::cout.flush();  // of "-"
    if (!status.ok()) {
      Complain("exporter", std::string(status.message()));
      if (is_first) {
        return kNotSo;
      }
      exporter.CountError();
    }
    if (options.interval_s == 0 || sigtimedwait(&signals, nullptr, &interval) > 0) {
      return kGood;
    }
  }
}

}  // namespace

void AddExporterCommand(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ExporterOptions>();
  CLI::App* command =
      app.add_subcommand("exporter", "Serve the books of this user's processes to Prometheus");
  CLI::Option* listen =
      command
          ->add_option("--listen", options->listen,
                       "Where GET /metrics is answered; 127.0.0.1:9857 (port 0: any)")
          ->type_name("ADDRESS:PORT");
  CLI::Option* textfile =
      command
          ->add_option("--textfile", options->textfile,
                       "Serve nothing; write this file (.prom) for node_exporter to collect")
          ->type_name("FILE")
          ->excludes(listen);
  command->add_option("--interval", options->interval_s, "Every so many seconds; 15 (0: once)")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("SECONDS")
      ->needs(textfile);
  command
      ->add_option("--limit", options->limit,
                   "At most so many processes, those with most memory mapped; 100")
      ->check(CLI::Range(1, 1000000))
      ->type_name("N");
  command->callback([options, &exit_code] {
    exit_code = options->textfile.empty() ? RunServer(*options) : RunTextfile(*options);
  });
}

}  // namespace tally::tool
