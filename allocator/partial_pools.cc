// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/partial_pools.h"

#include <string.h>

#include "allocator/metadata.h"

namespace tally {

bool PartialPools::Widen(size_t wanted) {
  const size_t capacity = std::bit_ceil(wanted < 4 ? size_t{4} : wanted);
  const size_t words = (capacity + 63) / 64;
  const size_t bytes = capacity * sizeof(Row*) + words * sizeof(uint64_t);
  auto* rows = static_cast<Row**>(metadata.Allocate(bytes));
  if (rows == nullptr) {
    return false;
  }
  auto* bits = reinterpret_cast<uint64_t*>(rows + capacity);
  memset(static_cast<void*>(rows), 0, bytes);
  if (rows_ != nullptr) {
    const size_t old_words = (capacity_ + size_t{63}) / 64;
    memcpy(static_cast<void*>(rows), static_cast<const void*>(rows_), capacity_ * sizeof(Row*));
    memcpy(bits, region_bits_, old_words * sizeof(uint64_t));
    metadata.Free(static_cast<void*>(rows_),
                  capacity_ * sizeof(Row*) + old_words * sizeof(uint64_t));
  }
  rows_ = rows;
  region_bits_ = bits;
  capacity_ = static_cast<uint32_t>(capacity);
  return true;
}

bool PartialPools::PrepareFor(Region* region) {
  if (region->ordinal >= capacity_ && !Widen(region->ordinal + size_t{1})) {
    return false;
  }
  Row*& row = rows_[region->ordinal];
  if (row == nullptr) {
    row = static_cast<Row*>(metadata.AllocateForever(sizeof(Row)));
    if (row == nullptr) {
      return false;
    }
    row->region = region;
  }
  return true;
}

void PartialPools::Insert(Pool* pool) {
  Row* row = RowOf(pool);
  const uint32_t ordinal = row->region->ordinal;
  uint64_t& word = row->pools[pool->arena_index()];
  const bool was_zero = word == 0;
  word |= uint64_t{1} << (pool->index() % kPoolsPerArena);
  if (!was_zero) {
    return;
  }
  row->arenas |= uint64_t{1} << pool->arena_index();
  region_bits_[ordinal / 64] |= uint64_t{1} << (ordinal % 64);
}

void PartialPools::Remove(Pool* pool) {
  Row* row = RowOf(pool);
  const uint32_t ordinal = row->region->ordinal;
  uint64_t& word = row->pools[pool->arena_index()];
  word &= ~(uint64_t{1} << (pool->index() % kPoolsPerArena));
  if (word != 0) {
    return;
  }
  row->arenas &= ~(uint64_t{1} << pool->arena_index());
  if (row->arenas == 0) {
    region_bits_[ordinal / 64] &= ~(uint64_t{1} << (ordinal % 64));
  }
}

bool PartialPools::Contains(Pool* pool) const {
  const uint32_t ordinal = Region::Of(pool)->ordinal;
  if (ordinal >= capacity_ || rows_[ordinal] == nullptr) {
    return false;
  }
  return (rows_[ordinal]->pools[pool->arena_index()] >> (pool->index() % kPoolsPerArena) & 1) != 0;
}

Pool* PartialPools::Lowest() const {
  for (size_t word = 0; word * 64 < capacity_; ++word) {
    if (region_bits_[word] == 0) {
      continue;
    }
    const Row* row = rows_[word * 64 + static_cast<size_t>(std::countr_zero(region_bits_[word]))];
    const size_t arena = static_cast<size_t>(std::countr_zero(row->arenas));
    const size_t pool = static_cast<size_t>(std::countr_zero(row->pools[arena]));
    return row->region->descriptor(arena * kPoolsPerArena + pool);
  }
  return nullptr;
}

}  // namespace tally
