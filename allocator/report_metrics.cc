// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// For Prometheus and its kin.

#include "allocator/report_formats.h"

namespace tally {
namespace {

class Metrics {
 public:
  Metrics(Text& out, bool is_open) : out_(out), is_open_(is_open) {}

  // Starts a family. OpenMetrics names a counter's family without the suffix of its samples.
  void Family(const char* name, bool is_counter, const char* help) {
    name_ = name;
    suffix_ = is_counter ? "_total" : "";
    const char* family_suffix = is_open_ ? "" : suffix_;
    out_ << "# HELP " << name << family_suffix << ' ' << help << '\n';
    out_ << "# TYPE " << name << family_suffix << (is_counter ? " counter\n" : " gauge\n");
  }
  void Sample(uint64_t value) { out_ << name_ << suffix_ << ' ' << value << '\n'; }
  template <typename LabelValue>
  void Sample(const char* label, LabelValue label_value, uint64_t value) {
    out_ << name_ << suffix_ << '{' << label << "=\"" << label_value << "\"} " << value << '\n';
  }

 private:
  Text& out_;
  bool is_open_;
  const char* name_ = "";
  const char* suffix_ = "";
};

void WriteClasses(Metrics& metrics, const Books& books) {
  for (const Field<ClassBooks>& field : kClassFields) {
    metrics.Family(field.metric, field.is_counter, field.help);
    for (size_t c = 1; c < kStatsClassesMax; ++c) {
      if (books.classes[c].was_used()) {
        metrics.Sample("size", books.classes[c].block_bytes, books.classes[c].*field.value);
      }
    }
  }
}

void WriteTiers(Metrics& metrics, const Books& books) {
  for (const Field<TierBooks>& field : kTierFields) {
    metrics.Family(field.metric, field.is_counter, field.help);
    metrics.Sample("tier", "large", books.large.*field.value);
    metrics.Sample("tier", "huge", books.huge.*field.value);
  }
}

void WriteIdentity(Metrics& metrics, const Books& books) {
  metrics.Family("tally_mapped_bytes", false, "Accessible memory of the allocator.");
  metrics.Sample(books.mapped_bytes);
  metrics.Family("tally_identity_bytes", false, "What mapped memory is; the terms' sum is mapped.");
  for (const IdentityTerm& term : kIdentityTerms) {
    metrics.Sample("term", term.key, books.identity.*term.bytes);
  }
}

void WriteKernel(Metrics& metrics, const KernelBooks& kernel) {
  if (!kernel.is_known) {
    return;
  }
  metrics.Family("tally_process_resident_bytes", false, "RSS of the process.");
  metrics.Sample(kernel.process_rss);
  metrics.Family("tally_resident_bytes", false, "What of the RSS is whose.");
  metrics.Sample("part", "blocks", kernel.resident_blocks);
  metrics.Sample("part", "large", kernel.resident_large);
  metrics.Sample("part", "free", kernel.resident_free);
  metrics.Sample("part", "huge", kernel.resident_huge);
  metrics.Sample("part", "metadata", kernel.resident_metadata);
  metrics.Sample("part", "not_ours", kernel.not_ours());
  metrics.Family("tally_process_faults", true, "Page faults of the process.");
  metrics.Sample("kind", "minor", kernel.minor_faults);
  metrics.Sample("kind", "major", kernel.major_faults);
}

}  // namespace

void WriteMetrics(Text& out, const Report& report, bool is_open) {
  Metrics metrics(out, is_open);
  const Books& books = report.books;
  const auto one = [&](const char* name, bool is_counter, const char* help, uint64_t value) {
    metrics.Family(name, is_counter, help);
    metrics.Sample(value);
  };
  WriteIdentity(metrics, books);
  WriteKernel(metrics, report.kernel);
  WriteClasses(metrics, books);
  WriteTiers(metrics, books);
  one("tally_threads", false, "Threads with a cache.", books.live_threads);
  one("tally_threads_started", true, "Threads that ever had a cache.", books.threads_started);
  for (const Field<Books>& field : kTotalFields) {
    one(field.metric, field.is_counter, field.help, books.*field.value);
  }
  if (is_open) {
    out << "# EOF\n";
  }
}

}  // namespace tally
