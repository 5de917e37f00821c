// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/exporter.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "allocator/report_formats.h"
#include "tools/tally/command.h"
#include "tools/tally/live_books.h"
#include "tools/tally/stats_file.h"

namespace tally::tool {
namespace {

// A label's value by the rules of both formats. A process may call itself what it likes.
std::string Escaped(std::string_view value) {
  std::string escaped;
  for (const char letter : value) {
    if (letter == '\n') {
      escaped += "\\n";
    } else if (letter == '"' || letter == '\\') {
      escaped += {'\\', letter};
    } else {
      escaped += letter < ' ' || letter > '~' ? '?' : letter;
    }
  }
  return escaped;
}

std::string Seconds(double seconds) { return absl::StrFormat("%.9g", seconds); }

class MetricsWriter {
 public:
  explicit MetricsWriter(bool is_open) : is_open_(is_open) {}

  // Starts a family. It has a head as soon as it has a sample.
  void Family(const char* name, bool is_counter, const char* help) {
    const char* suffix = is_counter ? "_total" : "";
    name_ = absl::StrCat(name, suffix);
    // OpenMetrics names a counter's family without the suffix of its samples.
    const std::string family = absl::StrCat(name, is_open_ ? "" : suffix);
    head_ = absl::StrCat("# HELP ", family, " ", help, "\n# TYPE ", family,
                         is_counter ? " counter\n" : " gauge\n");
  }
  void Sample(const std::string& labels, const absl::AlphaNum& value) {
    const bool has_labels = !labels.empty();
    absl::StrAppend(&text_, head_, name_, has_labels ? "{" : "", labels, has_labels ? "} " : " ",
                    value, "\n");
    head_.clear();
  }
  void Append(const std::string& text) { text_ += text; }

  std::string Finish() {
    absl::StrAppend(&text_, is_open_ ? "# EOF\n" : "");
    return std::move(text_);
  }

 private:
  bool is_open_;
  std::string text_;
  std::string name_;
  std::string head_;
};

double AgeSeconds(const View& view) {
  using std::chrono::system_clock;
  const std::chrono::duration<double> now = system_clock::now().time_since_epoch();
  return view.is_present ? 0 : std::max(0.0, now.count() - static_cast<double>(view.time_ms) / 1e3);
}

void WriteProcesses(MetricsWriter& metrics, const std::vector<View>& views, bool is_open) {
  std::vector<Report> reports;
  std::vector<std::string> labels;
  std::vector<MetricsSubject> subjects;
  for (const View& view : views) {
    reports.push_back(ReportOf(view));
    labels.push_back(
        absl::StrCat("pid=\"", view.process, "\",command=\"", Escaped(view.command), "\""));
  }
  for (size_t i = 0; i < views.size(); ++i) {
    subjects.push_back({&reports[i], labels[i].c_str()});
  }
  metrics.Append(
      Written([&](Text& out) { WriteMetricsOf(out, subjects.data(), subjects.size(), is_open); }));
  metrics.Family("tally_books_age_seconds", false,
                 "How old these books are; 0: read from the living process.");
  for (size_t i = 0; i < views.size(); ++i) {
    metrics.Sample(labels[i], Seconds(AgeSeconds(views[i])));
  }
}

// Keeps the `limit` views that have most mapped, in their order. Returns how many went.
size_t Limit(std::vector<View>* views, size_t limit) {
  const auto mapped = [](const View& view) { return view.books.mapped_bytes; };
  if (views->size() <= limit) {
    return 0;
  }
  const size_t left_out = views->size() - limit;
  std::stable_sort(views->begin(), views->end(),
                   [&](const View& a, const View& b) { return mapped(a) > mapped(b); });
  views->resize(limit);
  std::sort(views->begin(), views->end(),
            [](const View& a, const View& b) { return a.process < b.process; });
  return left_out;
}

}  // namespace

// Of running processes, by process id. What dead ones left is for `tally ps`.
std::vector<View> Exporter::ReadViews() {
  // A process that executed another program may have published in two places: the present counts.
  std::map<int64_t, View> found;
  std::set<std::string> complaints;
  for (const std::string& path : PublishedFiles()) {
    const absl::StatusOr<StatsFile> file = ReadStatsFile(path);
    if (file.ok() && !IsRunning(file->header)) {
      continue;
    }
    absl::StatusOr<View> view = file.ok() ? ReadView(path) : file.status();
    if (view.ok()) {
      view->leaves = {};  // megabytes of a large process
      View& known = found[view->process];
      if (std::pair(view->is_present, view->time_ms) >=
          std::pair(known.is_present, known.time_ms)) {
        known = *std::move(view);
      }
    } else if (!absl::IsNotFound(view.status()) && !absl::IsUnavailable(view.status())) {
      ++errors_;
      complaints.insert(absl::StrCat(path, ": ", view.status().message()));
    }
  }
  for (const std::string& complaint : complaints) {
    if (complaints_.count(complaint) == 0) {
      Complain("exporter", complaint);
    }
  }
  complaints_ = std::move(complaints);
  std::vector<View> views;
  views.reserve(found.size());
  for (auto& [process, view] : found) {
    views.push_back(std::move(view));
  }
  return views;
}

std::string Exporter::Page(bool is_open) {
  const std::lock_guard lock(mutex_);
  const auto start = std::chrono::steady_clock::now();
  std::vector<View> views = ReadViews();
  const size_t left_out = Limit(&views, limit_);
  MetricsWriter metrics(is_open);
  WriteProcesses(metrics, views, is_open);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const auto own = [&](const char* name, bool is_counter, const char* help, const auto& value) {
    metrics.Family(name, is_counter, help);
    metrics.Sample("", value);
  };
  own("tally_exporter_processes", false, "Processes on this page.", views.size());
  own("tally_exporter_processes_left_out", false, "Processes beyond the limit.", left_out);
  own("tally_exporter_scrape_seconds", false, "Time that this page took.",
      Seconds(seconds.count()));
  own("tally_exporter_errors", true, "Published files that could not be read, and failed writes.",
      errors_);
  return metrics.Finish();
}

void Exporter::CountError() {
  const std::lock_guard lock(mutex_);
  ++errors_;
}

}  // namespace tally::tool
