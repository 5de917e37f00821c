// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The HTML report: one file that needs nothing else, from a series of dumps.
//
// Called by command_report.cc.

#ifndef TOOLS_TALLY_PAGE_H_
#define TOOLS_TALLY_PAGE_H_

#include <string>

#include "tools/tally/series.h"

namespace tally::tool {

std::string Page(const Series& series);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_PAGE_H_
