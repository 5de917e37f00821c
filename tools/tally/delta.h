// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What changed between two dumps.
//
// Called by command_diff.cc (two dumps of any processes) and series.cc (whether dumps are of one).

#ifndef TOOLS_TALLY_DELTA_H_
#define TOOLS_TALLY_DELTA_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tools/tally/json_report.h"

namespace tally::tool {

struct Change {
  uint64_t before = 0;
  uint64_t after = 0;

  int64_t by() const { return static_cast<int64_t>(after - before); }
  bool is_none() const { return before == after; }
};

// A size class, or a tier of larger blocks.
struct ClassDelta {
  std::string name;          // "64 B", "large"
  uint64_t block_bytes = 0;  // zero for a tier
  Change live_bytes;
  Change live_blocks;
  Change allocated;  // blocks, ever
  Change freed;

  bool is_none() const {
    return live_bytes.is_none() && live_blocks.is_none() && allocated.is_none() && freed.is_none();
  }
};

struct TermDelta {
  std::string key;
  Change bytes;
};

struct Delta {
  std::vector<ClassDelta> classes;  // those of either, largest change of live bytes first
  std::vector<TermDelta> terms;     // in the order of reports
  ClassDelta total;
};

Delta Compare(const Dump& before, const Dump& after);

// Why the second is not a later dump of the first one's process; empty: it is one. Counters tell a
// process that was replaced by exec, or whose id was given away again.
std::string WhyNotLater(const Dump& first, const Dump& second);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_DELTA_H_
