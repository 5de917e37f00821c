// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

#include "allocator/books.h"
#include "allocator/options.h"
#include "allocator/os.h"
#include "allocator/process.h"
#include "allocator/report_formats.h"

namespace tally {
namespace {

constinit std::atomic<uint64_t> reports_to_files{0};
constinit std::atomic<bool> has_warned{false};

// The leaves' memory while a report is written.
class LeafMemory {
 public:
  LeafMemory() = default;
  ~LeafMemory() {
    if (start_ != nullptr) {
      os::Unmap(start_, bytes_);
    }
  }
  LeafMemory(const LeafMemory&) = delete;
  LeafMemory& operator=(const LeafMemory&) = delete;

  // Fills the report's books, and its leaves as far as there is memory.
  void TakeBooks(Report* report) {
    StatsLeaves none(nullptr, 0, 0);
    tally::TakeBooks(&shared_books.books, &none);
    constexpr size_t kMore = 4;  // for threads and regions that come in between
    bytes_ = (none.wanted() + kMore) * kStatsLeafBytes;
    bytes_ = (bytes_ + os::PageBytes() - 1) & ~(os::PageBytes() - 1);
    start_ = os::Map(bytes_);
    StatsLeaves leaves(static_cast<char*>(start_), start_ == nullptr ? 0 : bytes_, 0);
    tally::TakeBooks(&shared_books.books, &leaves);
    report->leaves = static_cast<const char*>(start_);
    report->leaf_count = leaves.count();
  }

 private:
  void* start_ = nullptr;
  size_t bytes_ = 0;
};

// False when the result does not fit.
bool ExpandPath(const char* pattern, Text& path) {
  for (const char* at = pattern; *at != '\0'; ++at) {
    const char next = at[0] == '%' ? at[1] : '\0';
    if (next == 'p') {
      path << int64_t{getpid()};
    } else if (next == 't') {
      path << NowSinceEpochMs() / 1000;
    } else if (next == 'n') {
      path << reports_to_files.load(std::memory_order_relaxed) %
                  (options.stats_keep == 0 ? 1 : options.stats_keep);
    } else {
      path << *at;
      continue;
    }
    ++at;
  }
  return path.size() < Text::kTextBytes;
}

bool WriteAndClose(int file, ReportFormat format) {
  if (file < 0) {
    return false;
  }
  const bool is_written = WriteReport(file, format);
  return close(file) == 0 && is_written;  // some file systems say only now that there is no room
}

bool WriteAside(const char* path, ReportFormat format) {
  Text aside;
  aside << path << ".tmp." << int64_t{getpid()};
  if (aside.size() >= Text::kTextBytes) {
    return false;
  }
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
  const int file = open(aside.c_str(), flags, 0644);
  if (file >= 0 && WriteAndClose(file, format) && rename(aside.c_str(), path) == 0) {
    return true;
  }
  if (file >= 0) {
    unlink(aside.c_str());
  }
  return false;
}

}  // namespace

bool WriteReport(int descriptor, ReportFormat format) {
  const MutexLock lock(shared_books.mutex);
  LeafMemory memory;
  Report report{shared_books.books, {}, getpid(), NowSinceEpochMs(), {}, nullptr, 0, TALLY_VERSION};
  ReadCommand(report.command, sizeof(report.command));
  memory.TakeBooks(&report);
  TakeKernelBooks(&report.kernel);
  Text out(descriptor);
  WriteReportAs(format, out, report);
  return out.Flush();
}

bool WriteReportToFile(const char* pattern, ReportFormat format) {
  Text path;
  if (!ExpandPath(pattern, path)) {
    return false;
  }
  reports_to_files.fetch_add(1, std::memory_order_relaxed);
  struct stat known {};
  if (stat(path.c_str(), &known) == 0 && !S_ISREG(known.st_mode)) {
    // A pipe that nobody reads must not hold up the program.
    return WriteAndClose(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC), format);
  }
  return WriteAside(path.c_str(), format);
}

void WriteReportAsConfigured(int descriptor) {
  ReportFormat format = ReportFormat::kText;
  ParseReportFormat(options.stats_format, &format);
  if (*options.stats_file == '\0') {
    WriteReport(descriptor, format);
    return;
  }
  const int saved_errno = errno;
  if (!WriteReportToFile(options.stats_file, format) && !has_warned.exchange(true)) {
    Text line(descriptor);
    line << "tally: warning: TALLY_STATS_FILE=" << options.stats_file
         << ": the report could not be written there\n";
    line.Flush();
  }
  errno = saved_errno;
}

}  // namespace tally
