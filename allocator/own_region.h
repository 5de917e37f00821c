// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// This process's own regions and classes, as the walk over pools wants them.
//
// Called by books and the kernel's books. Threads: under the locks of Registry::LockAll.

#ifndef ALLOCATOR_OWN_REGION_H_
#define ALLOCATOR_OWN_REGION_H_

#include <cstddef>
#include <cstdint>

#include "allocator/pool_walk.h"
#include "allocator/region.h"
#include "allocator/size_class.h"

namespace tally {

constexpr ClassShape ShapeOf(size_t size_class) {
  if (size_class == 0 || size_class >= kClassCount) {
    return {};
  }
  const ClassInfo& info = kClassTable[size_class];
  return {info.block_bytes, info.run_pools, info.capacity};
}

// A region of our own, for the walk.
class OwnRegion {
 public:
  explicit OwnRegion(Region* region) : region_(*region) {}
  uint64_t Free(size_t arena) const {
    return region_.arenas[arena].free.load(std::memory_order_acquire);
  }
  uint64_t Dirty(size_t arena) const {
    return region_.arenas[arena].dirty.load(std::memory_order_relaxed);
  }
  uint64_t Touched(size_t arena) const {
    return region_.arenas[arena].touched.load(std::memory_order_relaxed);
  }
  PoolView Descriptor(size_t index) const {
    const Pool* pool = region_.descriptor(index);
    return {static_cast<PoolView::Kind>(pool->kind.load(std::memory_order_acquire)),
            pool->size_class, pool->free_blocks, pool->run_pools, pool->request_bytes};
  }
  static ClassShape Shape(size_t size_class) { return ShapeOf(size_class); }

 private:
  Region& region_;
};

}  // namespace tally

#endif  // ALLOCATOR_OWN_REGION_H_
