// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The books of another process as they are now, read from its memory by the directory that it
// published. It need not run: it may be stopped, or hang.
//
// Called by views of living processes. O(memory of its descriptors): 1/64 of its pools.

#ifndef TOOLS_TALLY_LIVE_BOOKS_H_
#define TOOLS_TALLY_LIVE_BOOKS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "allocator/stats_format.h"
#include "tools/tally/process_memory.h"
#include "tools/tally/stats_file.h"
#include "tools/tally/view.h"

namespace tally::tool {

// Fills books, leaves and kernel of `view`. Permission denied where the system does not let us read
// the process, failed precondition where its memory is not as the directory says (it executed
// another program), not found where it is gone.
absl::Status ReadLiveBooks(const ProcessMemory& memory, const StatsHeader& header,
                           Residency residency, View* view);

// The best there is: the present of a living process, else the last snapshot, which `origin` then
// says. `path` is a published file's.
absl::StatusOr<View> ReadView(const std::string& path,
                              Residency residency = Residency::kOfEachPart);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_LIVE_BOOKS_H_
