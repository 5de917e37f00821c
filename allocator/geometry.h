// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Every size and shift of the allocator, in one place.
//
// Called by every floor above. A change here is either proven by the static_asserts below and in
// size_class.h, or refused with a sentence.
//
//   region 16 MiB = 64 arenas       one word: which arenas may have room
//   arena 256 KiB = 64 pools        one word: which pools are free
//   pool    4 KiB = blocks          a 64-byte descriptor, one bit a block
//
// Threads: constants only.

#ifndef ALLOCATOR_GEOMETRY_H_
#define ALLOCATOR_GEOMETRY_H_

#include <cstddef>
#include <cstdint>

namespace tally {

inline constexpr size_t kPoolShift = 12;
inline constexpr size_t kPoolBytes = size_t{1} << kPoolShift;
inline constexpr size_t kPoolsPerArena = 64;
inline constexpr size_t kArenaBytes = kPoolBytes * kPoolsPerArena;
inline constexpr size_t kArenasPerRegion = 64;
inline constexpr size_t kRegionShift = 24;
inline constexpr size_t kRegionBytes = size_t{1} << kRegionShift;
inline constexpr size_t kPoolsPerRegion = kPoolsPerArena * kArenasPerRegion;
inline constexpr size_t kDescriptorBytes = 64;

static_assert(kArenaBytes * kArenasPerRegion == kRegionBytes,
              "a region is exactly its arenas: one word says which have room");
static_assert(kPoolsPerRegion * kDescriptorBytes == kArenaBytes,
              "a region's descriptors fill exactly its first arena");
static_assert(kPoolsPerArena == 64 && kArenasPerRegion == 64, "each level is one 64-bit word");

// The first arena is metadata.
inline constexpr size_t kFirstPoolOffset = kArenaBytes;

// Bits of a user address: what mmap can return without being asked for more.
#if defined(__x86_64__)
inline constexpr size_t kAddressBits = 47;
#else
inline constexpr size_t kAddressBits = 48;
#endif
inline constexpr size_t kRegionMapBytes = size_t{1} << (kAddressBits - kRegionShift);
// The addresses that one table of keys covers, at 4 bytes a pool; see key_table.h. Twice as much
// would begin where ThreadSanitizer lets nobody map.
inline constexpr size_t kKeyWindowBytes = size_t{1} << 39;

// Arenas made accessible in one system call. 1 MiB keeps the calls rare and stays under the 2 MiB
// that would let THP=always put a huge page under a small process.
inline constexpr size_t kCommitArenas = 4;

// Once a process has so many regions, the next ones ask for huge pages: lowest addresses are used
// first, so what lies in a huge page will soon be used, and at most a few per cent are not.
inline constexpr size_t kHugePageRegionFirst = 1;
// The same under descriptors, which are touched as their pools are.
inline constexpr size_t kHugePageHeadRegionFirst = 4;
// Where touching a small page takes so long, as under some hypervisors, blocks of so many bytes
// that will be filled from their start ask for huge pages as well.
inline constexpr uint64_t kDearPageNs = 3000;
inline constexpr size_t kHugePageBlockBytesMin = 4 * 1024 * 1024;
inline constexpr size_t kHugePageArenas = 8;
static_assert(kHugePageArenas * kArenaBytes == 2 * 1024 * 1024, "x86-64's and arm64's with 4 KiB");
// A huge page that took longer to touch than this, and than so many small pages (twice its own: it
// saves TLB misses later), is followed by so many stretches without one, at first and at most; one
// that did not, by so many that are not timed.
inline constexpr uint64_t kHugePageNsMax = 1500000;
inline constexpr uint64_t kHugePageSmallPagesMax = 1024;
inline constexpr uint32_t kHugePagesTrusted = 3;
inline constexpr uint32_t kHugePagePauseFirst = 4;
inline constexpr uint32_t kHugePagePauseMax = 32;

// Once a class has so many runs, it gets pages for so many pools together: what lies ahead is a
// small part of what the process has by then.
inline constexpr size_t kRunsBeforeMapAhead = 2;
constexpr size_t PoolsAhead(size_t region, size_t arena) {
  return region != 0 ? kPoolsPerArena : arena >= kCommitArenas ? 16 : 4;
}

// Blocks up to here are 8 bytes apart and take the shortest path.
inline constexpr size_t kSmallBytes = 1024;
// Blocks up to here have a size class; above, a run of pools of their own.
inline constexpr size_t kClassBytesMax = 32 * 1024;
// Above, a mapping of its own.
inline constexpr size_t kRunBytesMax = 8 * 1024 * 1024;
// The most that one region could hold.
inline constexpr size_t kRunBytesLimit = (kArenasPerRegion - 1) * kArenaBytes;
// Blocks of one and two cache lines begin this far behind a line's start, in the middle of what
// programs read first: who walks them in order then reads line after line, and the processor
// fetches ahead. CPython's own pools have it by their header of 48 bytes. See DECISIONS.md.
inline constexpr size_t kCacheLineBytes = 64;
inline constexpr size_t kLineOffset = 48;
// A class that has many runs takes several at a time, side by side: an eighth of what it has, up to
// so many pools. Prefetchers follow blocks that were allocated in turn through adjacent pages.
inline constexpr size_t kAdjacentPoolsMax = 16;
inline constexpr size_t kRunsPerTakenRun = 8;
// Pools that a heap's classes may keep in empty runs for a while, besides.
inline constexpr size_t kEmptyPoolsMax = 256;
// Freed mappings that are kept for the decay time, and how much they may hold in all: so many
// bytes, or this part of what is live in mappings.
inline constexpr size_t kSpareMappings = 16;
inline constexpr size_t kSpareBytesMax = 32 * 1024 * 1024;
inline constexpr size_t kLiveBytesPerSpareByte = 4;
// Once this part of what is mapped was handed out untouched, touching it costs so much that looking
// at each arena for others to give back for it is nothing. Where page faults take long, all of it.
inline constexpr size_t kMappedPerWay = 64;
inline constexpr size_t kMappedPerWayWhenDear = 1;
// A block that realloc grows beyond this by a small step gets a mapping: whoever grows so will grow
// again soon, and mremap copies nothing.
inline constexpr size_t kGrowingBytesMax = 512 * 1024;

// What malloc promises for sizes above 8 bytes (C23 7.24.3; clang and Rust rely on it).
#ifdef TALLY_MALLOC_ALIGNMENT
inline constexpr size_t kMallocAlignment = TALLY_MALLOC_ALIGNMENT;
#else
inline constexpr size_t kMallocAlignment = 16;
#endif
static_assert(kMallocAlignment == 8 || kMallocAlignment == 16,
              "malloc's alignment is 16, or 8 in libtally8");

// Objects larger than this cannot be subtracted pointers of; malloc refuses them.
inline constexpr size_t kRequestBytesMax = PTRDIFF_MAX;

// Bytes between two countdown events of a class: rare enough to cost nothing, frequent enough that
// a program that only ever touches magazines still drives the purge clock.
inline constexpr size_t kCountdownBytes = 512 * 1024;

// A magazine's slots hold at most this many bytes of blocks...
inline constexpr size_t kMagazineBytesMax = 256 * 1024;
// ...and at most this many slots (one is the null sentinel), at least kMagazineSlotsMin.
inline constexpr size_t kMagazineSlotsMax = 512;
inline constexpr size_t kMagazineSlotsMin = 4;
inline constexpr size_t kMagazineSlotsFirst = 4;
// Up to this many threads may fill their magazines as the option says. More share what those would
// hold, down to a smallest share.
inline constexpr size_t kMagazineShares = 8;
inline constexpr size_t kMagazineShareMin = 256 * 1024;

// Blocks in one batch: half of the largest magazine makes two, and nothing is left over.
inline constexpr size_t kBatchBlocks = 128;
static_assert(kMagazineSlotsMax / 2 % kBatchBlocks == 0, "flushes and refills move whole batches");
// Empty containers that a thread keeps at most; it gets and gives back half as many at a time.
inline constexpr size_t kStashBatches = 16;
// Full batches that a heap keeps per class before it sets bits; see Heap.
inline constexpr size_t kDepotBytesMax = 128 * 1024;
inline constexpr size_t kDepotBatchesMax = 64;
// ...and this many whose blocks lie far apart.
inline constexpr size_t kScatteredBatchesMax = 4;
// A batch going home is posted when it holds this much, whatever its count.
inline constexpr size_t kOutgoingBytesMax = 16 * 1024;
// Heaps that a thread cache holds batches for at a time.
inline constexpr size_t kOutgoingSlots = 8;
// Batches, of about kOutgoingBytesMax at most, that may wait in a heap's inbox before the poster
// drains it itself.
inline constexpr size_t kInboxBatchesMax = 32;

// The purge clock: a tick visits every fourth arena, and two rounds are the decay time.
inline constexpr uint64_t kTicksPerRound = 4;
inline constexpr uint64_t kTicksPerDecay = 2 * kTicksPerRound;

// Heaps per CPU; beyond that threads share.
inline constexpr unsigned kHeapsPerCpu = 4;
inline constexpr unsigned kHeapsMax = 1024;

}  // namespace tally

#endif  // ALLOCATOR_GEOMETRY_H_
