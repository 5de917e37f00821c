// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/panels.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/tally/chart.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

constexpr size_t kClassesShown = 8;
constexpr double kLowHeight = 190;
constexpr int kLargeColor = 8;
constexpr int kHugeColor = 9;
constexpr int kOtherColor = 10;

// What is, or may be, in physical memory. What is purged or was never touched is not, and of the
// metadata most is a mapping of the zero page.
struct Tenant {
  const char* name;
  const char* meaning;
  int color;
  double (*bytes)(const Dump& dump);
};
double TermOf(const Dump& dump, const char* key) { return static_cast<double>(dump.term(key)); }
constexpr Tenant kOutside = {
    "outside Tally", "code, stacks, files and other mappings of the process", kOtherColor,
    [](const Dump& dump) { return static_cast<double>(dump.kernel.not_ours()); }};
constexpr Tenant kTenants[] = {
    {"metadata", "Tally's own, as far as it is resident", 6,
     [](const Dump& dump) { return static_cast<double>(MetadataBytes(dump)); }},
    {"live", "blocks in the program's hands, rounding included", 0,
     [](const Dump& dump) { return TermOf(dump, "live"); }},
    {"cached", "free blocks in the threads' caches and on their way home", 5,
     [](const Dump& dump) { return TermOf(dump, "cached") + TermOf(dump, "transit"); }},
    {"free in pools", "free blocks in pools that are still in use: fragmentation", 1,
     [](const Dump& dump) { return TermOf(dump, "free_in_pools"); }},
    {"tails", "outside the blocks of a run of pools", 4,
     [](const Dump& dump) { return TermOf(dump, "tails"); }},
    {"dirty", "free, not yet given back to the system", 3,
     [](const Dump& dump) { return TermOf(dump, "dirty"); }},
};

std::string WaterfallBars(const Dump& dump) {
  std::vector<Bar> bars{{"mapped", "accessible memory that is Tally's", kInk, 0,
                         static_cast<double>(dump.mapped_bytes)}};
  double offset = 0;
  for (const Term& term : dump.terms) {
    int color = kOtherColor;
    for (const Tenant& tenant : kTenants) {
      if (TermTitle(term.key) == tenant.name) {
        color = tenant.color;
      }
    }
    const auto bytes = static_cast<double>(term.bytes);
    bars.push_back({TermTitle(term.key), TermMeaning(term.key), color, offset, bytes});
    offset += bytes;
  }
  if (dump.kernel.is_known) {
    bars.push_back({"RSS of the process", "physical memory, what is not Tally's included", kInk, 0,
                    static_cast<double>(dump.kernel.process_rss)});
  }
  return Bars("Where the memory is",
              "Every mapped byte of Tally, as a sum. Purged and never touched memory, and most of "
              "the metadata, costs address space alone.",
              bars);
}

struct Ranked {
  const Holding* holding;
  double most_bytes;
};

std::vector<Ranked> RankedClasses(const Series& series) {
  std::vector<Ranked> ranked;
  for (const Holding& holding : series.holdings) {
    if (holding.block_bytes != 0) {
      const auto& bytes = holding.live_bytes;
      ranked.push_back({&holding, *std::max_element(bytes.begin(), bytes.end())});
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.most_bytes > b.most_bytes; });
  return ranked;
}

// The classes that ever held most, the tiers, and all others as one.
std::vector<Layer> ClassLayers(const Series& series) {
  std::vector<Layer> layers;
  Layer others{"other classes", "", kOtherColor, std::vector<double>(series.dumps.size(), 0)};
  for (const Ranked& ranked : RankedClasses(series)) {
    const auto& bytes = ranked.holding->live_bytes;
    if (layers.size() < kClassesShown) {
      layers.push_back({ranked.holding->name, "", static_cast<int>(layers.size()), bytes});
    } else {
      std::transform(bytes.begin(), bytes.end(), others.values.begin(), others.values.begin(),
                     std::plus<>());
    }
  }
  const Holding* tiers = &series.holdings.back() - 1;
  layers.push_back({"large", "blocks above 32 KiB: runs of pools of their own", kLargeColor,
                    tiers[0].live_bytes});
  layers.push_back({"huge", "mappings of their own", kHugeColor, tiers[1].live_bytes});
  layers.push_back(std::move(others));
  return layers;
}

// How fast the counter rose between each dump and the one before, per second; the first has the
// rate of the second. `weigh` tells what a block of the holding counts.
template <typename Weigh>
std::vector<double> Rates(const Series& series, std::vector<double> Holding::*counter,
                          Weigh weigh) {
  std::vector<double> rates(series.dumps.size(), 0);
  for (const Holding& holding : series.holdings) {
    const auto& counts = holding.*counter;
    for (size_t i = 1; i < rates.size(); ++i) {
      rates[i] += weigh(holding) * (counts[i] - counts[i - 1]) /
                  (series.seconds[i] - series.seconds[i - 1]);
    }
  }
  rates[0] = rates[1];
  return rates;
}

std::string MeterCell(double part, const std::string& text) {
  return absl::StrCat("<td class=\"meter\" style=\"--part:", absl::StrFormat("%.3f", part), "\">",
                      text, "</td>");
}

// The cells from "cached" on.
std::string ClassCells(const ClassBooks& entry) {
  const auto bytes = [&entry](uint64_t blocks) {
    return static_cast<double>(blocks * entry.block_bytes);
  };
  const double free = bytes(entry.free_in_pools);
  const double used = free + bytes(entry.live);
  return absl::StrCat("<td>", Bytes(bytes(entry.cached) + bytes(entry.transit)), "</td><td>",
                      Bytes(free), "</td>",
                      used == 0 ? "<td></td>" : MeterCell(free / used, Percent(free / used)),
                      "<td>", Blocks(entry.runs), "</td><td>",
                      entry.samples == 0 ? "" : Percent(RoundingPart(entry)), "</td>");
}

