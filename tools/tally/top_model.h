// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What `tally top` shows: the views of all published processes, and their rates since the last
// look.
//
// Called by command_top (refresh) and top_screen (draw).

#ifndef TOOLS_TALLY_TOP_MODEL_H_
#define TOOLS_TALLY_TOP_MODEL_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/tally/view.h"

namespace tally::tool {

struct TopRow {
  View view;
  double allocated_per_s = 0;   // blocks
  double freed_per_s = 0;       // blocks
  double live_bytes_per_s = 0;  // growth
  double faults_per_s = 0;      // minor and major
  std::array<double, kStatsClassesMax> class_allocated_per_s{};
};

enum class SortBy : uint8_t { kLive, kMapped, kRss, kRate, kProcess };
SortBy Next(SortBy sort);
const char* NameOf(SortBy sort);

class TopModel {
 public:
  // Looks at all processes again; at `chosen`, unless zero, in every detail.
  void Refresh(int64_t chosen);

  std::vector<const TopRow*> Sorted(SortBy sort) const;
  // Null where there is none.
  const TopRow* Find(int64_t process) const;

 private:
  std::map<int64_t, TopRow> rows_;
};

}  // namespace tally::tool

#endif  // TOOLS_TALLY_TOP_MODEL_H_
