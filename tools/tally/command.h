// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The subcommands of `tally`, one file command_NAME.cc each, and how they fail.
//
// Called by main.cc. Each Add function declares its options and a callback that does the work and
// leaves the exit code.

#ifndef TOOLS_TALLY_COMMAND_H_
#define TOOLS_TALLY_COMMAND_H_

#include <string>
#include <string_view>

namespace CLI {
class App;
}  // namespace CLI

namespace tally::tool {

inline constexpr int kGood = 0;
inline constexpr int kNotSo = 1;   // what was asked about is not there, or could not be done
inline constexpr int kBadUse = 2;  // wrong arguments, or an input that cannot be read

// Prints the line `tally: COMMAND: MESSAGE` on the standard error. A message says what is wrong,
// and after a semicolon what to do.
void Complain(std::string_view command, const std::string& message);

void AddDiffCommand(CLI::App& app, int& exit_code);
void AddExporterCommand(CLI::App& app, int& exit_code);
void AddMapCommand(CLI::App& app, int& exit_code);
void AddPsCommand(CLI::App& app, int& exit_code);
void AddReportCommand(CLI::App& app, int& exit_code);
void AddRunCommand(CLI::App& app, int& exit_code);
void AddStatCommand(CLI::App& app, int& exit_code);
void AddTopCommand(CLI::App& app, int& exit_code);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_COMMAND_H_
