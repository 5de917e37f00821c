// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What the facade's two files share: allocator.cc (allocate, free) and reallocate.cc (resize,
// sizes).
//
// Threads: any.

#ifndef ALLOCATOR_SLOW_PATHS_H_
#define ALLOCATOR_SLOW_PATHS_H_

#include <cstddef>

#include "allocator/pool.h"

namespace tally {

// A block of more than kClassBytesMax bytes or with more than a pool's alignment: a run of pools or
// a mapping. Null, after the hook, when memory is out even after a purge.
void* AllocateRun(size_t bytes, size_t alignment, bool* is_zero);

// Out of memory: one purge before a retry. What this thread holds back goes first. False when
// nothing was gained.
bool MakeRoom();

// Calls the out-of-memory hook; null.
void* NoMemory();

// Says of a pointer into a pool with no blocks of its own what is wrong with it: the pool is free,
// or it lies inside a large run.
[[noreturn, gnu::cold]] void FatalInFreePool(const char* call, const void* p, Pool* pool);

}  // namespace tally

#endif  // ALLOCATOR_SLOW_PATHS_H_
