// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/view.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "allocator/text.h"

namespace tally::tool {

Report ReportOf(const View& view) {
  Report report{view.books,
                view.kernel,
                view.process,
                view.time_ms,
                {},
                view.leaves.data(),
                view.leaves.size() / kStatsLeafBytes,
                view.version.c_str()};
  const size_t length = std::min(view.command.size(), sizeof(report.command) - 1);
  std::memcpy(report.command, view.command.data(), length);
  return report;
}

// The writers write to a descriptor, as they must in a process whose heap is being described.
std::string Written(const std::function<void(Text& out)>& write) {
  const int file = memfd_create("tally-report", MFD_CLOEXEC);
  Text out(file);
  write(out);
  out.Flush();
  const off_t bytes = lseek(file, 0, SEEK_END);
  std::string text(bytes > 0 ? static_cast<size_t>(bytes) : 0, '\0');
  const ssize_t got = pread(file, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  close(file);
  return text;
}

std::string Render(const View& view, ReportFormat format) {
  return Written([&](Text& out) { WriteReportAs(format, out, ReportOf(view)); });
}

}  // namespace tally::tool
