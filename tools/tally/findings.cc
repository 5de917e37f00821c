// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/findings.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tools/tally/findings_growth.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

constexpr double kFragmentedPart = 0.5;     // of a class's memory that is free blocks in pools
constexpr double kFragmentedAllPart = 0.3;  // the same of all classes
constexpr double kCachedPart = 0.15;        // of touched memory
constexpr double kDirtyPart = 0.25;
constexpr double kRoundingPart = 0.2;
constexpr double kPurgesPerSecond = 200;
constexpr double kPurgedBytesPerSecond = 50 << 20;
constexpr double kPeakTimes = 1.25;  // as much touched memory as in the end
constexpr double kThreadsGrown = 2;  // times as many as in the beginning, and at least
constexpr double kThreadsWorth = 16;

using Found = std::vector<Finding>;

double PartOf(double part, double whole) { return whole == 0 ? 0 : part / whole; }

// A dump to judge, and how its findings begin: not all of a series ends at its worst.
struct Moment {
  const Dump& dump;
  std::string when;
};

void CheckFragmentation(const Moment& moment, Found& found) {
  const Dump& dump = moment.dump;
  const double worth = std::max(kWorthBytes, 0.05 * static_cast<double>(TouchedBytes(dump)));
  std::vector<std::pair<double, const ClassBooks*>> fragmented;
  for (const ClassBooks& entry : dump.classes) {
    const double free = static_cast<double>(entry.free_in_pools * entry.block_bytes);
    const double live = static_cast<double>(entry.live * entry.block_bytes);
    if (free >= worth && free >= kFragmentedPart * (free + live)) {
      fragmented.emplace_back(free, &entry);
    }
  }
  std::sort(fragmented.rbegin(), fragmented.rend());
  for (size_t i = 0; i < std::min<size_t>(fragmented.size(), 3); ++i) {
    const auto& [free, entry] = fragmented[i];
    const double live = static_cast<double>(entry->live * entry->block_bytes);
    found.push_back(
        {Weight::kAlarm,
         absl::StrCat(moment.when, "Fragmentation: class ", ClassName(entry->block_bytes),
                      " holds ", Bytes(free), " that nobody uses"),
         absl::StrCat(Percent(free / (free + live)), " of the memory of class ",
                      ClassName(entry->block_bytes),
                      " is free blocks in pools that are still in use: ", Blocks(entry->live),
                      " live blocks keep ", Blocks(entry->runs),
                      " runs of pools from going back to the system. Look for blocks of that size "
                      "that live long among many that do not.")});
  }
  const auto free = static_cast<double>(dump.term("free_in_pools"));
  const double all = free + static_cast<double>(dump.term("live"));
  if (fragmented.empty() && free >= 4 * kWorthBytes && free >= kFragmentedAllPart * all) {
    found.push_back(
        {Weight::kNotice,
         absl::StrCat(moment.when, "Fragmentation: ", Bytes(free), " over many size classes"),
         absl::StrCat(Percent(free / all),
                      " of the memory of blocks is free blocks in pools that are still "
                      "in use, in no class by itself remarkable.")});
  }
}

void CheckCached(const Moment& moment, Found& found) {
  const Dump& dump = moment.dump;
  const auto cached = static_cast<double>(dump.term("cached") + dump.term("transit"));
  const auto touched = static_cast<double>(TouchedBytes(dump));
  if (cached >= 4 * kWorthBytes && cached >= kCachedPart * touched) {
    const auto threads = static_cast<double>(std::max<uint64_t>(dump.threads, 1));
    found.push_back(
        {Weight::kNotice, absl::StrCat(moment.when, "Cached is high: ", Bytes(cached)),
         absl::StrCat(Percent(cached / touched),
                      " of touched memory is free blocks in the caches "
                      "of ",
                      dump.threads, " threads, ", Bytes(cached / threads),
                      " each. TALLY_MAGAZINE_KB lowers what a thread may keep; fewer threads keep "
                      "less.")});
  }
}

void CheckDirty(const Series& series, Found& found) {
  const auto parts = series.Values([](const Dump& dump) {
    return PartOf(static_cast<double>(dump.term("dirty")), static_cast<double>(TouchedBytes(dump)));
  });
  const auto dirty = static_cast<double>(series.last().term("dirty"));
  if (dirty < 4 * kWorthBytes || parts.back() < kDirtyPart) {
    return;
  }
  const auto often =
      std::count_if(parts.begin(), parts.end(), [](double part) { return part >= kDirtyPart; });
  const bool is_usual = static_cast<size_t>(often) * 2 > parts.size();
  found.push_back(
      {Weight::kNotice, absl::StrCat("Dirty is high: ", Bytes(dirty)),
       absl::StrCat(Percent(parts.back()),
                    " of touched memory is free and not yet given back. It goes after "
                    "TALLY_DECAY_MS without use. ",
                    is_usual && series.dumps.size() > 1
                        ? "So it is in most of these dumps: the program frees and allocates again "
                          "in waves, and a shorter decay would trade time for memory."
                        : "The program freed much just before.")});
}

