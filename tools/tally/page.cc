// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/page.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tools/tally/chart.h"
#include "tools/tally/findings.h"
#include "tools/tally/page_assets.h"
#include "tools/tally/panels.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

// More points than that are not seen in a chart, and make the page heavy.
constexpr size_t kPointsMax = 400;

// A document that may load nothing at all.
constexpr char kHead[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";

std::string Header(const Series& series, const std::string& title) {
  const Dump& last = series.last();
  std::string when = TimeOfDay(last.time_ms);
  std::string dumps = "1 dump";
  if (series.dumps.size() > 1) {
    when = absl::StrCat(TimeOfDay(series.first().time_ms), " to ", when, " (",
                        Duration(series.span()), ")");
    dumps = absl::StrCat(series.dumps.size(), " dumps");
  }
  return absl::StrCat("<header><h1>", title, "</h1>\n<p>", when, " &middot; ", dumps,
                      " &middot; Tally ", Escaped(last.version), "</p></header>\n");
}

std::string Tile(const std::string& name, const std::string& value, const std::string& more) {
  return absl::StrCat("<div class=\"panel tile\"><span>", name, "</span><b>", value, "</b><small>",
                      more, "</small></div>\n");
}

std::string MostOf(const std::vector<double>& values, std::string (*format)(double)) {
  return values.size() == 1 ? ""
                            : "most: " + format(*std::max_element(values.begin(), values.end()));
}

std::string Tiles(const Series& series) {
  const Dump& last = series.last();
  const auto live =
      series.Values([](const Dump& dump) { return static_cast<double>(dump.term("live")); });
  const double held =
      static_cast<double>(last.term("cached") + last.term("transit") + last.term("free_in_pools") +
                          last.term("tails") + last.term("dirty") + MetadataBytes(last));
  std::string html = "<div class=\"tiles\">\n";
  if (series.has_kernel()) {
    const auto rss = series.Values(
        [](const Dump& dump) { return static_cast<double>(dump.kernel.process_rss); });
    html += Tile("RSS of the process", Bytes(rss.back()), MostOf(rss, Bytes));
  }
  html += Tile("Live", Bytes(live.back()), MostOf(live, Bytes));
  html += Tile("Held beyond live", Bytes(held),
               live.back() == 0 ? "" : Percent(held / live.back()) + " of live");
  if (series.span() > 0) {
    const auto blocks =
        static_cast<double>(last.allocated_blocks() - series.first().allocated_blocks());
    html += Tile("Allocations", Short(blocks / series.span()) + "/s",
                 Blocks(last.allocated_blocks()) + " ever");
  } else {
    html += Tile("Allocations", Blocks(last.allocated_blocks()), "ever");
  }
  html += Tile("Threads", Blocks(last.threads), "most: " + Blocks(last.threads_peak));
  return html + "</div>\n";
}

std::string FindingsBox(const Series& series) {
  constexpr const char* kClasses[] = {"alarm", "notice", "good"};
  constexpr const char* kMarks[] = {"!", "i", "&#10003;"};
  std::string html = "<section class=\"panel\">\n<h2>What stands out</h2>\n<ul class=\"found\">\n";
  for (const Finding& finding : Findings(series)) {
    const auto weight = static_cast<size_t>(finding.weight);
    absl::StrAppend(&html, "<li class=\"", kClasses[weight], "\"><i>", kMarks[weight], "</i><b>",
                    Escaped(finding.title), "</b><p>", Escaped(finding.text), "</p></li>\n");
  }
  return html + "</ul>\n</section>\n";
}

}  // namespace

std::string Page(const Series& series) {
  const Series shown = Thinned(series, kPointsMax);
  const std::string title =
      absl::StrCat(Escaped(series.last().command), ", process ", series.last().process);
  return absl::StrCat(kHead, "<title>", title, ": memory</title>\n<style>", kStyle,
                      "</style>\n</head>\n<body>\n", Header(series, title), Tiles(series),
                      FindingsBox(series), WaterfallPanel(shown), ClassesPanel(shown),
                      RatePanels(shown), ClassTable(series), kWords, "<script>", kScript,
                      "</script>\n</body>\n</html>\n");
}

}  // namespace tally::tool
