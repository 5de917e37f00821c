// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/spare_mappings.h"

#include "allocator/mapped.h"
#include "allocator/options.h"
#include "allocator/os.h"

namespace tally {

constinit SpareMappings spare_mappings;

namespace {

size_t Distance(size_t a, size_t b) { return a < b ? b - a : a - b; }

// Within a half of the smaller: who doubles an array does not want what he left behind.
bool AreNear(size_t a, size_t b) { return Distance(a, b) <= (a < b ? a : b) / 2; }

}  // namespace

// A spare that has come so far serves whoever is next, within twice its size.
bool SpareMappings::Entry::Serves(size_t want, size_t alignment) const {
  if (start == nullptr) {
    return AreNear(bytes, want);
  }
  return Distance(bytes, want) <= (bytes < want ? bytes : want) &&
         (reinterpret_cast<uintptr_t>(start) & (alignment - 1)) == 0;
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

void SpareMappings::ReleaseUntilAtMost(size_t bytes) {
  for (size_t i = 0; bytes_ > bytes;) {
    if (entries_[i].start != nullptr) {
      Release(i);
    } else {
      ++i;
    }
  }
}

bool SpareMappings::Keep(char* start, size_t bytes, size_t live_bytes) {
  const size_t share = live_bytes / kLiveBytesPerSpareByte;
  const size_t bytes_max = share > kSpareBytesMax ? share : kSpareBytesMax;
  if (bytes > bytes_max || options.decay_ms == 0) {
    return false;
  }
  const MutexLock lock(mutex_);
  size_t i = 0;
  while (i < count_ && !(entries_[i].is_wanted && AreNear(entries_[i].bytes, bytes))) {
    ++i;
  }
  if (i == count_) {
    Add({nullptr, bytes, 0, false});
    return false;
  }
  if (entries_[i].start == nullptr) {
    Remove(i);
  }
  ReleaseUntilAtMost(bytes_max - bytes);
  Add({start, bytes, 0, true});
  return true;
}

char* SpareMappings::Take(size_t bytes, size_t alignment) {
  const MutexLock lock(mutex_);
  // The nearest that is kept; else any whose size is known.
  size_t best = kSpareMappings;
  for (size_t i = 0; i < count_; ++i) {
    const Entry& entry = entries_[i];
    if (entry.Serves(bytes, alignment) &&
        (best == kSpareMappings || entries_[best].start == nullptr ||
         (entry.start != nullptr &&
          Distance(entry.bytes, bytes) < Distance(entries_[best].bytes, bytes)))) {
      best = i;
    }
  }
  const Entry found = best == kSpareMappings ? Entry{} : Remove(best);
  if (best != kSpareMappings) {
    Add({nullptr, bytes, 0, true});
  }
  if (found.start != nullptr) {
    return Resized(found, bytes, alignment);
  }
  for (size_t i = count_; i-- != 0;) {
    if (entries_[i].start != nullptr && entries_[i].bytes < bytes) {
      Release(i);
    }
  }
  return nullptr;
}

// Null where it cannot grow; it is released then.
char* SpareMappings::Resized(const Entry& spare, size_t bytes, size_t alignment) {
  if (spare.bytes > bytes) {
    os::UnmapOrPurge(spare.start + bytes, spare.bytes - bytes);
    return spare.start;
  }
  if (spare.bytes == bytes || os::GrowInPlace(spare.start, spare.bytes, bytes)) {
    return spare.start;
  }
  void* start = os::ReserveForMove(bytes, alignment, bytes - spare.bytes);
  if (start != nullptr && os::Move(spare.start, spare.bytes, start, bytes)) {
    return static_cast<char*>(start);
  }
  os::UnmapOrPurge(spare.start, spare.bytes);
  return nullptr;
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
