// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "allocator/options.h"
#include "allocator/report_formats.h"

namespace tally {
namespace {

constexpr const char* kFormatNames[] = {"text", "json", "openmetrics", "prometheus"};

constinit std::atomic<uint64_t> reports_to_files{0};
constinit std::atomic<bool> has_warned{false};

// The kernel's name for the process, with a dot for what no format prints as it is.
void ReadCommand(char* command, size_t bytes) {
  const int file = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
  const ssize_t length = file < 0 ? 0 : read(file, command, bytes - 1);
  if (file >= 0) {
    close(file);
  }
  size_t used = 0;
  for (; static_cast<ssize_t>(used) < length && command[used] != '\n'; ++used) {
    const char c = command[used];
    command[used] = c < ' ' || c > '~' ? '.' : c;
  }
  command[used] = '\0';
}

uint64_t NowSinceEpochMs() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

// False when the result does not fit.
bool ExpandPath(const char* pattern, Text& path) {
  for (const char* at = pattern; *at != '\0'; ++at) {
    const char next = at[0] == '%' ? at[1] : '\0';
    if (next == 'p') {
      path << int64_t{getpid()};
    } else if (next == 't') {
      path << int64_t{time(nullptr)};
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

bool ParseReportFormat(const char* name, ReportFormat* format) {
  uint8_t index = 0;
  for (const char* known : kFormatNames) {
    if (strcmp(name, known) == 0) {
      *format = static_cast<ReportFormat>(index);
      return true;
    }
    ++index;
  }
  return false;
}

bool WriteReport(int descriptor, ReportFormat format) {
  const MutexLock lock(shared_books.mutex);
  Report report{shared_books.books, {}, getpid(), NowSinceEpochMs(), {}};
  ReadCommand(report.command, sizeof(report.command));
  TakeBooks(&shared_books.books);
  TakeKernelBooks(&report.kernel);
  Text out(descriptor);
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
