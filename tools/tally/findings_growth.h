// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What grows: leaks, and memory that comes and goes.
//
// Called by findings.cc.

#ifndef TOOLS_TALLY_FINDINGS_GROWTH_H_
#define TOOLS_TALLY_FINDINGS_GROWTH_H_

#include <vector>

#include "tools/tally/findings.h"

namespace tally::tool {

// Below this nothing is worth a word, whatever its part of the whole.
inline constexpr double kWorthBytes = 1 << 20;

// Of the later two thirds of the time. With fewer there are no trends.
inline constexpr size_t kTrendDumpsMin = 5;

// Appends what it finds.
void FindGrowth(const Series& series, std::vector<Finding>& found);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_FINDINGS_GROWTH_H_
