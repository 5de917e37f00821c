// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/top_model.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "tools/tally/live_books.h"
#include "tools/tally/stats_file.h"

namespace tally::tool {
namespace {

// Counters may be read while they move: a rate is never below zero for it.
double Rate(uint64_t now, uint64_t before, double seconds) {
  return now > before && seconds > 0 ? static_cast<double>(now - before) / seconds : 0;
}

uint64_t FreedBlocks(const Books& books) {
  uint64_t blocks = books.large.freed + books.huge.freed;
  for (const ClassBooks& entry : books.classes) {
    blocks += entry.freed;
  }
  return blocks;
}

void FillRates(const View& before, TopRow* row) {
  const Books& now = row->view.books;
  const double seconds = static_cast<double>(row->view.time_ms - before.time_ms) / 1000;
  row->allocated_per_s = Rate(now.allocated_blocks(), before.books.allocated_blocks(), seconds);
  row->freed_per_s = Rate(FreedBlocks(now), FreedBlocks(before.books), seconds);
  row->live_bytes_per_s =
      (static_cast<double>(now.identity.live) - static_cast<double>(before.books.identity.live)) /
      seconds;
  row->faults_per_s = Rate(row->view.kernel.minor_faults + row->view.kernel.major_faults,
                           before.kernel.minor_faults + before.kernel.major_faults, seconds);
  for (size_t c = 1; c < kStatsClassesMax; ++c) {
    row->class_allocated_per_s[c] =
        Rate(now.classes[c].allocated, before.books.classes[c].allocated, seconds);
  }
}

uint64_t KeyOf(const TopRow& row, SortBy sort) {
  switch (sort) {
    case SortBy::kLive:
      return row.view.books.identity.live;
    case SortBy::kMapped:
      return row.view.books.mapped_bytes;
    case SortBy::kRss:
      return row.view.kernel.process_rss;
    case SortBy::kRate:
      return static_cast<uint64_t>(row.allocated_per_s);
    case SortBy::kProcess:
      return ~static_cast<uint64_t>(row.view.process);
  }
  return 0;
}

}  // namespace

SortBy Next(SortBy sort) {
  return sort == SortBy::kProcess ? SortBy::kLive
                                  : static_cast<SortBy>(static_cast<uint8_t>(sort) + 1);
}

const char* NameOf(SortBy sort) {
  constexpr const char* kNames[] = {"live bytes", "mapped", "RSS", "allocation rate", "process id"};
  return kNames[static_cast<uint8_t>(sort)];
}

void TopModel::Refresh(int64_t chosen) {
  const std::string chosen_name = "/" + std::to_string(chosen);
  std::map<int64_t, TopRow> rows;
  for (const std::string& path : PublishedFiles()) {
    absl::StatusOr<View> view = ReadView(
        path, absl::EndsWith(path, chosen_name) ? Residency::kOfEachPart : Residency::kOfProcess);
    if (!view.ok()) {
      continue;  // it ended, or begins; the next look will tell
    }
    TopRow row;
    row.view = *std::move(view);
    const auto before = rows_.find(row.view.process);
    if (before != rows_.end() && row.view.time_ms > before->second.view.time_ms) {
      FillRates(before->second.view, &row);
    }
    const int64_t process = row.view.process;
    rows.insert_or_assign(process, std::move(row));
  }
  rows_ = std::move(rows);
}

std::vector<const TopRow*> TopModel::Sorted(SortBy sort) const {
  std::vector<const TopRow*> rows;
  for (const auto& [process, row] : rows_) {
    rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(), [sort](const TopRow* a, const TopRow* b) {
    return KeyOf(*a, sort) > KeyOf(*b, sort);
  });
  return rows;
}

const TopRow* TopModel::Find(int64_t process) const {
  const auto found = rows_.find(process);
  return found == rows_.end() ? nullptr : &found->second;
}

}  // namespace tally::tool
