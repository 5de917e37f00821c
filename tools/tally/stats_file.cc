// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/stats_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace tally::tool {
namespace {

constexpr uint64_t kFileBytesMax = uint64_t{1} << 30;  // 4 TiB of regions
constexpr int kTriesMax = 20;

// An open file that closes itself.
class File {
 public:
  explicit File(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {}
  ~File() {
    if (descriptor_ >= 0) {
      close(descriptor_);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  bool Stat(struct stat* known) const { return fstat(descriptor_, known) == 0; }
  bool Read(uint64_t offset, void* to, size_t bytes) const {
    size_t done = 0;
    while (done != bytes) {
      const ssize_t got = pread(descriptor_, static_cast<char*>(to) + done, bytes - done,
                                static_cast<off_t>(offset + done));
      if (got <= 0) {
        return false;
      }
      done += static_cast<size_t>(got);
    }
    return true;
  }

 private:
  int descriptor_;
};

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

absl::Status CheckHeader(const StatsHeader& header) {
  if (header.magic == 0 && header.version == kStatsVersion && header.published <= 1) {
    return absl::UnavailableError("nothing is published in it so far; try again");
  }
  if (header.magic != kStatsMagic) {
    return Bad("not a file that Tally published");
  }
  if (header.version != kStatsVersion) {
    return Bad(absl::StrCat("published by another version (layout ", header.version,
                            ", this tool reads ", kStatsVersion, "); use that version's tool"));
  }
  if (header.header_bytes != sizeof(StatsHeader) || header.published == 0 ||
      header.process > INT32_MAX) {
    return Bad("damaged: the header makes no sense");
  }
  return absl::OkStatus();
}

absl::Status CheckSnapshot(const StatsFile& file, uint64_t file_bytes) {
  const StatsSnapshot& snapshot = file.snapshot;
  if (snapshot.sequence != file.header.published || snapshot.checksum != StatsChecksum(snapshot)) {
    return Bad("damaged: the last snapshot's checksum is wrong");
  }
  if (snapshot.leaves > (file_bytes - kStatsLeavesAt) / kStatsLeafBytes) {
    return Bad("truncated: it ends within its last snapshot");
  }
  if (snapshot.books.identity.sum() != snapshot.books.mapped_bytes) {
    return Bad("damaged: the identity does not hold");
  }
  return absl::OkStatus();
}

// Leaves that a writer was just renewing when it was read, or died, are left out.
bool ReadLeaves(const File& from, StatsFile* file) {
  std::vector<char> leaves(file->snapshot.leaves * kStatsLeafBytes);
  if (!from.Read(kStatsLeavesAt, leaves.data(), leaves.size())) {
    return false;
  }
  for (size_t at = 0; at < leaves.size(); at += kStatsLeafBytes) {
    StatsLeafHead head;
    std::memcpy(&head, leaves.data() + at, sizeof(head));
    const auto begin = leaves.begin() + static_cast<ptrdiff_t>(at);
    if (head.sequence == file->snapshot.sequence) {
      file->leaves.insert(file->leaves.end(), begin, begin + kStatsLeafBytes);
    }
  }
  return true;
}

absl::Status ReadOnce(const File& from, uint64_t file_bytes, StatsFile* file) {
  if (!from.Read(0, &file->header, sizeof(file->header))) {
    return Bad("truncated: too short for a header");
  }
  if (absl::Status status = CheckHeader(file->header); !status.ok()) {
    return status;
  }
  const uint64_t at = kStatsHeaderBytes + file->header.published % 2 * kStatsSnapshotBytes;
  if (file_bytes < kStatsLeavesAt || !from.Read(at, &file->snapshot, sizeof(file->snapshot))) {
    return Bad("truncated: too short for its snapshots");
  }
  if (absl::Status status = CheckSnapshot(*file, file_bytes); !status.ok()) {
    return status;
  }
  file->leaves.clear();
  return ReadLeaves(from, file) ? absl::OkStatus() : Bad("truncated: its leaves cannot be read");
}

uint64_t StartTicksOf(uint64_t process) {
  std::ifstream stream(absl::StrCat("/proc/", process, "/stat"));
  std::stringstream text;
  text << stream.rdbuf();
  const std::string line = text.str();
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) {
    return 0;
  }
  constexpr size_t kStartTime = 22 - 2;  // fields after the name
  const std::vector<std::string> fields = absl::StrSplit(line.substr(name_end + 1), ' ');
  uint64_t ticks = 0;
  const bool is_ended = fields.size() > 1 && fields[1] == "Z";
  return fields.size() > kStartTime && !is_ended && absl::SimpleAtoi(fields[kStartTime], &ticks)
             ? ticks
             : 0;
}

}  // namespace

absl::StatusOr<StatsFile> ReadStatsFile(const std::string& path) {
  const File from(path);
  struct stat known {};
  if (!from.is_open() || !from.Stat(&known)) {
    return errno == EACCES ? absl::PermissionDeniedError("no permission to read it")
                           : absl::NotFoundError(std::strerror(errno));
  }
  if (!S_ISREG(known.st_mode)) {
    return Bad("not a file");
  }
  const auto bytes = static_cast<uint64_t>(known.st_size);
  if (bytes > kFileBytesMax) {
    return Bad("larger than a published file can be");
  }
  StatsFile file;
  file.path = path;
  absl::Status status;
  // A writer may overtake us: then what we read is torn, and the header names a newer snapshot.
  for (int i = 0; i < kTriesMax; ++i) {
    status = ReadOnce(from, bytes, &file);
    const uint64_t published = file.header.published;
    StatsHeader now;
    if (status.ok() || !from.Read(0, &now, sizeof(now)) || now.published == published) {
      break;
    }
  }
  if (!status.ok()) {
    return status;
  }
  return file;
}

bool IsRunning(const StatsHeader& header) {
  return header.state != static_cast<uint64_t>(StatsState::kEnded) && header.process != 0 &&
         StartTicksOf(header.process) == header.start_ticks;
}

std::vector<std::string> PublishDirectories() {
  std::vector<std::string> directories;
  const char* chosen = std::getenv("TALLY_PUBLISH_DIR");
  if (chosen != nullptr && *chosen != '\0') {
    return {chosen};
  }
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime == '/') {
    directories.push_back(absl::StrCat(runtime, "/tally"));
  }
  directories.push_back(absl::StrCat("/dev/shm/tally-", getuid()));
  return directories;
}

std::vector<std::string> PublishedFiles() {
  std::vector<std::pair<uint64_t, std::string>> found;
  for (const std::string& directory : PublishDirectories()) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
      uint64_t process = 0;
      if (absl::SimpleAtoi(entry.path().filename().string(), &process)) {
        found.emplace_back(process, entry.path().string());
      }
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> paths;
  for (auto& [process, path] : found) {
    paths.push_back(std::move(path));
  }
  return paths;
}

absl::StatusOr<std::string> ResolveTarget(const std::string& target) {
  uint64_t process = 0;
  if (!absl::SimpleAtoi(target, &process)) {
    return target;
  }
  std::vector<std::string> directories = PublishDirectories();
  struct stat known {};
  if (stat(absl::StrCat("/proc/", process).c_str(), &known) == 0) {  // another user's, for root
    directories.push_back(absl::StrCat("/dev/shm/tally-", known.st_uid));
    directories.push_back(absl::StrCat("/run/user/", known.st_uid, "/tally"));
  }
  for (const std::string& directory : directories) {
    std::string path = absl::StrCat(directory, "/", process);
    if (access(path.c_str(), F_OK) == 0) {
      return path;
    }
  }
  return absl::NotFoundError(
      kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH
          ? absl::StrCat("there is no process ", process)
          : absl::StrCat("process ", process,
                         " is not published; start it with `tally run` or TALLY_PUBLISH=1"));
}

}  // namespace tally::tool
