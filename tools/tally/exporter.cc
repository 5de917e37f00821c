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
  void Sample(const std::string& labels, const char* label, const absl::AlphaNum& label_value,
              uint64_t value) {
    Sample(absl::StrCat(labels, ",", label, "=\"", label_value, "\""), value);
  }

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

struct Subject {
  const View& view;
  std::string labels;
};
using Subjects = std::vector<Subject>;

// One sample for each process.
template <typename Value>
void WriteOne(MetricsWriter& metrics, const Subjects& subjects, const char* name, bool is_counter,
              const char* help, const Value& value) {
  metrics.Family(name, is_counter, help);
  for (const Subject& subject : subjects) {
    metrics.Sample(subject.labels, value(subject.view));
  }
}

void WriteIdentity(MetricsWriter& metrics, const Subjects& subjects) {
  WriteOne(metrics, subjects, "tally_mapped_bytes", false, "Accessible memory of the allocator.",
           [](const View& view) { return view.books.mapped_bytes; });
  metrics.Family("tally_identity_bytes", false, "What mapped memory is; the terms' sum is mapped.");
  for (const Subject& subject : subjects) {
    for (const IdentityTerm& term : kIdentityTerms) {
      metrics.Sample(subject.labels, "term", term.key, subject.view.books.identity.*term.bytes);
    }
  }
}

// REQUIRES: the kernel's books of all subjects are known.
void WriteKernel(MetricsWriter& metrics, const Subjects& subjects) {
  WriteOne(metrics, subjects, "tally_process_resident_bytes", false, "RSS of the process.",
           [](const View& view) { return view.kernel.process_rss; });
  metrics.Family("tally_resident_bytes", false, "What of the RSS is whose.");
  for (const auto& [view, labels] : subjects) {
    metrics.Sample(labels, "part", "blocks", view.kernel.resident_blocks);
    metrics.Sample(labels, "part", "large", view.kernel.resident_large);
    metrics.Sample(labels, "part", "free", view.kernel.resident_free);
    metrics.Sample(labels, "part", "huge", view.kernel.resident_huge);
    metrics.Sample(labels, "part", "metadata", view.kernel.resident_metadata);
    metrics.Sample(labels, "part", "not_ours", view.kernel.not_ours());
  }
  metrics.Family("tally_process_faults", true, "Page faults of the process.");
  for (const auto& [view, labels] : subjects) {
    metrics.Sample(labels, "kind", "minor", view.kernel.minor_faults);
    metrics.Sample(labels, "kind", "major", view.kernel.major_faults);
  }
}

// One family: the number of each class that was used.
void WriteClassField(MetricsWriter& metrics, const Subjects& subjects,
                     const Field<ClassBooks>& field) {
  metrics.Family(field.metric, field.is_counter, field.help);
  for (const Subject& subject : subjects) {
    uint64_t last_bytes = 0;
    for (const ClassBooks& entry : subject.view.books.classes) {
      if (entry.was_used() && entry.block_bytes > last_bytes) {
        metrics.Sample(subject.labels, "size", entry.block_bytes, entry.*field.value);
        last_bytes = entry.block_bytes;
      }
    }
  }
}

void WriteClasses(MetricsWriter& metrics, const Subjects& subjects) {
  // A label cannot be reckoned with: times this, blocks are bytes.
  WriteClassField(metrics, subjects,
                  {"size", "tally_class_block_bytes", false, "Bytes of a block of the size class.",
                   &ClassBooks::block_bytes});
  for (const Field<ClassBooks>& field : kClassFields) {
    WriteClassField(metrics, subjects, field);
  }
}

void WriteTiers(MetricsWriter& metrics, const Subjects& subjects) {
  for (const Field<TierBooks>& field : kTierFields) {
    metrics.Family(field.metric, field.is_counter, field.help);
    for (const Subject& subject : subjects) {
      metrics.Sample(subject.labels, "tier", "large", subject.view.books.large.*field.value);
      metrics.Sample(subject.labels, "tier", "huge", subject.view.books.huge.*field.value);
    }
  }
}

void WriteTotals(MetricsWriter& metrics, const Subjects& subjects) {
  WriteOne(metrics, subjects, "tally_threads", false, "Threads with a cache.",
           [](const View& view) { return view.books.live_threads; });
  WriteOne(metrics, subjects, "tally_threads_started", true, "Threads that ever had a cache.",
           [](const View& view) { return view.books.threads_started; });
  for (const Field<Books>& field : kTotalFields) {
    if (field.value == &Books::slow_ns) {
      WriteOne(metrics, subjects, "tally_slow_seconds", true, field.help, [](const View& view) {
        return Seconds(static_cast<double>(view.books.slow_ns) / 1e9);
      });
    } else {
      WriteOne(metrics, subjects, field.metric, field.is_counter, field.help,
               [&](const View& view) { return view.books.*field.value; });
    }
  }
}

double AgeSeconds(const View& view) {
  using std::chrono::system_clock;
  const std::chrono::duration<double> now = system_clock::now().time_since_epoch();
  return view.is_present ? 0 : std::max(0.0, now.count() - static_cast<double>(view.time_ms) / 1e3);
}

void WriteProcesses(MetricsWriter& metrics, const std::vector<View>& views) {
  Subjects all;
  Subjects known;
  for (const View& view : views) {
    all.push_back(
        {view, absl::StrCat("pid=\"", view.process, "\",command=\"", Escaped(view.command), "\"")});
    if (view.kernel.is_known) {
      known.push_back(all.back());
    }
  }
  WriteIdentity(metrics, all);
  WriteKernel(metrics, known);
  WriteClasses(metrics, all);
  WriteTiers(metrics, all);
  WriteTotals(metrics, all);
  WriteOne(metrics, all, "tally_books_age_seconds", false,
           "How old these books are; 0: read from the living process.",
           [](const View& view) { return Seconds(AgeSeconds(view)); });
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
  WriteProcesses(metrics, views);
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
