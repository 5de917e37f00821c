// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/metadata.h"

#include <bit>
#include <new>

#include "allocator/mapped.h"
#include "allocator/os.h"

namespace tally {

constinit Metadata metadata;

namespace {

size_t RoundToPiece(size_t bytes) { return bytes <= 64 ? 64 : std::bit_ceil(bytes); }

}  // namespace

void* Metadata::Bump(size_t bytes) {
  if (static_cast<size_t>(end_ - at_) < bytes) {
    size_t step_bytes = kStepBytes;
    while (step_bytes < bytes + kLineBytes) {
      step_bytes *= 2;
    }
    void* start = os::Map(step_bytes);
    if (start == nullptr) {
      return nullptr;
    }
    mapped_bytes_ += step_bytes;
    mapped::Add(step_bytes);
    steps_ = new (start) Step{steps_, step_bytes};
    // What is left of the old step stays unused: less than the piece that did not fit.
    at_ = static_cast<char*>(start) + kLineBytes;
    end_ = static_cast<char*>(start) + step_bytes;
  }
  void* piece = at_;
  at_ += bytes;
  return piece;
}

void* Metadata::Allocate(size_t bytes) {
  const size_t piece_bytes = RoundToPiece(bytes);
  const MutexLock lock(mutex_);
  FreePiece*& head = free_[static_cast<size_t>(std::countr_zero(piece_bytes))];
  if (head != nullptr) {
    FreePiece* piece = head;
    head = piece->next;
    return piece;
  }
  return Bump(piece_bytes);
}

void Metadata::Free(void* piece, size_t bytes) {
  const MutexLock lock(mutex_);
  FreePiece*& head = free_[static_cast<size_t>(std::countr_zero(RoundToPiece(bytes)))];
  head = new (piece) FreePiece{head};
}

void* Metadata::AllocateForever(size_t bytes) {
  const MutexLock lock(mutex_);
  return Bump((bytes + kLineBytes - 1) & ~(kLineBytes - 1));
}

uint64_t Metadata::resident_bytes() const {
  uint64_t resident = 0;
  ForEachMapping(
      [&](const void* start, size_t bytes) { resident += os::ResidentBytes(start, bytes); });
  return resident;
}

}  // namespace tally
