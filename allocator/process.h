// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What the kernel says of this process, and one line to the user.
//
// Called by the shim (is this pointer in the break, is this the last thread), by the report and by
// the publisher. errno is left as it was; no call here is a cancellation point, because malloc and
// free must be none. Threads: any. Nothing here allocates.

#ifndef ALLOCATOR_PROCESS_H_
#define ALLOCATOR_PROCESS_H_

#include <cstddef>
#include <cstdint>

namespace tally {

// Writes one line, with its newline, to stderr.
void Warn(const char* text);

// Fields of /proc/self/stat, zero where it does not have them. False where it cannot be read.
struct ProcessStatus {
  char state;            // of the main thread: 'Z' where it has ended before the others
  uint64_t threads;      // a main thread that has ended is counted
  uint64_t start_ticks;  // when it began, in clock ticks since the system did
  uint64_t start_brk;    // zero where the kernel does not tell
};
bool ReadProcessStatus(ProcessStatus* status);

// The kernel's name for the process, with a dot for what no format prints as it is.
void ReadCommand(char* command, size_t bytes);

uint64_t NowSinceEpochMs();

}  // namespace tally

#endif  // ALLOCATOR_PROCESS_H_
