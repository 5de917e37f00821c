// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/findings_growth.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

// A process grows while it starts: trends are of the later two thirds of the time.
constexpr double kSettledFrom = 1.0 / 3;
constexpr double kFitMin = 0.9;
constexpr double kGrowthPartMin = 0.1;  // of what there is in the end
constexpr double kWaveTimes = 2;        // the most that was live, to the least

// How values went over time.
struct Trend {
  double growth;      // from the first to the last
  double per_second;  // of the straight line that fits best
  double fit;         // R squared: 1 where all lie on that line
};

Trend TrendOf(const std::vector<double>& seconds, const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const double mean_x = std::accumulate(seconds.begin(), seconds.end(), 0.0) / count;
  const double mean_y = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double xx = 0;
  double xy = 0;
  double yy = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double x = seconds[i] - mean_x;
    const double y = values[i] - mean_y;
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  return {.growth = values.back() - values.front(),
          .per_second = xx == 0 ? 0 : xy / xx,
          .fit = xx == 0 || yy == 0 ? 0 : xy * xy / (xx * yy)};
}

// As a sentence calls it.
std::string Blame(const Holding& holding) {
  if (holding.block_bytes != 0) {
    return absl::StrCat("class ", holding.name);
  }
  return absl::StrCat(holding.name, " blocks");
}

// The later part of a series, and the trends there.
struct Settled {
  const Series& series;
  size_t begin;

  explicit Settled(const Series& all) : series(all), begin(0) {
    while (all.seconds[begin] < all.span() * kSettledFrom) {
      ++begin;
    }
  }
  size_t count() const { return series.dumps.size() - begin; }
  double seconds() const { return series.span() - series.seconds[begin]; }
  Trend Of(const std::vector<double>& values) const {
    const auto from = static_cast<std::ptrdiff_t>(begin);
    return TrendOf({series.seconds.begin() + from, series.seconds.end()},
                   {values.begin() + from, values.end()});
  }
};

struct Grower {
  const Holding* holding;
  Trend trend;
};

bool IsSteady(const Trend& trend, double last, double worth_bytes) {
  return trend.fit >= kFitMin && trend.growth >= std::max(worth_bytes, kGrowthPartMin * last);
}

std::vector<Grower> Growers(const Settled& settled) {
  std::vector<Grower> growers;
  for (const Holding& holding : settled.series.holdings) {
    const Trend trend = settled.Of(holding.live_bytes);
    if (trend.growth > 0) {
      growers.push_back({&holding, trend});
    }
  }
  std::sort(growers.begin(), growers.end(),
            [](const Grower& a, const Grower& b) { return a.trend.growth > b.trend.growth; });
  return growers;
}

std::string Parts(const std::vector<Grower>& growers, double all) {
  constexpr double kWorthNaming = 0.01;
  std::vector<std::string> parts;
  for (size_t i = 0; i < std::min<size_t>(growers.size(), 3); ++i) {
    if (growers[i].trend.growth < kWorthNaming * all) {
      break;
    }
    parts.push_back(
        absl::StrCat(Blame(*growers[i].holding), " ", Percent(growers[i].trend.growth / all)));
  }
  return absl::StrJoin(parts, ", ");
}

void ReportLeak(const Settled& settled, const Trend& live, const std::vector<Grower>& growers,
                std::vector<Finding>& found) {
  const double all =
      std::accumulate(growers.begin(), growers.end(), 0.0,
                      [](double sum, const Grower& grower) { return sum + grower.trend.growth; });
  const double last = static_cast<double>(settled.series.last().term("live"));
  std::string text = absl::StrCat(
      "Live bytes grew by ", Bytes(live.growth), " in ", Duration(settled.seconds()), ", from ",
      Bytes(last - live.growth), " to ", Bytes(last), ", nearly linearly: ", Bytes(live.per_second),
      " per second. Of all growth: ", Parts(growers, all), ".");
  const Grower& top = growers.front();
  std::string where = "leak over several size classes";
  if (top.trend.growth >= all / 2) {
    where = absl::StrCat("leak in ", Blame(*top.holding));
    absl::StrAppend(&text, " ", Short(settled.Of(top.holding->live_blocks).per_second),
                    " more blocks of it live every second. Look for who allocates ",
                    top.holding->block_bytes == 0
                        ? "blocks above 32 KiB"
                        : absl::StrCat("blocks of up to ", top.holding->block_bytes, " bytes"),
                    " and keeps them.");
  }
  found.push_back({Weight::kAlarm, "Live memory grows steadily: looks like a " + where, text});
}

