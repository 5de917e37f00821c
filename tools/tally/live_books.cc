// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/live_books.h"

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/tally/live_reader.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

absl::Status Unreadable() {
  if (errno == EPERM) {
    return absl::PermissionDeniedError("the system does not let us read its memory");
  }
  if (errno == ESRCH) {
    return absl::NotFoundError("it has just ended");
  }
  return absl::FailedPreconditionError("its memory is not as it published it");
}

std::string AgeOf(uint64_t time_ms) {
  const uint64_t now = NowMs();
  return absl::StrFormat("%.1f s old", static_cast<double>(now - std::min(now, time_ms)) / 1000);
}

// What is printable of a string that may have no end.
std::string Ascii(const char* text, size_t bytes) {
  std::string result(text, strnlen(text, bytes));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '.');
  return result;
}

// Why there is only a snapshot.
std::string WhyNotPresent(const StatsHeader& header, const absl::Status& status) {
  if (!status.ok()) {
    return std::string(status.message());
  }
  return header.state == static_cast<uint64_t>(StatsState::kEnded) ? "the process has ended"
                                                                   : "the process was killed";
}

}  // namespace

absl::Status ReadLiveBooks(const ProcessMemory& memory, const StatsHeader& header,
                           Residency residency, View* view) {
  StatsDirectory directory;
  if (!memory.Read(header.directory_address, &directory, sizeof(directory))) {
    return Unreadable();
  }
  if (directory.magic != kStatsMagic || directory.version != kStatsVersion ||
      directory.directory_bytes != sizeof(directory)) {
    return absl::FailedPreconditionError("the process runs another program by now");
  }
  LiveReader reader(memory, directory, residency, view);
  if (!reader.ReadAll()) {
    return Unreadable();
  }
  reader.Finish();
  return absl::OkStatus();
}

absl::StatusOr<View> ReadView(const std::string& path, Residency residency) {
  absl::StatusOr<StatsFile> file = ReadStatsFile(path);
  if (!file.ok()) {
    return file.status();
  }
  View view;
  view.process = static_cast<int64_t>(file->header.process);
  view.command = Ascii(file->header.command, sizeof(file->header.command));
  view.version = Ascii(file->header.library, sizeof(file->header.library));
  absl::Status status;
  if (IsRunning(file->header)) {
    status = ReadLiveBooks(ProcessMemory(static_cast<pid_t>(view.process)), file->header, residency,
                           &view);
    if (status.ok()) {
      view.is_present = true;
      view.time_ms = NowMs();
      return view;
    }
  }
  view.books = file->snapshot.books;
  view.kernel = KernelBooks{};
  view.leaves = std::move(file->leaves);
  view.time_ms = file->snapshot.time_ms;
  view.origin = absl::StrCat("last snapshot, ", AgeOf(view.time_ms), ": ",
                             WhyNotPresent(file->header, status));
  return view;
}

}  // namespace tally::tool
