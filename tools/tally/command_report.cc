// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// `tally report FILE... -o OUT.html`: a page about one process from a series of its dumps.

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tools/tally/command.h"
#include "tools/tally/output.h"
#include "tools/tally/page.h"
#include "tools/tally/series.h"

namespace tally::tool {
namespace {

struct ReportOptions {
  std::vector<std::string> paths;
  std::string output;
};

int RunReport(const ReportOptions& options) {
  const auto series = ReadSeries(options.paths);
  if (!series.ok()) {
    Complain("report", std::string(series.status().message()));
    return kBadUse;
  }
  const absl::Status written = WriteWhole(options.output, Page(*series));
  if (!written.ok()) {
    Complain("report", std::string(written.message()));
    return kNotSo;
  }
  return kGood;
}

}  // namespace

void AddReportCommand(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* command =
      app.add_subcommand("report", "Make an HTML page from a series of dumps of one process");
  command->add_option("FILE", options->paths, "The dumps, JSON reports, in any order")->required();
  command->add_option("-o,--output", options->output, "The page to write; - is standard output")
      ->required()
      ->type_name("FILE");
  command->callback([options, &exit_code] { exit_code = RunReport(*options); });
}

}  // namespace tally::tool
