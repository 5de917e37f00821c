// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The report: the books as text for people.
//
// Called at exit, by malloc_stats and by tally_stats_dump. Threads: any; one report at a time.

#ifndef ALLOCATOR_REPORT_H_
#define ALLOCATOR_REPORT_H_

namespace tally {

// Writes the report to `descriptor`. False when something could not be written.
bool WriteReport(int descriptor);

// Writes the report where the options say: to the file of TALLY_STATS_FILE, or to `descriptor`.
// Warns once on stderr when the file cannot be made.
void WriteReportAsConfigured(int descriptor);

}  // namespace tally

#endif  // ALLOCATOR_REPORT_H_
