// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/large.h"

#include "allocator/check.h"
#include "allocator/region.h"

namespace tally {

constinit LargeBlocks large_blocks;

namespace {

constexpr size_t PoolsFor(size_t bytes) { return (bytes + kPoolBytes - 1) / kPoolBytes; }

}  // namespace

void* LargeBlocks::Allocate(size_t bytes, size_t alignment, bool* is_zero) {
  const size_t pools = PoolsFor(bytes);
  const size_t alignment_pools = alignment <= kPoolBytes ? 1 : alignment / kPoolBytes;
  const Run run = regions.Take(pools, alignment_pools);
  if (run.first == nullptr) {
    return nullptr;
  }
  Pool* head = run.first;
  ASSERT(head->kind.load(std::memory_order_relaxed) == PoolKind::kFree);
  head->size_class = 0;
  head->run_pools = static_cast<uint32_t>(pools);
  head->request_bytes = bytes;
  // Release: whoever finds the kind finds the length. Pairs with the acquire in Free.
  head->kind.store(PoolKind::kLarge, std::memory_order_release);
  counts_.allocated.fetch_add(1, std::memory_order_relaxed);
  *is_zero = run.is_zero;
  return head->start();
}

bool LargeBlocks::Free(Pool* head) {
  PoolKind expected = PoolKind::kLarge;
  if (!head->kind.compare_exchange_strong(expected, PoolKind::kFree, std::memory_order_acq_rel)) {
    return false;
  }
  counts_.freed.fetch_add(1, std::memory_order_relaxed);
  regions.GiveBack(head, head->run_pools);
  return true;
}

bool LargeBlocks::ResizeInPlace(Pool* head, size_t bytes) {
  const size_t have = head->run_pools;
  const size_t want = PoolsFor(bytes);
  if (want > have && !regions.TakeAfter(head, have, want - have)) {
    return false;
  }
  head->run_pools = static_cast<uint32_t>(want);
  head->request_bytes = bytes;
  if (want < have) {
    regions.GiveBack(head + want, have - want);
  }
  return true;
}

}  // namespace tally
