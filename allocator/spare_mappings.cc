// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/spare_mappings.h"

#include "allocator/mapped.h"
#include "allocator/options.h"
#include "allocator/os.h"

namespace tally {

constinit SpareMappings spare_mappings;

// At most a quarter larger.
bool SpareMappings::Fits(size_t have, size_t want) {
  return have >= want && have - want <= want / 4;
}

// REQUIRES, here and below: mutex_ held.
SpareMappings::Entry SpareMappings::Remove(size_t index) {
  const Entry entry = entries_[index];
  for (size_t i = index + 1; i < count_; ++i) {
    entries_[i - 1] = entries_[i];
  }
  --count_;
  if (entry.start != nullptr) {
    bytes_ -= entry.bytes;
    mapped::Remove(entry.bytes);
  }
  return entry;
}

void SpareMappings::Release(size_t index) {
  const Entry entry = Remove(index);
  if (entry.start != nullptr) {
    os::UnmapOrPurge(entry.start, entry.bytes);
  }
}

void SpareMappings::Add(const Entry& entry) {
  if (count_ == kSpareMappings) {
    Release(0);
  }
  entries_[count_++] = entry;
  if (entry.start != nullptr) {
    bytes_ += entry.bytes;
    mapped::Add(entry.bytes);
  }
}

bool SpareMappings::Keep(char* start, size_t bytes) {
  if (bytes > kSpareBytesMax || options.decay_ms == 0) {
    return false;
  }
  const MutexLock lock(mutex_);
  for (size_t i = 0; i < count_; ++i) {
    const Entry& entry = entries_[i];
    if (entry.is_wanted && entry.start == nullptr &&
        (Fits(bytes, entry.bytes) || Fits(entry.bytes, bytes))) {
      Remove(i);
      while (bytes_ + bytes > kSpareBytesMax) {
        Release(0);
      }
      Add({start, bytes, 0, true});
      return true;
    }
  }
  Add({nullptr, bytes, 0, false});
  return false;
}

char* SpareMappings::Take(size_t bytes, size_t alignment) {
  const MutexLock lock(mutex_);
  // The best that is kept; else any whose size is known.
  size_t best = kSpareMappings;
  for (size_t i = 0; i < count_; ++i) {
    const Entry& entry = entries_[i];
    if (!Fits(entry.bytes, bytes) ||
        (reinterpret_cast<uintptr_t>(entry.start) & (alignment - 1)) != 0) {
      continue;
    }
    const bool is_better = best == kSpareMappings || entries_[best].start == nullptr ||
                           (entry.start != nullptr && entry.bytes < entries_[best].bytes);
    best = is_better ? i : best;
  }
  const Entry found = best == kSpareMappings ? Entry{} : Remove(best);
  if (best != kSpareMappings) {
    Add({nullptr, bytes, 0, true});
  }
  if (found.start == nullptr) {
    for (size_t i = count_; i-- != 0;) {
      if (entries_[i].start != nullptr && entries_[i].bytes < bytes) {
        Release(i);
      }
    }
  } else if (found.bytes != bytes) {
    os::UnmapOrPurge(found.start + bytes, found.bytes - bytes);
  }
  return found.start;
}

void SpareMappings::Age(uint64_t ticks) {
  const MutexLock lock(mutex_);
  for (size_t i = count_; i-- != 0;) {
    entries_[i].age += ticks;
    if (entries_[i].age > kTicksPerDecay) {
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