std::string TierCells(const TierBooks& tier) {
  const auto live = static_cast<double>(tier.live_bytes);
  const double rounding = live == 0 ? 0 : 1 - static_cast<double>(tier.requested_bytes) / live;
  return absl::StrCat("<td></td><td></td><td></td><td></td><td>", Percent(rounding), "</td>");
}

std::string Row(const Series& series, const Holding& holding, double most_live) {
  const double live = holding.live_bytes.back();
  std::string html =
      absl::StrCat("<tr><td>", holding.name, "</td><td>",
                   Blocks(static_cast<uint64_t>(holding.live_blocks.back())), "</td>",
                   MeterCell(most_live == 0 ? 0 : live / most_live, Bytes(live)));
  if (series.span() > 0) {
    const double allocated = holding.allocated.back() - holding.allocated.front();
    absl::StrAppend(&html, "<td>", SignedBytes(live - holding.live_bytes.front()), "</td><td>",
                    Short(allocated / series.span()), "</td>");
  }
  absl::StrAppend(&html, "<td>", Blocks(static_cast<uint64_t>(holding.allocated.back())), "</td>");
  const Dump& last = series.last();
  const ClassBooks* entry = last.FindClass(holding.block_bytes);
  return absl::StrCat(html,
                      entry != nullptr          ? ClassCells(*entry)
                      : holding.name == "large" ? TierCells(last.large)
                                                : TierCells(last.huge),
                      "</tr>\n");
}

}  // namespace

std::string WaterfallPanel(const Series& series) {
  if (series.dumps.size() == 1) {
    return WaterfallBars(series.last());
  }
  Chart chart{.title = "Where the memory is",
              .note =
                  "Memory that is, or may be, resident. Where the line is below the stack, the "
                  "program holds pages that it never touched.",
              .unit = Unit::kBytes,
              .span = series.span(),
              .seconds = series.seconds,
              .areas = {},
              .lines = {}};
  const auto layer = [&series](const Tenant& tenant) {
    return Layer{tenant.name, tenant.meaning, tenant.color, series.Values(tenant.bytes)};
  };
  if (series.has_kernel()) {
    chart.areas.push_back(layer(kOutside));
    chart.lines.push_back({"RSS", "the physical memory of the process, as the kernel counts it",
                           kInk, series.Values([](const Dump& dump) {
                             return static_cast<double>(dump.kernel.process_rss);
                           })});
  }
  for (const Tenant& tenant : kTenants) {
    chart.areas.push_back(layer(tenant));
  }
  return Figure(chart);
}

std::string ClassesPanel(const Series& series) {
  const std::string title = "Live memory by size class";
  const std::string note = "What the program holds, by the size of the blocks.";
  std::vector<Layer> layers = ClassLayers(series);
  if (series.dumps.size() > 1) {
    return Figure({title, note, Unit::kBytes, series.span(), series.seconds, layers, {}});
  }
  std::vector<Bar> bars;
  bars.reserve(layers.size());
  for (const Layer& layer : layers) {
    bars.push_back({layer.name, layer.meaning, layer.color, 0, layer.values.back()});
  }
  return Bars(title, note, bars);
}

std::string RatePanels(const Series& series) {
  if (series.dumps.size() == 1) {
    return "";
  }
  const auto one = [](const Holding& /*holding*/) { return 1.0; };
  const auto size = [](const Holding& holding) { return static_cast<double>(holding.block_bytes); };
  const Layer allocated{"allocated", "", 0, Rates(series, &Holding::allocated, one)};
  const Layer freed{"freed", "", 1, Rates(series, &Holding::freed, one)};
  const Layer bytes{"allocated", "", 0, Rates(series, &Holding::allocated, size)};
  return Figure({"Allocation rate",
                 "Blocks per second between a dump and the one before.",
                 Unit::kBlocksPerSecond,
                 series.span(),
                 series.seconds,
                 {allocated},
                 {freed},
                 kLowHeight}) +
         Figure({"Allocated bytes",
                 "Per second, in blocks of up to 32 KiB.",
                 Unit::kBytesPerSecond,
                 series.span(),
                 series.seconds,
                 {bytes},
                 {},
                 kLowHeight});
}

std::string ClassTable(const Series& series) {
  std::vector<const Holding*> holdings;
  for (const Holding& holding : series.holdings) {
    if (holding.allocated.back() > 0) {
      holdings.push_back(&holding);
    }
  }
  std::stable_sort(holdings.begin(), holdings.end(), [](const Holding* a, const Holding* b) {
    return a->live_bytes.back() > b->live_bytes.back();
  });
  const bool has_change = series.span() > 0;
  std::string html = absl::StrCat(
      "<section class=\"panel\">\n<h2>Size classes</h2>\n<p>In the last dump, most live bytes "
      "first. Fragmentation: which part of a class's memory is free blocks in pools that are still "
      "in use; rounding: which part of its blocks is behind the bytes that were asked for.</p>\n"
      "<div class=\"scroll\"><table class=\"classes\">\n<thead><tr><th>class</th>"
      "<th>live blocks</th><th>live bytes</th>",
      has_change ? "<th>change</th><th>allocated/s</th>" : "",
      "<th>allocated ever</th><th>cached</th><th>free in pools</th><th>fragmentation</th>"
      "<th>runs</th><th>rounding</th></tr></thead>\n<tbody>\n");
  for (const Holding* holding : holdings) {
    html += Row(series, *holding, holdings.front()->live_bytes.back());
  }
  return html + "</tbody></table></div>\n</section>\n";
}

}  // namespace tally::tool
