// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// For Prometheus and its kin.

#include "allocator/report_formats.h"

namespace tally {
namespace {

class Metrics {
 public:
  Metrics(Text& out, const MetricsSubject* subjects, size_t count, bool is_open)
      : out_(out), subjects_(subjects), count_(count), is_open_(is_open) {}

  // A family: `write(report)` calls Sample for each of a report's.
  template <typename Write>
  void Family(const char* name, bool is_counter, const char* help, Write write) {
    name_ = name;
    help_ = help;
    suffix_ = is_counter ? "_total" : "";
    has_head_ = false;
    for (size_t i = 0; i < count_; ++i) {
      labels_ = subjects_[i].labels;
      write(*subjects_[i].report);
    }
  }
  // A family of one sample a report.
  template <typename Value>
  void One(const char* name, bool is_counter, const char* help, Value value) {
    Family(name, is_counter, help, [&](const Report& report) { Sample(value(report)); });
  }

  void Sample(uint64_t value) {
    Name();
    if (*labels_ != '\0') {
      out_ << '{' << labels_ << '}';
    }
    out_ << ' ' << value << '\n';
  }
  template <typename LabelValue>
  void Sample(const char* label, LabelValue label_value, uint64_t value) {
    Name();
    out_ << '{' << labels_ << (*labels_ != '\0' ? "," : "") << label << "=\"" << label_value
         << "\"} " << value << '\n';
  }
  void SampleSeconds(uint64_t ns) {
    constexpr uint64_t kSecond = 1000000000;
    Name();
    if (*labels_ != '\0') {
      out_ << '{' << labels_ << '}';
    }
    out_ << ' ' << ns / kSecond << '.';
    for (uint64_t digit = kSecond / 10; digit != 0; digit /= 10) {
      out_ << static_cast<char>('0' + ns / digit % 10);
    }
    out_ << '\n';
  }

 private:
  // Of the sample, after the family's head if it is the first.
  void Name() {
    if (!has_head_) {
      // OpenMetrics names a counter's family without the suffix of its samples.
      const char* family_suffix = is_open_ ? "" : suffix_;
      out_ << "# HELP " << name_ << family_suffix << ' ' << help_ << '\n';
      out_ << "# TYPE " << name_ << family_suffix << (*suffix_ != '\0' ? " counter\n" : " gauge\n");
      has_head_ = true;
    }
    out_ << name_ << suffix_;
  }

  Text& out_;
  const MetricsSubject* subjects_;
  size_t count_;
  bool is_open_;
  bool has_head_ = false;
  const char* name_ = "";
  const char* help_ = "";
  const char* suffix_ = "";
  const char* labels_ = "";
};

void WriteIdentity(Metrics& metrics) {
  metrics.One("tally_mapped_bytes", false, "Accessible memory of the allocator.",
              [](const Report& report) { return report.books.mapped_bytes; });
  metrics.Family("tally_identity_bytes", false, "What mapped memory is; the terms' sum is mapped.",
                 [&](const Report& report) {
                   for (const IdentityTerm& term : kIdentityTerms) {
                     metrics.Sample("term", term.key, report.books.identity.*term.bytes);
                   }
                 });
}

void WriteKernel(Metrics& metrics) {
  const auto family = [&](const char* name, bool is_counter, const char* help, auto write) {
    metrics.Family(name, is_counter, help, [&](const Report& report) {
      if (report.kernel.is_known) {
        write(report.kernel);
      }
    });
  };
  family("tally_process_resident_bytes", false, "RSS of the process.",
         [&](const KernelBooks& kernel) { metrics.Sample(kernel.process_rss); });
  family("tally_resident_bytes", false, "What of the RSS is whose.",
         [&](const KernelBooks& kernel) {
           metrics.Sample("part", "blocks", kernel.resident_blocks);
           metrics.Sample("part", "large", kernel.resident_large);
           metrics.Sample("part", "free", kernel.resident_free);
           metrics.Sample("part", "huge", kernel.resident_huge);
           metrics.Sample("part", "metadata", kernel.resident_metadata);
           metrics.Sample("part", "not_ours", kernel.not_ours());
         });
  family("tally_process_faults", true, "Page faults of the process.",
         [&](const KernelBooks& kernel) {
           metrics.Sample("kind", "minor", kernel.minor_faults);
           metrics.Sample("kind", "major", kernel.major_faults);
         });
}

void WriteClassField(Metrics& metrics, const Field<ClassBooks>& field) {
  metrics.Family(field.metric, field.is_counter, field.help, [&](const Report& report) {
    // The books of another process may be damaged: no two samples are of the same size.
    uint64_t last_bytes = 0;
    for (const ClassBooks& entry : report.books.classes) {
      if (entry.was_used() && entry.block_bytes > last_bytes) {
        metrics.Sample("size", entry.block_bytes, entry.*field.value);
        last_bytes = entry.block_bytes;
      }
    }
  });
}

void WriteClasses(Metrics& metrics) {
  // A label cannot be reckoned with: times this, blocks are bytes.
  WriteClassField(metrics, {"size", "tally_class_block_bytes", false,
                            "Bytes of a block of the size class.", &ClassBooks::block_bytes});
  for (const Field<ClassBooks>& field : kClassFields) {
    WriteClassField(metrics, field);
  }
}

void WriteTiers(Metrics& metrics) {
  for (const Field<TierBooks>& field : kTierFields) {
    metrics.Family(field.metric, field.is_counter, field.help, [&](const Report& report) {
      metrics.Sample("tier", "large", report.books.large.*field.value);
      metrics.Sample("tier", "huge", report.books.huge.*field.value);
    });
  }
}

void WriteTotals(Metrics& metrics) {
  metrics.One("tally_threads", false, "Threads with a cache.",
              [](const Report& report) { return report.books.live_threads; });
  metrics.One("tally_threads_started", true, "Threads that ever had a cache.",
              [](const Report& report) { return report.books.threads_started; });
  for (const Field<Books>& field : kTotalFields) {
    metrics.Family(field.metric, field.is_counter, field.help, [&](const Report& report) {
      const uint64_t value = report.books.*field.value;
      if (field.value == &Books::slow_ns) {  // seconds are Prometheus' base unit
        metrics.SampleSeconds(value);
      } else {
        metrics.Sample(value);
      }
    });
  }
}

}  // namespace

void WriteMetricsOf(Text& out, const MetricsSubject* subjects, size_t count, bool is_open) {
  Metrics metrics(out, subjects, count, is_open);
  WriteIdentity(metrics);
  WriteKernel(metrics);
  WriteClasses(metrics);
  WriteTiers(metrics);
  WriteTotals(metrics);
}

void WriteMetrics(Text& out, const Report& report, bool is_open) {
  const MetricsSubject only{&report, ""};
  WriteMetricsOf(out, &only, 1, is_open);
  if (is_open) {
    out << "# EOF\n";
  }
}

}  // namespace tally
