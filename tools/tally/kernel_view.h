// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What the kernel says of another process's memory: /proc/PID/maps, pagemap, statm and stat.
//
// Called by live_books.

#ifndef TOOLS_TALLY_KERNEL_VIEW_H_
#define TOOLS_TALLY_KERNEL_VIEW_H_

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "allocator/stats_format.h"

namespace tally::tool {

// Memory that the allocator knows, and the term that its resident part belongs to.
struct KernelRange {
  uint64_t KernelBooks::*term;
  uint64_t start;
  uint64_t bytes;
};

// One entry a page of the range, true where it is in physical memory. Empty where that cannot be
// read.
std::vector<bool> ReadResidentPages(pid_t process, uint64_t start, uint64_t bytes);

// RSS and page faults of the process. False where they cannot be read.
bool ReadProcessView(pid_t process, KernelBooks* books);

// is_known stays false where one of the files cannot be read.
void ReadKernelView(pid_t process, const std::vector<KernelRange>& ranges, KernelBooks* books);

}  // namespace tally::tool

#endif  // TOOLS_TALLY_KERNEL_VIEW_H_
