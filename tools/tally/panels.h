// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What the charts and the table of the HTML report show.
//
// Called by page.cc.

#ifndef TOOLS_TALLY_PANELS_H_
#define TOOLS_TALLY_PANELS_H_

#include <string>

#include "tools/tally/series.h"

namespace tally::tool {

// Each is HTML: a chart over time, or bars where there is one dump.
std::string WaterfallPanel(const Series& series);
std::string ClassesPanel(const Series& series);

// Two charts; empty where there is one dump.
std::string RatePanels(const Series& series);

// The size classes of the last dump, most live bytes first.
std::string ClassTable(const Series& series);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_PANELS_H_
