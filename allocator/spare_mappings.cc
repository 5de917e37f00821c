// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/spare_mappings.h"

#include "allocator/options.h"
#include "allocator/os.h"

namespace tally {

constinit SpareMappings spare_mappings;

namespace {

void GiveBack(char* start, size_t bytes) {
  if (!os::Unmap(start, bytes)) {
    // The map table is full: the addresses stay lost, the memory goes back.
    os::Purge(start, bytes);
  }
}

}  // namespace

// REQUIRES: mutex_ held.
SpareMappings::Spare SpareMappings::Remove(size_t index) {
  const Spare spare = spares_[index];
  for (size_t i = index + 1; i < count_; ++i) {
    spares_[i - 1] = spares_[i];
  }
  --count_;
  bytes_ -= spare.bytes;
  return spare;
}

void SpareMappings::Release(size_t index) {
  const Spare spare = Remove(index);
  GiveBack(spare.start, spare.bytes);
}

bool SpareMappings::Keep(char* start, size_t bytes) {
  if (bytes > kSpareBytesMax || options.decay_ms == 0) {
    return false;
  }
  const MutexLock lock(mutex_);
  while (count_ == kSpareMappings || bytes_ + bytes > kSpareBytesMax) {
    Release(0);
  }
  spares_[count_++] = {start, bytes, 0};
  bytes_ += bytes;
  return true;
}

char* SpareMappings::Take(size_t bytes, size_t alignment) {
  const MutexLock lock(mutex_);
  size_t best = kSpareMappings;
  for (size_t i = 0; i < count_; ++i) {
    const Spare& spare = spares_[i];
    if (spare.bytes >= bytes && spare.bytes - bytes <= bytes / 4 &&
        (reinterpret_cast<uintptr_t>(spare.start) & (alignment - 1)) == 0 &&
        (best == kSpareMappings || spare.bytes < spares_[best].bytes)) {
      best = i;
    }
  }
  if (best == kSpareMappings) {
    for (size_t i = count_; i-- != 0;) {
      if (spares_[i].bytes < bytes) {
        Release(i);
      }
    }
    return nullptr;
  }
  const Spare spare = Remove(best);
  if (spare.bytes != bytes) {
    GiveBack(spare.start + bytes, spare.bytes - bytes);
  }
  return spare.start;
}

void SpareMappings::Age(uint64_t ticks) {
  const MutexLock lock(mutex_);
  for (size_t i = count_; i-- != 0;) {
    spares_[i].age += ticks;
    if (spares_[i].age > kTicksPerDecay) {
      Release(i);
    }
  }
}

uint64_t SpareMappings::ReleaseAll() {
  const MutexLock lock(mutex_);
  const uint64_t released = bytes_;
  while (count_ != 0) {
    Release(count_ - 1);
  }
  return released;
}

}  // namespace tally
