// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// `tally diff A B`: what grew and what shrank between two dumps.
//
// Rates are given where B is a later dump of A's process; otherwise a warning says why not.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "tools/tally/command.h"
#include "tools/tally/delta.h"
#include "tools/tally/json_report.h"
#include "tools/tally/table.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

using nlohmann::ordered_json;

constexpr size_t kRowsMax = 20;  // without --all

struct DiffOptions {
  std::string before;
  std::string after;
  std::string format = "text";
  bool is_all = false;
};

struct Diff {
  const Dump& before;
  const Dump& after;
  Delta delta;
  std::string why_not_later;
  double seconds;  // zero: there are no rates
};

Diff MakeDiff(const Dump& before, const Dump& after) {
  Diff diff{before, after, Compare(before, after), WhyNotLater(before, after), 0};
  if (diff.why_not_later.empty()) {
    diff.seconds = static_cast<double>(after.time_ms - before.time_ms) / 1000;
  }
  return diff;
}

// "-82 %", "x35"; empty where there is nothing to compare.
std::string PercentOf(const Change& change) {
  if (change.before == 0 || change.is_none()) {
    return "";
  }
  if (change.after / change.before >= 10) {
    return absl::StrCat("x", Short(std::round(static_cast<double>(change.after) /
                                              static_cast<double>(change.before))));
  }
  const double part = static_cast<double>(change.by()) / static_cast<double>(change.before);
  return absl::StrCat(part > 0 ? "+" : "", Percent(part));
}

// "+1.2 k/s"; empty without rates.
std::string RateOf(const Diff& diff, double change, std::string (*format)(double)) {
  if (diff.seconds == 0 || change == 0) {
    return "";
  }
  return absl::StrCat(change > 0 ? "+" : "", format(change / diff.seconds), "/s");
}

void AddBytes(Table& table, const Diff& diff, const std::string& name, const Change& bytes) {
  const auto change = static_cast<double>(bytes.by());
  table.Add({name, Bytes(static_cast<double>(bytes.before)),
             Bytes(static_cast<double>(bytes.after)), SignedBytes(change), PercentOf(bytes),
             RateOf(diff, change, Bytes)});
}

void AddCounts(Table& table, const Diff& diff, const std::string& name, const Change& count) {
  table.Add({name, Blocks(count.before), Blocks(count.after), SignedBlocks(count.by()),
             PercentOf(count), RateOf(diff, static_cast<double>(count.by()), Short)});
}

std::string HeadText(const char* name, const Dump& dump) {
  return absl::StrCat(name, "  ", Printable(dump.path), ": ", dump.command, ", process ",
                      dump.process, ", ", TimeOfDay(dump.time_ms));
}

std::string SummaryText(const Diff& diff) {
  const ClassDelta& total = diff.delta.total;
  Table table;
  table.Add({"", "A", "B", "change", "", diff.seconds > 0 ? "rate" : ""});
  if (diff.before.kernel.is_known && diff.after.kernel.is_known) {
    AddBytes(table, diff, "RSS of the process",
             {diff.before.kernel.process_rss, diff.after.kernel.process_rss});
  }
  AddBytes(table, diff, "live bytes", total.live_bytes);
  AddCounts(table, diff, "live blocks", total.live_blocks);
  AddCounts(table, diff, "allocated blocks", total.allocated);
  AddCounts(table, diff, "freed blocks", total.freed);
  AddCounts(table, diff, "threads", {diff.before.threads, diff.after.threads});
  return table.Text("  ");
}

std::string ClassesText(const Diff& diff, bool is_all) {
  const auto& classes = diff.delta.classes;
  const auto changed = static_cast<size_t>(std::count_if(
      classes.begin(), classes.end(), [](const ClassDelta& entry) { return !entry.is_none(); }));
  const size_t shown_max = is_all ? classes.size() : std::min(kRowsMax, changed);
  Table table;
  table.Add({"class", "bytes A", "bytes B", "change", "blocks B", "change", "allocated", "freed",
             diff.seconds > 0 ? "allocated/s" : ""});
  size_t shown = 0;
  const auto add = [&](const ClassDelta& entry) {
    const auto allocated = static_cast<double>(entry.allocated.by());
    table.Add({entry.name, Bytes(static_cast<double>(entry.live_bytes.before)),
               Bytes(static_cast<double>(entry.live_bytes.after)),
               SignedBytes(static_cast<double>(entry.live_bytes.by())),
               Blocks(entry.live_blocks.after), SignedBlocks(entry.live_blocks.by()),
               SignedBlocks(entry.allocated.by()), SignedBlocks(entry.freed.by()),
               diff.seconds > 0 ? Short(allocated / diff.seconds) : ""});
  };
  for (const ClassDelta& entry : classes) {
    if (shown < shown_max && (is_all || !entry.is_none())) {
      add(entry);
      ++shown;
    }
  }
  add(diff.delta.total);
  std::string text = table.Text("  ");
  if (shown < classes.size()) {
    absl::StrAppend(&text, "  (", classes.size() - shown, " more, ", classes.size() - changed,
                    " of them unchanged; --all shows them)\n");
  }
  return text;
}

