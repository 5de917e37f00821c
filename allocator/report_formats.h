// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What all forms of the report have in common, and the writers of each. A report may be of this
// process or, for tools/, of another.
//
// Called by report.cc and tools/. Threads: data that belongs to the caller.

#ifndef ALLOCATOR_REPORT_FORMATS_H_
#define ALLOCATOR_REPORT_FORMATS_H_

#include <cstdint>

#include "allocator/stats_format.h"
#include "allocator/text.h"

namespace tally {

enum class ReportFormat : uint8_t {
  kText,         // for people
  kJson,         // one object; tests/schema/report.json is its schema
  kOpenMetrics,  // OpenMetrics 1.0
  kPrometheus,   // Prometheus' older text format
};

// "text", "json", "openmetrics" or "prometheus". False, and *format as it was, for another name.
bool ParseReportFormat(const char* name, ReportFormat* format);

struct Report {
  const Books& books;
  KernelBooks kernel;
  int64_t process;     // its id
  uint64_t time_ms;    // since 1970
  char command[32];    // as the kernel knows it; printable
  const char* leaves;  // `leaf_count` leaves of this snapshot
  size_t leaf_count;
  const char* version;  // the library's

  // Calls visit(entry) for each entry of the leaves of the kind.
  template <typename Entry, typename Visit>
  void ForEachEntry(LeafKind kind, Visit visit) const {
    for (size_t i = 0; i < leaf_count; ++i) {
      const auto* leaf =
          reinterpret_cast<const StatsEntryLeaf<Entry>*>(leaves + i * kStatsLeafBytes);
      const size_t count =
          leaf->head.count < kStatsLeafEntries ? leaf->head.count : kStatsLeafEntries;
      for (size_t entry = 0; leaf->head.kind == kind && entry < count; ++entry) {
        visit(leaf->entries[entry]);
      }
    }
  }
};

// A number of a size class or a tier as scripts know it.
template <typename Subject>
struct Field {
  const char* key;
  const char* metric;  // without the suffix of a counter
  bool is_counter;
  const char* help;
  uint64_t Subject::*value;
};
inline constexpr Field<ClassBooks> kClassFields[] = {
    {"allocated", "tally_class_allocated_blocks", true, "Blocks of the size class ever allocated.",
     &ClassBooks::allocated},
    {"freed", "tally_class_freed_blocks", true, "Blocks of the size class ever freed.",
     &ClassBooks::freed},
    {"live", "tally_class_live_blocks", false, "Blocks of the size class in the program's hands.",
     &ClassBooks::live},
    {"cached", "tally_class_cached_blocks", false, "Free blocks in magazines and depots.",
     &ClassBooks::cached},
    {"transit", "tally_class_transit_blocks", false, "Free blocks on their way to their heap.",
     &ClassBooks::transit},
    {"free_in_pools", "tally_class_free_blocks", false, "Free blocks in pools in use.",
     &ClassBooks::free_in_pools},
    {"runs", "tally_class_runs", false, "Runs of pools of the size class.", &ClassBooks::runs},
    {"refills", "tally_class_refills", true, "Magazines refilled.", &ClassBooks::refills},
    {"flushes", "tally_class_flushes", true, "Magazines flushed.", &ClassBooks::flushes},
    {"samples", "tally_class_samples", true, "Allocations whose request was looked at.",
     &ClassBooks::samples},
    {"sampled_bytes", "tally_class_sampled_bytes", true, "The sum of these requests.",
     &ClassBooks::sampled_bytes},
};
inline constexpr Field<TierBooks> kTierFields[] = {
    {"allocated", "tally_tier_allocated_blocks", true, "Large and huge blocks ever allocated.",
     &TierBooks::allocated},
    {"freed", "tally_tier_freed_blocks", true, "Large and huge blocks ever freed.",
     &TierBooks::freed},
    {"live", "tally_tier_live_blocks", false, "Large and huge blocks in the program's hands.",
     &TierBooks::live},
    {"live_bytes", "tally_tier_live_bytes", false, "Memory of live large and huge blocks.",
     &TierBooks::live_bytes},
    {"requested_bytes", "tally_tier_requested_bytes", false, "What was asked for of it.",
     &TierBooks::requested_bytes},
};

// A number of the whole allocator.
inline constexpr Field<Books> kTotalFields[] = {
    {"heaps", "tally_heaps", false, "Heaps.", &Books::heaps},
    {"regions", "tally_regions", false, "Regions of 16 MiB.", &Books::regions},
    {"reserved_bytes", "tally_reserved_bytes", false, "Address space of regions.",
     &Books::reserved_bytes},
    {"mapped_peak_bytes", "tally_mapped_peak_bytes", false,
     "The most memory that was accessible at once.", &Books::mapped_peak_bytes},
    {"purged_bytes", "tally_purged_bytes", true, "Memory given back to the system.",
     &Books::purged_bytes},
    {"purge_calls", "tally_purge_calls", true, "System calls that gave memory back.",
     &Books::purge_calls},
    {"slow_calls", "tally_slow_calls", true, "Refills, flushes and countdowns that ran out.",
     &Books::slow_calls},
    {"slow_ns", "tally_slow_seconds", true, "Time in these, an estimate.", &Books::slow_ns},
    {"mismatched_sizes", "tally_mismatched_sizes", true,
     "Sized deletes that contradicted the block's class.", &Books::mismatched_sizes},
};

void WriteText(Text& out, const Report& report);

// One object; its schema is tests/schema/report.json. Versioned by "schema": keys are added without
// a new number, never renamed or removed.
void WriteJson(Text& out, const Report& report);

// Metrics for Prometheus: `is_open` as OpenMetrics 1.0 has it, else the older text format. They
// differ in how a counter's family is named and in the end mark.
void WriteMetrics(Text& out, const Report& report, bool is_open);

// One of several reports on a page. Its samples bear `labels`, such as `pid="1"`, beside their own.
struct MetricsSubject {
  const Report* report;
  const char* labels;
};
// As WriteMetrics of each, but every family once, and without OpenMetrics' end mark.
void WriteMetricsOf(Text& out, const MetricsSubject* subjects, size_t count, bool is_open);

void WriteReportAs(ReportFormat format, Text& out, const Report& report);

}  // namespace tally

#endif  // ALLOCATOR_REPORT_FORMATS_H_
