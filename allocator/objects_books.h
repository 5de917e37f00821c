// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What a library of objects on these pools (refgc) adds to the report: its types, with counts.
//
// Called by the report; set through the core table.
//
// Threads: the hook is called on whatever thread writes the report; counts of heaps that other
// threads are using are what they were a moment ago.

#ifndef ALLOCATOR_OBJECTS_BOOKS_H_
#define ALLOCATOR_OBJECTS_BOOKS_H_

#include <cstddef>
#include <cstdint>

namespace tally {

struct ObjectTypeBooks {
  const char* name;
  uint64_t count;
  uint64_t bytes;  // headers included
};

inline constexpr size_t kObjectTypesMax = 32;

// Fills up to `max` entries, most bytes first; returns how many.
using ObjectsHook = size_t (*)(ObjectTypeBooks* types, size_t max);
inline constinit ObjectsHook objects_hook = nullptr;

}  // namespace tally

#endif  // ALLOCATOR_OBJECTS_BOOKS_H_
