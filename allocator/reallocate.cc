// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include <string.h>

#include "allocator/allocator.h"
#include "allocator/first_touch.h"
#include "allocator/huge.h"
#include "allocator/large.h"
#include "allocator/purge.h"
#include "allocator/region.h"
#include "allocator/slow_paths.h"

namespace tally {
namespace {

// The head of the run that `p` starts a block in, or null; ends the program, in the name of `call`,
// on what is not a block's start.
Pool* LiveHead(const char* call, const void* p) {
  if (!Regions::IsInCommittedArena(p)) {
    FatalBlock(call, p, kNotLive);
  }
  Pool* pool = Pool::Of(p);
  const PoolKind kind = pool->kind.load(std::memory_order_acquire);
  if (kind == PoolKind::kFree) {
    FatalInFreePool(call, p, pool);
  }
  Pool* head = pool->head();
  const bool is_large = kind == PoolKind::kLarge;
  const char* first = is_large ? head->start() : head->first_block();
  const auto offset = static_cast<size_t>(static_cast<const char*>(p) - first);
  if (is_large ? offset != 0 : BlockStartingAt(head->info(), offset) >= head->info().capacity) {
    FatalBlock(call, p, kNotBlockStart);
  }
  return head;
}

size_t UsableOf(const Pool* head) {
  return head->kind.load(std::memory_order_relaxed) == PoolKind::kLarge
             ? LargeBlocks::UsableBytes(head)
             : head->info().block_bytes;
}

// Who grows by a quarter and more copies each byte a few times in all, into memory that is there
// already. Who grows by small steps would copy for ever: a mapping grows without.
bool Creeps(size_t old_usable, size_t bytes) {
  return bytes > old_usable && bytes < old_usable + old_usable / 4 && bytes > kGrowingBytesMax;
}

// A small block that grows by less than an eighth gets an eighth more, as far as larger classes are
// apart: it will grow again.
void* AllocateWithRoom(size_t old_usable, size_t bytes) {
  const size_t eighth_more = old_usable + old_usable / 8;
  if (bytes <= old_usable || bytes >= eighth_more || bytes > kSmallBytes) {
    return Allocate(bytes);
  }
  const size_t roomy = eighth_more < kSmallBytes ? eighth_more : kSmallBytes;
  return AllocateFromClass(ClassFor(RoundToMallocAlignment(roomy)), bytes);
}

void* MoveBlock(void* p, size_t old_usable, size_t bytes) {
  void* block = nullptr;
  bool is_zero = false;
  if (Creeps(old_usable, bytes)) {
    block = bytes <= kRequestBytesMax ? huge_blocks.Allocate(bytes, kPoolBytes, &is_zero) : nullptr;
    if (block != nullptr && is_zero) {
      purger.MakeWay(bytes);
    }
  }
  if (block == nullptr) {
    block = bytes > kClassBytesMax ? AllocateRun(bytes, 1, &is_zero)
                                   : AllocateWithRoom(old_usable, bytes);
  }
  if (block != nullptr) {
    const size_t copied = old_usable < bytes ? old_usable : bytes;
    if (is_zero) {
      first_touch.PrepareToFill(block, bytes, copied);
    }
    memcpy(block, p, copied);
    Free(p);
  }
  return block;
}

void* ReallocateHuge(void* p, size_t bytes) {
  HugeBlock block;
  if (!huge_blocks.Find(p, &block)) {
    FatalBlock("realloc", p, kNotBlockStart);
  }
  if (bytes > kRequestBytesMax) {
    return NoMemory();
  }
  // Shrunk to less than a mapping is worth, it moves to where such sizes live.
  if (bytes <= kGrowingBytesMax) {
    return MoveBlock(p, block.bytes, bytes);
  }
  if (bytes > block.bytes) {
    purger.MakeWay(bytes - block.bytes);
  }
  void* resized = huge_blocks.Resize(p, bytes);
  if (resized == nullptr && MakeRoom()) {
    resized = huge_blocks.Resize(p, bytes);
  }
  return resized != nullptr ? resized : NoMemory();
}

}  // namespace

void* Reallocate(void* p, size_t bytes) {
  switch (region_map.Lookup(p)) {
    case Granule::kPools:
      break;
    case Granule::kHuge:
    case Granule::kHugeInner:
      if (huge_blocks.Covers(p)) {
        return ReallocateHuge(p, bytes);
      }
      [[fallthrough]];
    case Granule::kNothing:
      if (foreign_handlers != nullptr) {
        return foreign_handlers->reallocate(p, bytes);
      }
      FatalBlock("realloc", p, kForeign);
  }
  Pool* head = LiveHead("realloc", p);
  const size_t usable = UsableOf(head);
  const bool is_large = head->kind.load(std::memory_order_relaxed) == PoolKind::kLarge;
  if (!is_large) {
    // In place while at least half is in use: moving costs more than the rest is worth. A block of
    // an odd class may lie where malloc's promise does not hold.
    const bool is_aligned = reinterpret_cast<uintptr_t>(p) % kMallocAlignment == 0 || bytes <= 8;
    return bytes <= usable && bytes >= usable / 2 && is_aligned ? p : MoveBlock(p, usable, bytes);
  }
  if (bytes > kClassBytesMax && bytes <= kRunBytesMax && !Creeps(usable, bytes) &&
      large_blocks.ResizeInPlace(head, bytes)) {
    return p;
  }
  return MoveBlock(p, usable, bytes);
}

size_t UsableSize(const void* p) {
  if (p == nullptr) {
    return 0;
  }
  switch (region_map.Lookup(p)) {
    case Granule::kPools:
      return UsableOf(LiveHead("malloc_usable_size", p));
    case Granule::kHuge:
    case Granule::kHugeInner: {
      HugeBlock block;
      if (huge_blocks.Find(p, &block)) {
        return block.bytes;
      }
      if (huge_blocks.Covers(p)) {
        FatalBlock("malloc_usable_size", p, kNotBlockStart);
      }
      [[fallthrough]];
    }
    case Granule::kNothing:
      if (foreign_handlers != nullptr) {
        return foreign_handlers->usable_size(p);
      }
      FatalBlock("malloc_usable_size", p, kForeign);
  }
  return 0;
}

size_t GoodSize(size_t bytes) {
  bytes = bytes == 0 ? 1 : bytes;
  if (bytes <= kSmallBytes) {
    return RoundToMallocAlignment(bytes);
  }
  if (bytes <= kClassBytesMax) {
    return BlockBytes(ClassFor(bytes));
  }
  return (bytes + kPoolBytes - 1) & ~(kPoolBytes - 1);
}

}  // namespace tally
