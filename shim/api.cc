// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Tally's own interface; tally.h has the contracts.

#include "allocator/allocator.h"
#include "allocator/core_table.h"
#include "allocator/options.h"
#include "allocator/report.h"
#include "shim/shim.h"
#include "shim/tally.h"

extern "C" {

TALLY_EXPORT const char* tally_version(void) { return TALLY_VERSION; }

TALLY_EXPORT void* tally_malloc8(size_t bytes) { return tally::Allocate8(bytes); }

TALLY_EXPORT size_t tally_usable_size(const void* block) { return tally::UsableSize(block); }

TALLY_EXPORT int tally_trim(void) { return tally::Trim() ? 1 : 0; }

TALLY_EXPORT int tally_stats_dump(int descriptor) {
  return tally::WriteReport(descriptor) ? 0 : -1;
}

TALLY_EXPORT int tally_dump(const char* pattern, const char* format) {
  tally::ReportFormat parsed = tally::ReportFormat::kText;
  if (format != nullptr && !tally::ParseReportFormat(format, &parsed)) {
    errno = EINVAL;
    return -1;
  }
  return tally::WriteReportToFile(pattern, parsed) ? 0 : -1;
}

TALLY_EXPORT int tally_option(const char* name, char* buffer, size_t bytes) {
  return tally::options.Describe(name, buffer, bytes) ? 0 : -1;
}

// For refgc, which looks the name up; tally.h does not show it.
TALLY_EXPORT const void* tally_core_table(uint32_t version) {
  return version == tally::kCoreTableVersion ? &tally::OwnCoreTable() : nullptr;
}

}  // extern "C"