std::string TermsText(const Diff& diff) {
  Table table;
  table.Add({"", "A", "B", "change", "", diff.seconds > 0 ? "rate" : ""});
  AddBytes(table, diff, "  mapped", {diff.before.mapped_bytes, diff.after.mapped_bytes});
  const char* sign = "= ";
  for (const TermDelta& term : diff.delta.terms) {
    AddBytes(table, diff, sign + TermTitle(term.key), term.bytes);
    sign = "+ ";
  }
  return table.Text("  ");
}

void PrintText(const Diff& diff, bool is_all) {
  std::cout << HeadText("A", diff.before) << '\n' << HeadText("B", diff.after);
  if (diff.seconds > 0) {
    std::cout << ", " << Duration(diff.seconds) << " later";
  }
  std::cout << '\n';
  if (!diff.why_not_later.empty()) {
    std::cout << "warning: B is not a later dump of A's process: " << diff.why_not_later
              << "; no rates\n";
  }
  std::cout << "\nin all\n" << SummaryText(diff);
  std::cout << "\nlive memory by size class, largest change first; allocated and freed are the"
               " blocks in between\n"
            << ClassesText(diff, is_all);
  std::cout << "\nwhere every mapped byte is\n" << TermsText(diff);
}

ordered_json Json(const Change& change) {
  return {{"before", change.before}, {"after", change.after}, {"change", change.by()}};
}

ordered_json Json(const Diff& diff, const ClassDelta& entry) {
  ordered_json object{{"class", entry.block_bytes == 0 ? ordered_json(entry.name)
                                                       : ordered_json(entry.block_bytes)},
                      {"live_bytes", Json(entry.live_bytes)},
                      {"live_blocks", Json(entry.live_blocks)},
                      {"allocated_blocks", Json(entry.allocated)},
                      {"freed_blocks", Json(entry.freed)}};
  if (diff.seconds > 0) {
    object["live_bytes_per_second"] = static_cast<double>(entry.live_bytes.by()) / diff.seconds;
    object["allocated_per_second"] = static_cast<double>(entry.allocated.by()) / diff.seconds;
  }
  return object;
}

ordered_json Json(const Dump& dump) {
  return {{"path", dump.path},
          {"process", dump.process},
          {"command", dump.command},
          {"time_ms", dump.time_ms}};
}

void PrintJson(const Diff& diff, bool is_all) {
  ordered_json document{{"before", Json(diff.before)},
                        {"after", Json(diff.after)},
                        {"same_process", diff.why_not_later.empty()}};
  if (diff.why_not_later.empty()) {
    document["seconds"] = diff.seconds;
  } else {
    document["warning"] = diff.why_not_later;
  }
  if (diff.before.kernel.is_known && diff.after.kernel.is_known) {
    document["rss_bytes"] =
        Json(Change{diff.before.kernel.process_rss, diff.after.kernel.process_rss});
  }
  document["mapped_bytes"] = Json(Change{diff.before.mapped_bytes, diff.after.mapped_bytes});
  for (const TermDelta& term : diff.delta.terms) {
    document["terms"][term.key] = Json(term.bytes);
  }
  document["all"] = Json(diff, diff.delta.total);
  document["classes"] = ordered_json::array();
  for (const ClassDelta& entry : diff.delta.classes) {
    if (is_all || !entry.is_none()) {
      document["classes"].push_back(Json(diff, entry));
    }
  }
  // A path may be no UTF-8.
  std::cout << document.dump(2, ' ', false, ordered_json::error_handler_t::replace) << '\n';
}

int RunDiff(const DiffOptions& options) {
  const auto before = ReadDump(options.before);
  const auto after = ReadDump(options.after);
  for (const auto* dump : {&before, &after}) {
    if (!dump->ok()) {
      Complain("diff", std::string(dump->status().message()));
      return kBadUse;
    }
  }
  const Diff diff = MakeDiff(*before, *after);
  options.format == "json" ? PrintJson(diff, options.is_all) : PrintText(diff, options.is_all);
  return kGood;
}

}  // namespace

void AddDiffCommand(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<DiffOptions>();
  CLI::App* command = app.add_subcommand("diff", "Compare two dumps: what grew and what shrank");
  command->add_option("A", options->before, "The older dump, a JSON report")->required();
  command->add_option("B", options->after, "The younger dump")->required();
  command->add_option("--format", options->format, "text (the default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  command->add_flag("--all", options->is_all, "Show every size class, changed or not");
  command->callback([options, &exit_code] { exit_code = RunDiff(*options); });
}

}  // namespace tally::tool
