// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// `tally ps`: the published processes of this user, and what dead ones left behind.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "tools/tally/command.h"
#include "tools/tally/live_books.h"
#include "tools/tally/stats_file.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

void PrintRow(const View& view, bool is_running) {
  const uint64_t now = NowMs();
  const double age_s = now > view.time_ms ? static_cast<double>(now - view.time_ms) / 1000 : 0;
  const std::string state = view.is_present ? "present"
                            : is_running    ? Duration(age_s) + " old"
                                            : "ended, " + Duration(age_s) + " old";
  const std::string rss =
      view.kernel.process_rss != 0 ? Bytes(static_cast<double>(view.kernel.process_rss)) : "-";
  std::cout << absl::StrFormat("%8d  %10s  %10s  %10s  %7d  %-24s  %s\n", view.process,
                               Bytes(static_cast<double>(view.books.identity.live)),
                               Bytes(static_cast<double>(view.books.mapped_bytes)), rss,
                               view.books.live_threads, state, Printable(view.command));
}

int RunPs(bool is_pruning) {
  const std::vector<std::string> paths = PublishedFiles();
  if (paths.empty()) {
    std::cout << "no process of this user is published; start one with `tally run` or "
                 "TALLY_PUBLISH=1\n";
    return kGood;
  }
  std::cout << "     PID        LIVE      MAPPED         RSS  THREADS  BOOKS                     "
               "COMMAND\n";
  for (const std::string& path : paths) {
    const absl::StatusOr<StatsFile> file = ReadStatsFile(path);
    const bool is_running = file.ok() && IsRunning(file->header);
    if (file.ok() && !is_running && is_pruning && unlink(path.c_str()) == 0) {
      std::cout << absl::StrFormat("%8d  removed: %s\n", file->header.process, path);
      continue;
    }
    const absl::StatusOr<View> view = ReadView(path, Residency::kOfProcess);
    if (view.ok()) {
      PrintRow(*view, is_running);
    } else if (!absl::IsNotFound(view.status())) {
      Complain("ps", path + ": " + std::string(view.status().message()));
    }
  }
  return kGood;
}

}  // namespace

void AddPsCommand(CLI::App& app, int& exit_code) {
  const auto is_pruning = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("ps", "List the published processes of this user");
  command->add_flag("--prune", *is_pruning, "Remove the files that dead processes left");
  command->callback([is_pruning, &exit_code] { exit_code = RunPs(*is_pruning); });
}

}  // namespace tally::tool
