// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What the exporter tells: the books of this user's running published processes as one page of
// metrics, named as a single process's report names them, with the labels `pid` and `command`.
//
// Called by command_exporter.
//
// Invariants:
//   1. A family stands on the page once, and no two samples have the same name and labels, whatever
//      published files hold: Prometheus would refuse the whole page.
// Threads: any; pages are made one after the other.

#ifndef TOOLS_TALLY_EXPORTER_H_
#define TOOLS_TALLY_EXPORTER_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tools/tally/view.h"

namespace tally::tool {

class Exporter {
 public:
  // On a page are at most `limit` processes: those that have most mapped.
  explicit Exporter(size_t limit) : limit_(limit) {}

  // The books as they are now. `is_open`: as OpenMetrics 1.0 has it, else in the older text format.
  std::string Page(bool is_open);

  // Something else of the exporter's failed.
  void CountError();

 private:
  std::vector<View> ReadViews();

  const size_t limit_;
  std::mutex mutex_;
  uint64_t errors_ = 0;
  std::set<std::string> complaints_;  // of the last page: each is printed once
};

}  // namespace tally::tool

#endif  // TOOLS_TALLY_EXPORTER_H_