void CheckWaves(const Settled& settled, std::vector<Finding>& found) {
  const auto live = settled.series.Values(
      [](const Dump& dump) { return static_cast<double>(dump.term("live")); });
  const auto from = live.begin() + static_cast<std::ptrdiff_t>(settled.begin);
  const auto [low, high] = std::minmax_element(from, live.end());
  if (*high - *low >= 4 * kWorthBytes && *high >= kWaveTimes * *low) {
    found.push_back({Weight::kNotice, "Live memory comes and goes",
                     absl::StrCat("It was between ", Bytes(*low), " and ", Bytes(*high), " in ",
                                  Duration(settled.seconds()), ", and ", Bytes(live.back()),
                                  " in the end. A limit must leave room for the most.")});
  }
}

void CheckGrowth(const Settled& settled, std::vector<Finding>& found) {
  const Series& series = settled.series;
  const auto live =
      series.Values([](const Dump& dump) { return static_cast<double>(dump.term("live")); });
  const Trend trend = settled.Of(live);
  const std::vector<Grower> growers = Growers(settled);
  if (IsSteady(trend, live.back(), kWorthBytes) && !growers.empty()) {
    ReportLeak(settled, trend, growers, found);
    return;
  }
  const double worth_bytes = std::max(kWorthBytes, 0.02 * live.back());
  for (const Grower& grower : growers) {
    if (IsSteady(grower.trend, grower.holding->live_bytes.back(), worth_bytes)) {
      found.push_back({Weight::kAlarm,
                       absl::StrCat("Looks like a leak in ", Blame(*grower.holding)),
                       absl::StrCat("Its live bytes grew by ", Bytes(grower.trend.growth), " in ",
                                    Duration(settled.seconds()), ", nearly linearly (",
                                    Bytes(grower.trend.per_second),
                                    " per second), though live memory as a whole does not.")});
      return;
    }
  }
  CheckWaves(settled, found);
  if (found.empty() && trend.growth >= std::max(kWorthBytes, kGrowthPartMin * live.back())) {
    found.push_back(
        {Weight::kNotice, "Live memory grew, but not steadily",
         absl::StrCat("By ", Bytes(trend.growth), " in ", Duration(settled.seconds()), ", to ",
                      Bytes(live.back()),
                      ". A cache that fills, or work that comes in phases, looks like this; a "
                      "longer series tells.")});
  }
}

void CheckOutside(const Settled& settled, std::vector<Finding>& found) {
  if (!settled.series.has_kernel()) {
    return;
  }
  const auto outside = settled.series.Values(
      [](const Dump& dump) { return static_cast<double>(dump.kernel.not_ours()); });
  const Trend trend = settled.Of(outside);
  if (IsSteady(trend, outside.back(), 4 * kWorthBytes)) {
    found.push_back({Weight::kAlarm, "Memory outside malloc grows steadily",
                     absl::StrCat("Resident memory that is not Tally's (code, stacks, files, the "
                                  "program's own mmap) grew by ",
                                  Bytes(trend.growth), " in ", Duration(settled.seconds()), ", to ",
                                  Bytes(outside.back()), ".")});
  }
}

}  // namespace

void FindGrowth(const Series& series, std::vector<Finding>& found) {
  const Settled settled(series);
  if (settled.count() >= kTrendDumpsMin) {
    CheckGrowth(settled, found);
    CheckOutside(settled, found);
  }
}

}  // namespace tally::tool
