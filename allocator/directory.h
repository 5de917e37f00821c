// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Where the living books lie in this process, for debuggers, core files and other processes
// (the idea is CPython's _Py_DebugOffsets, 3.13).
//
// Called by lifecycle (at start) and publish. Threads: written once, before the program's own.

#ifndef ALLOCATOR_DIRECTORY_H_
#define ALLOCATOR_DIRECTORY_H_

#include "allocator/stats_format.h"

// Zero until FillDirectory().
extern "C" {
[[gnu::visibility("default")]] extern tally::StatsDirectory tally_stats_directory;
}

namespace tally {

void FillDirectory();

}  // namespace tally

#endif  // ALLOCATOR_DIRECTORY_H_
