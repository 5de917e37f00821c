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

void WriteText(Text& out, const Report& report);

// One object; its schema is tests/schema/report.json. Versioned by "schema": keys are added without
// a new number, never renamed or removed.
void WriteJson(Text& out, const Report& report);

// Metrics for Prometheus: `is_open` as OpenMetrics 1.0 has it, else the older text format. They
// differ in how a counter's family is named and in the end mark.
void WriteMetrics(Text& out, const Report& report, bool is_open);

}  // namespace tally

#endif  // ALLOCATOR_REPORT_FORMATS_H_
