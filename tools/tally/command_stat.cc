// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// `tally stat PID|FILE`: the report of a process, read from outside.

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tools/tally/command.h"
#include "tools/tally/live_books.h"
#include "tools/tally/stats_file.h"

namespace tally::tool {
namespace {

struct StatOptions {
  std::string target;
  double interval_s = 0;
  uint64_t count = 0;  // zero: no end
  std::string format = "text";
};

// One report. Says on the standard error where it is not of the present.
int Print(const std::string& path, const StatOptions& options, ReportFormat format) {
  const absl::StatusOr<View> view = ReadView(path);
  if (!view.ok()) {
    Complain("stat", absl::StrCat(path, ": ", view.status().message()));
    return absl::IsInvalidArgument(view.status()) ? kBadUse : kNotSo;
  }
  if (!view->is_present) {
    Complain("stat", absl::StrCat(options.target, ": ", view->origin));
  }
  std::cout << Render(*view, format) << std::flush;
  return kGood;
}

int RunStat(const StatOptions& options) {
  ReportFormat format = ReportFormat::kText;
  ParseReportFormat(options.format.c_str(), &format);
  const absl::StatusOr<std::string> path = ResolveTarget(options.target);
  if (!path.ok()) {
    Complain("stat", std::string(path.status().message()));
    return kNotSo;
  }
  int exit_code = Print(*path, options, format);
  for (uint64_t i = 1; options.interval_s > 0 && exit_code == kGood && i != options.count; ++i) {
    std::this_thread::sleep_for(std::chrono::duration<double>(options.interval_s));
    if (format == ReportFormat::kText) {
      std::cout << '\n';
    }
    exit_code = Print(*path, options, format);
  }
  return exit_code;
}

}  // namespace

void AddStatCommand(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<StatOptions>();
  CLI::App* command = app.add_subcommand("stat", "Print the books of a process, exact and present");
  command->add_option("TARGET", options->target, "A process id, or the path of a published file")
      ->required();
  command->add_option("--interval", options->interval_s, "Repeat every so many seconds")
      ->check(CLI::Range(0.01, 1e6))
      ->type_name("SECONDS");
  command->add_option("--count", options->count, "Stop after so many reports")->type_name("N");
  command
      ->add_option("--format", options->format, "text (the default), json, openmetrics, prometheus")
      ->check(CLI::IsMember({"text", "json", "openmetrics", "prometheus"}))
      ->type_name("FORMAT");
  command->callback([options, &exit_code] { exit_code = RunStat(*options); });
}

}  // namespace tally::tool
