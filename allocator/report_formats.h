// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What all forms of the report have in common, and the writers of each.
//
// Called by report.cc alone. Threads: under the lock of the shared books.

#ifndef ALLOCATOR_REPORT_FORMATS_H_
#define ALLOCATOR_REPORT_FORMATS_H_

#include <cstdint>

#include "allocator/books.h"
#include "allocator/text.h"

namespace tally {

struct Report {
  const Books& books;
  KernelBooks kernel;
  int64_t process;   // its id
  uint64_t time_ms;  // since 1970
  char command[32];  // as the kernel knows it; printable
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

void WriteText(Text& out, const Report& report);

// One object; its schema is tests/schema/report.json. Versioned by "schema": keys are added without
// a new number, never renamed or removed.
void WriteJson(Text& out, const Report& report);

// Metrics for Prometheus: `is_open` as OpenMetrics 1.0 has it, else the older text format. They
// differ in how a counter's family is named and in the end mark.
void WriteMetrics(Text& out, const Report& report, bool is_open);

}  // namespace tally

#endif  // ALLOCATOR_REPORT_FORMATS_H_
