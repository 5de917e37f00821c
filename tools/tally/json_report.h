// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Reads a dump: a report as TALLY_STATS_FORMAT=json writes it (tests/schema/report.json).
//
// Called by diff and report. Keys that are not known are passed over, for reports gain keys over
// time; everything else is held against the schema, so that whoever has a Dump can rely on it:
//
// Invariants:
//   1. The terms' sum is mapped_bytes.
//   2. Classes ascend by size, and no size is zero.
//   3. No number exceeds kNumberMax, nor do a class's live, cached, transit and free blocks in
//      bytes: the difference of two fits an int64_t.
//   4. Strings are short and of ASCII's printable characters. HTML is printable.

#ifndef TOOLS_TALLY_JSON_REPORT_H_
#define TOOLS_TALLY_JSON_REPORT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "allocator/stats_format.h"

namespace tally::tool {

inline constexpr uint64_t kNumberMax = uint64_t{1} << 57;

struct Term {
  std::string key;
  uint64_t bytes;
};

struct Dump {
  std::string path;     // where it was read
  std::string version;  // of the library
  std::string command;
  uint64_t process;  // its id
  uint64_t time_ms;  // since 1970
  uint64_t threads;
  uint64_t threads_peak;
  uint64_t threads_started;
  uint64_t mapped_bytes;
  std::vector<Term> terms;
  std::vector<ClassBooks> classes;
  TierBooks large;
  TierBooks huge;
  uint64_t heaps;
  uint64_t regions;
  uint64_t reserved_bytes;
  uint64_t purged_bytes;
  uint64_t purge_calls;
  uint64_t mismatched_sizes;
  KernelBooks kernel;  // is_known says whether it was there

  // Zero where there is none.
  uint64_t term(std::string_view key) const;
  const ClassBooks* FindClass(uint64_t block_bytes) const;  // or null
  uint64_t allocated_blocks() const;
  uint64_t freed_blocks() const;
};

// On failure the message is one line that begins with the path: what is wrong; what to do.
absl::StatusOr<Dump> ReadDump(const std::string& path);

// How people call a term, "in transit", and what it is. Of one that is not known the key, and "".
std::string TermTitle(const std::string& key);
std::string TermMeaning(const std::string& key);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_JSON_REPORT_H_
