// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Files that are there whole or not at all.
//
// Called by the commands that write files.

#ifndef TOOLS_TALLY_OUTPUT_H_
#define TOOLS_TALLY_OUTPUT_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace tally::tool {

// Writes the text aside and renames it; what is no ordinary file (a device, a pipe) is written to.
// "-" is the standard output. On failure the message begins with the path and the file is as it
// was.
absl::Status WriteWhole(const std::string& path, std::string_view text);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_OUTPUT_H_
