// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Published files: finding them, and reading what they hold. Nothing in one is trusted.
//
// Called by ps, stat, top, map and exporter.

#ifndef TOOLS_TALLY_STATS_FILE_H_
#define TOOLS_TALLY_STATS_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "allocator/stats_format.h"

namespace tally::tool {

struct StatsFile {
  std::string path;
  StatsHeader header{};
  StatsSnapshot snapshot{};
  std::vector<char> leaves;  // those of the snapshot
};

// Reads the last whole snapshot. Not found, no permission, unavailable (nothing was written so
// far), or invalid argument: the message says what is wrong with the file.
absl::StatusOr<StatsFile> ReadStatsFile(const std::string& path);

// Whether the process that writes the file is running: its id is in use, since the same moment.
bool IsRunning(const StatsHeader& header);

// Where this user's processes publish. The first is where new ones do.
std::vector<std::string> PublishDirectories();

// The paths of all published files there, by process id.
std::vector<std::string> PublishedFiles();

// The path for what the user named: a process id, or a path. Not found, with a message that says
// what to do, where the process is not published.
absl::StatusOr<std::string> ResolveTarget(const std::string& target);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_STATS_FILE_H_
