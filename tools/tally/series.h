// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The dumps of one process in the order of time, and the numbers that are told of them over time.
//
// Called by command_report.cc, findings.cc and page*.cc.

#ifndef TOOLS_TALLY_SERIES_H_
#define TOOLS_TALLY_SERIES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/tally/json_report.h"

namespace tally::tool {

// What the program holds in a size class, or in a tier of larger blocks.
struct Holding {
  std::string name;                // "64 B", "large"
  uint64_t block_bytes;            // zero for a tier
  std::vector<double> live_bytes;  // one for each dump
  std::vector<double> live_blocks;
  std::vector<double> allocated;  // blocks, ever
  std::vector<double> freed;
};

struct Series {
  std::vector<Dump> dumps;        // not empty; of one process, at ascending times
  std::vector<double> seconds;    // since the first, one for each dump
  std::vector<Holding> holdings;  // by size, then large and huge

  const Dump& first() const { return dumps.front(); }
  const Dump& last() const { return dumps.back(); }
  double span() const { return seconds.back(); }
  bool has_kernel() const;  // in every dump

  std::vector<double> Values(const std::function<double(const Dump&)>& of) const;
};

// On failure the message is one line that begins with the path: what is wrong; what to do. Of dumps
// of the same millisecond one is kept.
absl::StatusOr<Series> ReadSeries(const std::vector<std::string>& paths);

// As `series`, with at most `count_max` dumps. Of those between two that stay the one that has most
// mapped is kept: peaks remain.
Series Thinned(const Series& series, size_t count_max);

// Which part of a class's blocks is behind the bytes that were asked for, by the samples; zero
// without.
double RoundingPart(const ClassBooks& entry);

// Bytes that are, or may be, in physical memory, the whole of metadata included.
uint64_t TouchedBytes(const Dump& dump);

// Metadata in physical memory where the kernel says how much, else all of it.
uint64_t MetadataBytes(const Dump& dump);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_SERIES_H_
