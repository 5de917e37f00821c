// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What stands out in a series of dumps, in plain language, by rules.
//
// Called by page.cc.

#ifndef TOOLS_TALLY_FINDINGS_H_
#define TOOLS_TALLY_FINDINGS_H_

#include <string>
#include <vector>

#include "tools/tally/series.h"

namespace tally::tool {

enum class Weight {
  kAlarm,   // likely what is wrong
  kNotice,  // costs memory or time
  kGood,    // nothing to do
};

struct Finding {
  Weight weight;
  std::string title;
  std::string text;
};

// At least one, heaviest first.
std::vector<Finding> Findings(const Series& series);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_FINDINGS_H_
