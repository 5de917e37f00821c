// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Size classes: from a request to a class, and what a class's pools look like.
//
// Called by the facade (class of a request), heaps (pools of a class) and the reports.
//
// Classes are 8 bytes apart up to 1,024 (class = bytes / 8), then eight to a doubling up to 32 KiB.
// Blocks of 64 and of 128 bytes begin inside a cache line; behind the others come the classes of
// these sizes for who asks for more alignment than malloc's. Class 0 does not exist.
//
// Invariants (proven below or in size_class_test):
//   1. BlockBytes(ClassFor(n)) is the smallest class size >= n. Classes ascend in size up to
//      kAscendingClasses.
//   2. BlockIndex(offset) == offset / block_bytes for every offset from a run's first block on, and
//      BlockStartingAt says the same where the division is exact, else no index.
//   3. A run's tail is at most 1.5 % of it for classes up to kSmallBytes.
// Threads: constants only.

#ifndef ALLOCATOR_SIZE_CLASS_H_
#define ALLOCATOR_SIZE_CLASS_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "allocator/geometry.h"

namespace tally {

inline constexpr size_t kSmallClasses = kSmallBytes / 8;  // 1..128
inline constexpr size_t kGeometricClasses = 8 * 5;        // 129..168: 1,152..32,768
inline constexpr size_t kAscendingClasses = 1 + kSmallClasses + kGeometricClasses;
inline constexpr size_t kLineClasses = 2;  // 169..170: 64 and 128, from a line's start
inline constexpr size_t kClassCount = kAscendingClasses + kLineClasses;
inline constexpr int kReciprocalShift = 40;

using SizeClass = uint8_t;

// Up to the next multiple of malloc's alignment. REQUIRES: bytes is not zero.
constexpr size_t RoundToMallocAlignment(size_t bytes) {
  return ((bytes - 1) & ~(kMallocAlignment - 1)) + kMallocAlignment;
}

// The tightest class for `bytes`, 0 for 0. REQUIRES: bytes <= kClassBytesMax.
constexpr SizeClass ClassFor(size_t bytes) {
  if (bytes <= kSmallBytes) {
    return static_cast<SizeClass>((bytes + 7) / 8);
  }
  const auto width = static_cast<size_t>(std::bit_width(bytes - 1));  // 11 for 1,025..2,048
  const size_t eighth = (bytes - 1) >> (width - 4);
  return static_cast<SizeClass>(kSmallClasses + (width - 11) * 8 + eighth - 7);
}

constexpr size_t ComputeBlockBytes(size_t size_class) {
  if (size_class <= kSmallClasses) {
    return size_class * 8;
  }
  if (size_class >= kAscendingClasses) {
    return kCacheLineBytes << (size_class - kAscendingClasses);
  }
  const size_t rank = size_class - kSmallClasses - 1;
  return (kSmallBytes << (rank / 8)) / 8 * (rank % 8 + 9);
}

// The x with x * odd == 1 modulo 2^64, by Newton's iteration: each step doubles the bits.
constexpr uint64_t InverseOf(uint64_t odd) {
  uint64_t x = odd;  // right in the last 3 bits
  for (int bits = 3; bits < 64; bits *= 2) {
    x *= 2 - odd * x;
  }
  return x;
}

struct ClassInfo {
  uint32_t block_bytes = 0;
  uint16_t run_pools = 0;   // pools in a run of this class
  uint16_t capacity = 0;    // blocks in a run
  uint64_t reciprocal = 0;  // see BlockIndex
  uint64_t inverse = 0;     // see BlockStartingAt
  uint8_t inverse_shift = 0;
  uint8_t first_block = 0;      // the first block's offset in a run, bytes
  uint16_t magazine_slots = 0;  // the most, the sentinel included
  uint16_t depot_batches = 0;   // the most a heap keeps
  uint8_t adjacent_runs = 0;    // the most a heap takes side by side; 0 means one
  uint32_t countdown = 0;       // allocations between two events
};

// The class for aligned blocks of the size of `size_class`, whose own blocks begin inside a line.
constexpr SizeClass LineClassFor(SizeClass size_class) {
  return static_cast<SizeClass>(kAscendingClasses + size_class * 8 / kCacheLineBytes - 1);
}

constexpr size_t ComputeFirstBlock(size_t size_class) {
  const size_t bytes = ComputeBlockBytes(size_class);
  const bool has_line_class = bytes == kCacheLineBytes || bytes == 2 * kCacheLineBytes;
  return has_line_class && size_class < kAscendingClasses ? kLineOffset : 0;
}

// From the first block on.
constexpr size_t ComputeUsableBytes(size_t size_class, size_t run_pools) {
  return run_pools * kPoolBytes - ComputeFirstBlock(size_class);
}

// The shortest run with a tail of at most 1.5 % and some blocks, so that refills and flushes do not
// look up a run for each. Small classes' runs fill an arena but for two pools: where huge pages
// serve, what they leave is resident.
constexpr size_t ComputeRunPools(size_t size_class) {
  constexpr size_t kRunPoolsMax = 32;
  const size_t block_bytes = ComputeBlockBytes(size_class);
  const size_t blocks_min = block_bytes <= kSmallBytes ? 16 : block_bytes <= 16384 ? 4 : 2;
  size_t best = 0;
  size_t best_tail = 0;
  for (size_t pools = 1; pools <= kRunPoolsMax; ++pools) {
    const size_t run_bytes = pools * kPoolBytes;
    const size_t usable = ComputeUsableBytes(size_class, pools);
    const size_t blocks = usable / block_bytes;
    if (blocks < blocks_min || (blocks > 256 && pools > 1)) {
      continue;
    }
    const size_t tail = usable % block_bytes;
    const bool fills_arena = block_bytes > kSmallBytes || kPoolsPerArena % pools <= 2;
    if (fills_arena && tail * 1000 <= run_bytes * 15) {
      return pools;
    }
    if (best == 0 || tail * best < best_tail * pools) {
      best = pools;
      best_tail = tail;
    }
  }
  return best;
}

inline constexpr std::array<ClassInfo, kClassCount> kClassTable = [] {
  std::array<ClassInfo, kClassCount> table{};
  for (size_t c = 1; c < kClassCount; ++c) {
    ClassInfo& info = table[c];
    const size_t bytes = ComputeBlockBytes(c);
    info.block_bytes = static_cast<uint32_t>(bytes);
    info.run_pools = static_cast<uint16_t>(ComputeRunPools(c));
    info.capacity = static_cast<uint16_t>(ComputeUsableBytes(c, info.run_pools) / bytes);
    info.first_block = static_cast<uint8_t>(ComputeFirstBlock(c));
    info.reciprocal = (uint64_t{1} << kReciprocalShift) / bytes + 1;
    info.inverse_shift = static_cast<uint8_t>(std::countr_zero(bytes));
    info.inverse = InverseOf(bytes >> info.inverse_shift);
    size_t slots = std::bit_floor(kMagazineBytesMax / bytes);
    slots = slots > kMagazineSlotsMax ? kMagazineSlotsMax : slots;
    info.magazine_slots =
        static_cast<uint16_t>(slots < kMagazineSlotsMin ? kMagazineSlotsMin : slots);
    const size_t batches = kDepotBytesMax / (bytes * kBatchBlocks);
    info.depot_batches =
        static_cast<uint16_t>(batches > kDepotBatchesMax ? kDepotBatchesMax : batches);
    // Each run of the 8-byte class wants a bitmap of its own: one at a time.
    info.adjacent_runs = static_cast<uint8_t>(c == 1 ? 1 : kAdjacentPoolsMax / info.run_pools);
    const size_t countdown = kCountdownBytes / bytes;
    info.countdown = static_cast<uint32_t>(countdown < 64 ? 64 : countdown);
  }
  return table;
}();

constexpr size_t BlockBytes(SizeClass size_class) { return kClassTable[size_class].block_bytes; }

// Which block of its run the byte at `offset` behind the first block's start lies in.
constexpr size_t BlockIndex(const ClassInfo& info, size_t offset) {
  return (offset * info.reciprocal) >> kReciprocalShift;
}

// Which block of its run starts `offset` behind the first one; a number not below the capacity when
// none does. An exact division is a multiplication by the inverse (T. Granlund, P. L. Montgomery,
// "Division by Invariant Integers using Multiplication", 1994, section 9).
constexpr size_t BlockStartingAt(const ClassInfo& info, size_t offset) {
  return std::rotr(offset * info.inverse, info.inverse_shift);
}

// The smallest class of at least `bytes` whose blocks are all aligned to `alignment` (the first one
// is, and the size is a multiple), or 0 when there is none: a request rounded up to a multiple of
// its alignment has a class whose size is one, too. REQUIRES: alignment is a power of two.
constexpr SizeClass ClassForAligned(size_t bytes, size_t alignment) {
  if (alignment > kPoolBytes || bytes > kClassBytesMax) {
    return 0;
  }
  const SizeClass size_class = ClassFor((bytes + alignment - 1) & ~(alignment - 1));
  const bool is_aligned = (kClassTable[size_class].first_block & (alignment - 1)) == 0;
  return is_aligned ? size_class : LineClassFor(size_class);
}

static_assert(kClassCount <= 256, "a class fits a byte");
static_assert(kLineOffset % kMallocAlignment == 0, "all blocks are aligned for malloc");
static_assert(kSmallBytes == 1024, "the doublings start there");
static_assert(ComputeBlockBytes(kAscendingClasses - 1) == kClassBytesMax,
              "the last of the ascending classes is the largest size with a class");
static_assert(kClassBytesMax % kPoolBytes == 0, "an aligned request is not rounded up beyond it");
static_assert(
    [] {
      for (size_t c = 1; c < kAscendingClasses; ++c) {
        const ClassInfo& info = kClassTable[c];
        if (ClassFor(info.block_bytes) != c || (c > 1 && ClassFor(info.block_bytes - 1) > c)) {
          return false;
        }
        if (c + 1 < kAscendingClasses && ClassFor(info.block_bytes + 1) != c + 1) {
          return false;
        }
      }
      return true;
    }(),
    "every size maps to the tightest class");
static_assert(
    [] {
      for (size_t c = 1; c < kClassCount; ++c) {
        const ClassInfo& info = kClassTable[c];
        const size_t run_bytes = info.run_pools * kPoolBytes;
        // Offsets whose quotient could be off by one: next to each block's start.
        for (size_t block = 0; block < info.capacity; ++block) {
          const size_t start = block * info.block_bytes;
          if (BlockIndex(info, start) != block || BlockStartingAt(info, start) != block ||
              (start > 0 && BlockIndex(info, start - 1) != block - 1)) {
            return false;
          }
        }
        if (c != 1 && info.capacity > 256) {
          return false;
        }
        if (info.block_bytes <= kSmallBytes &&
            (run_bytes - info.first_block) % info.block_bytes * 1000 > run_bytes * 15) {
          return false;
        }
      }
      return true;
    }(),
    "reciprocals are exact, bitmaps suffice, and tails are at most 1.5 %");

}  // namespace tally

#endif  // ALLOCATOR_SIZE_CLASS_H_
