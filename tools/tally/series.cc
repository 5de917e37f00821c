// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/series.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tools/tally/delta.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

Holding ClassHolding(uint64_t block_bytes, const Series& series) {
  const auto values = [&](uint64_t ClassBooks::*field) {
    return series.Values([&](const Dump& dump) {
      const ClassBooks* entry = dump.FindClass(block_bytes);
      return entry == nullptr ? 0.0 : static_cast<double>(entry->*field);
    });
  };
  Holding holding{ClassName(block_bytes),         block_bytes,
                  values(&ClassBooks::live),      values(&ClassBooks::live),
                  values(&ClassBooks::allocated), values(&ClassBooks::freed)};
  for (double& bytes : holding.live_bytes) {
    bytes *= static_cast<double>(block_bytes);
  }
  return holding;
}

Holding TierHolding(const char* name, TierBooks Dump::*tier, const Series& series) {
  const auto values = [&](uint64_t TierBooks::*field) {
    return series.Values([&](const Dump& dump) { return static_cast<double>(dump.*tier.*field); });
  };
  return {name,
          0,
          values(&TierBooks::live_bytes),
          values(&TierBooks::live),
          values(&TierBooks::allocated),
          values(&TierBooks::freed)};
}

Series MakeSeries(std::vector<Dump> dumps) {
  Series series;
  series.dumps = std::move(dumps);
  std::set<uint64_t> sizes;
  for (const Dump& dump : series.dumps) {
    series.seconds.push_back(static_cast<double>(dump.time_ms - series.first().time_ms) / 1000);
    for (const ClassBooks& entry : dump.classes) {
      sizes.insert(entry.block_bytes);
    }
  }
  for (const uint64_t size : sizes) {
    series.holdings.push_back(ClassHolding(size, series));
  }
  series.holdings.push_back(TierHolding("large", &Dump::large, series));
  series.holdings.push_back(TierHolding("huge", &Dump::huge, series));
  return series;
}

}  // namespace

bool Series::has_kernel() const {
  return std::all_of(dumps.begin(), dumps.end(),
                     [](const Dump& dump) { return dump.kernel.is_known; });
}

std::vector<double> Series::Values(const std::function<double(const Dump&)>& of) const {
  std::vector<double> values;
  std::transform(dumps.begin(), dumps.end(), std::back_inserter(values), of);
  return values;
}

absl::StatusOr<Series> ReadSeries(const std::vector<std::string>& paths) {
  std::vector<Dump> dumps;
  for (const std::string& path : paths) {
    auto dump = ReadDump(path);
    if (!dump.ok()) {
      return dump.status();
    }
    dumps.push_back(*std::move(dump));
  }
  std::sort(dumps.begin(), dumps.end(), [](const Dump& a, const Dump& b) {
    return std::pair(a.time_ms, a.allocated_blocks()) < std::pair(b.time_ms, b.allocated_blocks());
  });
  for (size_t i = 1; i < dumps.size(); ++i) {
    const std::string why_not = WhyNotLater(dumps[i - 1], dumps[i]);
    if (!why_not.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          dumps[i].path, ": is no later dump of the process of ", dumps[i - 1].path, ": ", why_not,
          "; give the dumps of one process, or compare two with tally diff"));
    }
  }
  dumps.erase(std::unique(dumps.begin(), dumps.end(),
                          [](const Dump& a, const Dump& b) { return a.time_ms == b.time_ms; }),
              dumps.end());
  return MakeSeries(std::move(dumps));
}

Series Thinned(const Series& series, size_t count_max) {
  const size_t count = series.dumps.size();
  if (count <= count_max) {
    return series;
  }
  // Between the first and the last, count_max - 2 stretches of about the same length.
  const auto begin_of = [&](size_t stretch) {
    return series.dumps.begin() + 1 +
           static_cast<std::ptrdiff_t>(stretch * (count - 2) / (count_max - 2));
  };
  std::vector<Dump> kept{series.first()};
  for (size_t i = 0; i < count_max - 2; ++i) {
    kept.push_back(*std::max_element(
        begin_of(i), begin_of(i + 1),
        [](const Dump& a, const Dump& b) { return a.mapped_bytes < b.mapped_bytes; }));
  }
  kept.push_back(series.last());
  return MakeSeries(std::move(kept));
}

double RoundingPart(const ClassBooks& entry) {
  if (entry.samples == 0) {
    return 0;
  }
  const double mean = static_cast<double>(entry.sampled_bytes) / static_cast<double>(entry.samples);
  return std::clamp(1 - mean / static_cast<double>(entry.block_bytes), 0.0, 1.0);
}

uint64_t TouchedBytes(const Dump& dump) {
  return dump.mapped_bytes - dump.term("purged") - dump.term("never_touched");
}

uint64_t MetadataBytes(const Dump& dump) {
  return dump.kernel.is_known ? dump.kernel.resident_metadata : dump.term("metadata");
}

}  // namespace tally::tool
