// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The report: the books, for people and for machines, to a descriptor or a file.
//
// Called at exit, by the reporter's thread, by malloc_stats and by tally_dump. Threads: any; one
// report at a time.

#ifndef ALLOCATOR_REPORT_H_
#define ALLOCATOR_REPORT_H_

#include "allocator/report_formats.h"

namespace tally {

// Writes the report to `descriptor`. False when something could not be written.
bool WriteReport(int descriptor, ReportFormat format = ReportFormat::kText);

// Writes the report to the file `pattern`: %p is the process id, %t the time in seconds, %n the
// number of the report in this process, which starts anew after TALLY_STATS_KEEP. The file is there
// whole or not at all (written aside, then renamed); what is no ordinary file is written to as it
// is. False when it could not be written.
bool WriteReportToFile(const char* pattern, ReportFormat format);

// Writes the report where the options say: to the file of TALLY_STATS_FILE, or to `descriptor`.
// When the file cannot be made, the first time, one line on `descriptor` says so.
void WriteReportAsConfigured(int descriptor);

}  // namespace tally

#endif  // ALLOCATOR_REPORT_H_
