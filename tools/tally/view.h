// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A view: one process's books at one moment, wherever they were read.
//
// Called by the commands that show books. stats_file.h and live_books.h make views.

#ifndef TOOLS_TALLY_VIEW_H_
#define TOOLS_TALLY_VIEW_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "allocator/report_formats.h"
#include "allocator/stats_format.h"

namespace tally::tool {

// How much of the kernel's books is wanted: all, or of the process's RSS and faults alone, which is
// several times cheaper.
enum class Residency : bool { kOfProcess, kOfEachPart };

struct View {
  Books books{};
  KernelBooks kernel{};
  std::vector<char> leaves;  // whole ones, all of this moment
  int64_t process = 0;
  uint64_t time_ms = 0;  // since 1970
  std::string command;
  std::string version;
  bool is_present = false;  // read from the living process, not from its last snapshot
  std::string origin;       // of a snapshot: why, and how old; one sentence without its full stop
};

// The view as the report's writers want it; it refers to `view`.
Report ReportOf(const View& view);

// What `write` writes.
std::string Written(const std::function<void(Text& out)>& write);

// The report in the format, as text.
std::string Render(const View& view, ReportFormat format);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_VIEW_H_
