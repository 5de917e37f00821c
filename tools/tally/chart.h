// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Charts as HTML: a figure with inline SVG and a legend, or bars. Colours and fonts are the page's
// (page_assets.h): a layer has the number of one of its colours.
//
// Called by panels.cc.

#ifndef TOOLS_TALLY_CHART_H_
#define TOOLS_TALLY_CHART_H_

#include <string>
#include <string_view>
#include <vector>

namespace tally::tool {

inline constexpr int kInk = -1;  // the colour of text

enum class Unit { kBytes, kBytesPerSecond, kBlocksPerSecond };

struct Layer {
  std::string name;
  std::string meaning;  // may be empty
  int color;
  std::vector<double> values;  // one for each of the chart's seconds
};

struct Chart {
  std::string title;
  std::string note;  // one sentence below the title
  Unit unit;
  double span;                  // the time axis goes from 0 to there
  std::vector<double> seconds;  // ascending
  std::vector<Layer> areas;     // stacked, the first at the bottom
  std::vector<Layer> lines;     // over them
  double height = 300;          // the width is 860
};
std::string Figure(const Chart& chart);

struct Bar {
  std::string name;
  std::string meaning;
  int color;
  double offset;  // where it begins, in bytes
  double bytes;
};
std::string Bars(const std::string& title, const std::string& note, const std::vector<Bar>& bars);

// The text as it may stand in HTML, in an attribute too.
std::string Escaped(std::string_view text);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_CHART_H_