void CheckPurges(const Series& series, Found& found) {
  if (series.span() == 0) {
    return;
  }
  const auto rate = [&series](uint64_t Dump::*counter) {
    return static_cast<double>(series.last().*counter - series.first().*counter) / series.span();
  };
  const double calls = rate(&Dump::purge_calls);
  const double bytes = rate(&Dump::purged_bytes);
  if (calls >= kPurgesPerSecond || bytes >= kPurgedBytesPerSecond) {
    found.push_back({Weight::kNotice, "Much memory goes back to the system and forth",
                     absl::StrCat("Purged: ", Bytes(bytes), " in ", Short(calls),
                                  " calls per second. A longer TALLY_DECAY_MS saves the page "
                                  "faults that follow.")});
  }
}

void CheckRounding(const Dump& dump, Found& found) {
  const auto live = static_cast<double>(dump.term("live"));
  double waste = 0;
  for (const TierBooks& tier : {dump.large, dump.huge}) {
    waste += static_cast<double>(tier.live_bytes) - static_cast<double>(tier.requested_bytes);
  }
  for (const ClassBooks& entry : dump.classes) {
    waste += static_cast<double>(entry.live * entry.block_bytes) * RoundingPart(entry);
  }
  if (waste >= 4 * kWorthBytes && waste >= kRoundingPart * live) {
    found.push_back({Weight::kNotice, absl::StrCat("Rounding costs ", Bytes(waste)),
                     absl::StrCat(Percent(waste / live),
                                  " of live memory is behind the bytes that were asked for; the "
                                  "table says in which classes.")});
  }
}

void CheckProgram(const Series& series, Found& found) {
  if (series.last().mismatched_sizes > 0) {
    found.push_back({Weight::kNotice, "Sized deletes do not match",
                     absl::StrCat(Blocks(series.last().mismatched_sizes),
                                  " times operator delete was given a size that is not the "
                                  "block's: a mistake in the program.")});
  }
  const auto before = static_cast<double>(series.first().threads);
  const auto after = static_cast<double>(series.last().threads);
  if (after >= before * kThreadsGrown && after - before >= kThreadsWorth) {
    found.push_back({Weight::kNotice, "Threads became many more",
                     absl::StrCat("From ", before, " to ", after, " in ", Duration(series.span()),
                                  ". Each has a cache of its own.")});
  }
}

// The last dump, and the one with most memory where that is much more.
std::vector<Moment> Moments(const Series& series) {
  std::vector<Moment> moments{{series.last(), ""}};
  const auto touched =
      series.Values([](const Dump& dump) { return static_cast<double>(TouchedBytes(dump)); });
  const auto most = std::max_element(touched.begin(), touched.end());
  if (*most > kPeakTimes * touched.back()) {
    const auto i = static_cast<size_t>(most - touched.begin());
    moments.push_back(
        {series.dumps[i], absl::StrCat("At the peak, after ", Duration(series.seconds[i]), ": ")});
  }
  return moments;
}

Finding Nothing(const Series& series) {
  const auto live =
      series.Values([](const Dump& dump) { return static_cast<double>(dump.term("live")); });
  const auto [low, high] = std::minmax_element(live.begin(), live.end());
  const auto touched = static_cast<double>(TouchedBytes(series.last()));
  std::string text = live.size() == 1 ? absl::StrCat("Live memory is ", Bytes(live.back()))
                                      : absl::StrCat("Live memory was between ", Bytes(*low),
                                                     " and ", Bytes(*high));
  absl::StrAppend(
      &text, "; of touched memory ",
      Percent(PartOf(static_cast<double>(series.last().term("free_in_pools")), touched)),
      " is free blocks in pools and ",
      Percent(PartOf(static_cast<double>(series.last().term("cached")), touched)), " is cached.");
  constexpr size_t kDumpsMin = kTrendDumpsMin * 3 / 2 + 1;
  if (live.size() < kDumpsMin) {
    absl::StrAppend(&text, " For trends give at least ", kDumpsMin, " dumps of the process.");
  }
  return {Weight::kGood, "Nothing stands out", text};
}

}  // namespace

std::vector<Finding> Findings(const Series& series) {
  Found found;
  FindGrowth(series, found);
  for (const auto& check : {CheckFragmentation, CheckCached}) {
    for (const Moment& moment : Moments(series)) {
      const size_t count = found.size();
      check(moment, found);
      if (found.size() > count) {
        break;
      }
    }
  }
  CheckDirty(series, found);
  CheckPurges(series, found);
  CheckRounding(series.last(), found);
  CheckProgram(series, found);
  if (found.empty()) {
    found.push_back(Nothing(series));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Finding& a, const Finding& b) { return a.weight < b.weight; });
  return found;
}

}  // namespace tally::tool
