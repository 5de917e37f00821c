// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// `tally`: the command line. Nothing but the list of commands and what ends a run of any of them.
//
// Exit codes: command.h.

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>

#include "tools/tally/command.h"
#include "tools/tally/units.h"

namespace tally::tool {

void Complain(std::string_view command, const std::string& message) {
  std::cerr << "tally: " << command << ": " << Printable(message) << '\n';
}

namespace {

// One line that says what is wrong with the arguments, and one that says what they should be.
int ComplainOfUsage(CLI::App& app, const std::string& message) {
  const auto chosen = app.get_subcommands();
  const CLI::App* command = chosen.empty() ? &app : chosen.front();
  const std::string name = chosen.empty() ? "tally" : "tally " + command->get_name();
  std::cerr << "tally: " << (chosen.empty() ? "" : command->get_name() + ": ")
            << Printable(message.substr(0, message.find('\n'))) << '\n';
  std::string usage = CLI::Formatter().make_usage(command, name);
  usage.erase(usage.find_last_not_of('\n') + 1);
  std::cerr << usage.substr(usage.find_first_not_of('\n')) << '\n';
  return kBadUse;
}

int Run(int argc, char** argv) {
  int exit_code = kGood;
  CLI::App app("Reads the books of the Tally allocator.", "tally");
  app.set_version_flag("--version", "tally " TALLY_VERSION, "Print the version");
  app.require_subcommand(1);
  AddRunCommand(app, exit_code);
  AddPsCommand(app, exit_code);
  AddStatCommand(app, exit_code);
  AddTopCommand(app, exit_code);
  AddMapCommand(app, exit_code);
  AddDiffCommand(app, exit_code);
  AddReportCommand(app, exit_code);
  AddExporterCommand(app, exit_code);
  app.footer("'tally COMMAND --help' tells more of a command, and 'man tally' of all of them.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {  // --help, --version
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    const bool is_unknown = app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-';
    return ComplainOfUsage(app,
                           is_unknown ? std::string("no such command: ") + argv[1] : error.what());
  }
  return exit_code;
}

}  // namespace
}  // namespace tally::tool

int main(int argc, char** argv) {
  using tally::tool::kNotSo;
  try {
    const int exit_code = tally::tool::Run(argc, argv);
    if (!std::cout.flush() || std::fflush(stdout) != 0) {
      std::cerr << "tally: standard output: " << std::strerror(errno) << '\n';
      return kNotSo;
    }
    return exit_code;
  } catch (const std::exception& error) {  // out of memory, in all likelihood
    std::cerr << "tally: " << error.what() << '\n';
    return kNotSo;
  }
}
