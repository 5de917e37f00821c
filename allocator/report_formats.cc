// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/report_formats.h"

#include <string.h>

namespace tally {

bool ParseReportFormat(const char* name, ReportFormat* format) {
  constexpr const char* kNames[] = {"text", "json", "openmetrics", "prometheus"};
  uint8_t index = 0;
  for (const char* known : kNames) {
    if (strcmp(name, known) == 0) {
      *format = static_cast<ReportFormat>(index);
      return true;
    }
    ++index;
  }
  return false;
}

void WriteReportAs(ReportFormat format, Text& out, const Report& report) {
  switch (format) {
    case ReportFormat::kText:
      WriteText(out, report);
      break;
    case ReportFormat::kJson:
      WriteJson(out, report);
      break;
    case ReportFormat::kOpenMetrics:
    case ReportFormat::kPrometheus:
      WriteMetrics(out, report, format == ReportFormat::kOpenMetrics);
      break;
  }
}

}  // namespace tally
