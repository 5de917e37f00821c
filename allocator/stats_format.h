// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The public layout of the books: what reports are made of, what a published file holds, and where
// a reader of another process finds the present. STATS_FORMAT.md describes it in one page.
//
// Called by books and publish (write), reports and tools/ (read). Includes nothing of the core's.
//
// Every number is native-endian, and all but the small ones of a StatsEntryLeaf and StatsRegionLeaf
// are 64 bits wide: no padding, the same layout in C, C++ and Python's struct.
//
// Invariants:
//   1. kStatsVersion changes whenever the meaning or the place of anything here does.
//   2. The identity: mapped_bytes = the sum of Books::identity; per class allocated - freed = live.
// Threads: data only.

#ifndef ALLOCATOR_STATS_FORMAT_H_
#define ALLOCATOR_STATS_FORMAT_H_

#include <cstddef>
#include <cstdint>

namespace tally {

inline constexpr uint64_t kStatsMagic = 0x534b4f4f42594c54;  // "TLYBOOKS"
inline constexpr uint64_t kStatsVersion = 5;
inline constexpr size_t kStatsClassesMax = 176;

// One size class. Blocks, unless a name says otherwise.
struct ClassBooks {
  uint64_t block_bytes;    // bytes of a block; zero: there is no such class
  uint64_t allocated;      // ever
  uint64_t freed;          // ever: allocated - live
  uint64_t live;           // in the program's hands
  uint64_t cached;         // free, in magazines and depots
  uint64_t transit;        // free, in batches on their way home
  uint64_t free_in_pools;  // whose bit is set
  uint64_t runs;           // runs of pools
  uint64_t refills;
  uint64_t flushes;
  // Allocations whose request was looked at: on average one in 512 KiB of the class, of blocks
  // above 8 KiB one in 64.
  uint64_t samples;
  uint64_t sampled_bytes;  // the sum of these requests

  // An unbiased estimate of the bytes that were asked for by all allocations ever; without a sample
  // the blocks' bytes.
  uint64_t requested_estimate() const {
    return samples == 0 ? allocated * block_bytes
                        : static_cast<uint64_t>(static_cast<double>(allocated) *
                                                static_cast<double>(sampled_bytes) /
                                                static_cast<double>(samples));
  }
  // Whether there is anything to tell of the class.
  bool was_used() const { return allocated != 0 || runs != 0; }
};

// Large blocks (runs of pools of their own) or huge ones (mappings of their own).
struct TierBooks {
  uint64_t allocated;  // blocks, ever
  uint64_t freed;
  uint64_t live;             // blocks
  uint64_t live_bytes;       // mapped for them
  uint64_t requested_bytes;  // asked for
};

// Bytes. One field a term of the identity.
struct IdentityBooks {
  uint64_t live;
  uint64_t cached;
  uint64_t transit;
  uint64_t free_in_pools;
  uint64_t tails;          // behind a run's last block
  uint64_t dirty;          // free pools and mappings that may be in physical memory
  uint64_t purged;         // free pools given back
  uint64_t never_touched;  // committed, never used
  uint64_t metadata;
  uint64_t guards;

  uint64_t sum() const;
};

// The terms in the order in which reports show them.
struct IdentityTerm {
  const char* key;    // in machine-readable reports
  const char* title;  // in those for people
  uint64_t IdentityBooks::*bytes;
  const char* meaning;
};
inline constexpr IdentityTerm kIdentityTerms[] = {
    {"live", "live", &IdentityBooks::live, "blocks in the program's hands, rounding included"},
    {"cached", "cached", &IdentityBooks::cached, "free blocks in magazines and depots"},
    {"transit", "in transit", &IdentityBooks::transit, "free blocks on their way to their heap"},
    {"free_in_pools", "free in pools", &IdentityBooks::free_in_pools,
     "free blocks in pools in use"},
    {"tails", "tails", &IdentityBooks::tails, "outside the blocks of a run"},
    {"dirty", "dirty", &IdentityBooks::dirty, "free pools and mappings not yet given back"},
    {"purged", "purged", &IdentityBooks::purged, "free pools given back to the system"},
    {"never_touched", "never touched", &IdentityBooks::never_touched,
     "pools committed and not used so far"},
    {"metadata", "metadata", &IdentityBooks::metadata,
     "descriptors, keys, region map (8 MiB of zero page), caches"},
    {"guards", "guards", &IdentityBooks::guards, "none in this version"},
};
static_assert(sizeof(kIdentityTerms) / sizeof(kIdentityTerms[0]) ==
                  sizeof(IdentityBooks) / sizeof(uint64_t),
              "every term has its row");

inline uint64_t IdentityBooks::sum() const {
  uint64_t sum = 0;
  for (const IdentityTerm& term : kIdentityTerms) {
    sum += this->*term.bytes;
  }
  return sum;
}

struct Books {
  ClassBooks classes[kStatsClassesMax];  // 0 does not exist
  TierBooks large;
  TierBooks huge;
  IdentityBooks identity;
  uint64_t mapped_bytes;       // accessible bytes that are ours
  uint64_t mapped_peak_bytes;  // the most that was seen when memory was mapped
  uint64_t reserved_bytes;     // address space of regions
  uint64_t regions;
  uint64_t heaps;
  uint64_t live_threads;
  uint64_t peak_threads;
  uint64_t threads_started;
  uint64_t purged_bytes;  // ever
  uint64_t purge_calls;
  uint64_t mismatched_sizes;  // sized deletes
  uint64_t slow_calls;        // refills and flushes of magazines, and countdowns that ran out
  uint64_t slow_ns;           // in these, an estimate: every 16th is timed
  // Debug builds: frees that threads counted themselves.
  uint64_t counted_frees;

  uint64_t live_blocks() const {
    uint64_t blocks = large.live + huge.live;
    for (const ClassBooks& entry : classes) {
      blocks += entry.live;
    }
    return blocks;
  }
  uint64_t allocated_blocks() const {
    uint64_t blocks = large.allocated + huge.allocated;
    for (const ClassBooks& entry : classes) {
      blocks += entry.allocated;
    }
    return blocks;
  }
};

// One thread cache. Threads that ended leave theirs, with its totals, to the next.
struct ThreadBooks {
  uint64_t thread;          // the kernel's id; zero: no thread has the cache now
  uint64_t heap;            // index of the heap that it works for; means nothing without a thread
  uint64_t allocated;       // blocks, ever
  uint64_t cached;          // blocks in magazines
  uint64_t cached_bytes;    // of these
  uint64_t transit;         // blocks in outgoing batches
  uint64_t magazine_bytes;  // what the magazines could hold
  uint64_t slow_ns;         // in slow halves, an estimate
};

struct HeapBooks {
  uint64_t heap;  // its index
  uint64_t threads;
  uint64_t refills;
  uint64_t flushes;
  uint64_t depot_blocks;
  uint64_t inbox_blocks;
  uint64_t unused[2];
};

// What the kernel says of our mappings. Bytes.
struct KernelBooks {
  uint64_t accessible_bytes;  // Size of our mappings that can be read or written
  uint64_t resident_pools;    // in physical memory: the sum of the next three
  uint64_t resident_blocks;   // pools of blocks
  uint64_t resident_large;    // large blocks
  uint64_t resident_free;     // free pools
  uint64_t resident_huge;
  uint64_t resident_metadata;
  uint64_t process_rss;
  uint64_t minor_faults;  // of the whole process
  uint64_t major_faults;
  bool is_known;

  uint64_t not_ours() const {
    const uint64_t ours = resident_pools + resident_huge + resident_metadata;
    return process_rss > ours ? process_rss - ours : 0;
  }
};

// What a pool is, in one byte. From kPoolBlocks on: a pool of blocks, kPoolBlocks with none of them
// handed out to magazines or the program, 255 with all.
inline constexpr uint8_t kPoolAbsent = 0;  // not accessible yet
inline constexpr uint8_t kPoolUntouched = 1;
inline constexpr uint8_t kPoolPurged = 2;
inline constexpr uint8_t kPoolDirty = 3;  // free, perhaps in physical memory
inline constexpr uint8_t kPoolMetadata = 4;
inline constexpr uint8_t kPoolLarge = 5;      // of a large block
inline constexpr uint8_t kPoolUnsettled = 6;  // being handed over that moment
inline constexpr uint8_t kPoolBlocks = 16;

constexpr uint8_t OccupancyOf(uint64_t used_blocks, uint64_t capacity) {
  constexpr uint64_t kSteps = 255 - kPoolBlocks;
  return static_cast<uint8_t>(
      kPoolBlocks + (capacity == 0 ? 0 : (used_blocks * kSteps + capacity - 1) / capacity));
}

// Where the living books lie in the process: addresses, and offsets in bytes from the start of what
// is named first; under the symbol tally_stats_directory, too. "-> T" is the address of a T.
struct StatsDirectory {
  uint64_t magic;
  uint64_t version;
  uint64_t directory_bytes;
  // The geometry.
  uint64_t pool_bytes;
  uint64_t arena_bytes;
  uint64_t region_bytes;
  uint64_t descriptor_bytes;
  uint64_t class_count;
  uint64_t classes;  // -> class[class_count]
  uint64_t class_stride;
  uint64_t class_block_bytes;  // u32
  uint64_t class_run_pools;    // u16
  uint64_t class_capacity;     // u16
  uint64_t class_first_block;  // u8, the first block's offset in a run
  // Regions, arenas and descriptors.
  uint64_t regions;             // -> -> the oldest
  uint64_t region_next;         // -> the next younger
  uint64_t region_committed;    // u64, a bit an arena
  uint64_t region_arena_count;  // u32
  uint64_t region_first_pool;   // the first pool of blocks; what lies before is metadata
  uint64_t region_keys;         // -> u32 for each pool of the region; metadata
  uint64_t region_arenas;
  uint64_t arena_stride;
  uint64_t arena_free;  // u64, a bit a pool
  uint64_t arena_dirty;
  uint64_t arena_touched;
  uint64_t pool_owner;          // -> heap
  uint64_t pool_kind;           // u8: 0 free, 1 blocks, 2 inner, 3 large
  uint64_t pool_size_class;     // u8
  uint64_t pool_free_blocks;    // u16
  uint64_t pool_inner_index;    // u8
  uint64_t pool_run_pools;      // u32
  uint64_t pool_request_bytes;  // u64
  uint64_t pool_bitmap;         // u64[4]; of class 1, -> u64[8]
  uint64_t region_map;          // -> u8 for each region_bytes of addresses: 1 pools, 2 and 3 huge
  uint64_t region_map_bytes;
  // Heaps.
  uint64_t heaps;       // -> (-> heap)[heap_count]
  uint64_t heap_count;  // -> u32
  uint64_t heap_users;  // u32
  uint64_t heap_inbox;  // -> batch
  uint64_t heap_classes;
  uint64_t heap_class_stride;
  uint64_t heap_class_depot;  // -> batch
  uint64_t heap_class_refills;
  uint64_t heap_class_flushes;
  uint64_t batch_next;
  uint64_t batch_count;       // u32
  uint64_t batch_blocks;      // addresses of blocks
  uint64_t batch_blocks_max;  // how many fit
  // Thread caches.
  uint64_t caches;  // -> -> the first
  uint64_t cache_next;
  uint64_t cache_heap;    // -> heap
  uint64_t cache_thread;  // u64
  uint64_t cache_bases;   // u64[class_count]: allocated = base - countdown
  uint64_t cache_resets;  // u64, odd while a base and its countdown change
  uint64_t cache_magazine_bytes;
  uint64_t cache_slow_calls;
  uint64_t cache_slow_ns;
  uint64_t cache_outgoing;
  uint64_t cache_outgoing_stride;
  uint64_t cache_outgoing_count;
  uint64_t outgoing_batch;  // -> batch
  uint64_t cache_magazines;
  uint64_t magazine_stride;
  uint64_t magazine_top;        // u64
  uint64_t magazine_limit;      // u64
  uint64_t magazine_countdown;  // i64
  uint64_t magazine_bottom;     // u64
  // Mappings.
  uint64_t huge_table;  // -> -> huge[*huge_capacity]
  uint64_t huge_capacity;
  uint64_t huge_stride;
  uint64_t huge_start;  // u64; zero: no block
  uint64_t huge_bytes;
  uint64_t huge_request_bytes;
  uint64_t spares;  // -> spare[*spare_count]
  uint64_t spare_count;
  uint64_t spare_stride;
  uint64_t spare_start;  // u64; zero: only the size is known
  uint64_t spare_bytes;
  uint64_t metadata_steps;  // -> -> the first mapping
  uint64_t step_next;
  uint64_t step_bytes;
  // Totals: -> u64, where nothing else is said.
  uint64_t large_allocated;
  uint64_t large_freed;
  uint64_t huge_allocated;
  uint64_t huge_freed;
  uint64_t metadata_bytes;
  uint64_t mapped_peak_bytes;
  uint64_t live_threads;  // -> u32
  uint64_t peak_threads;  // -> u32
  uint64_t threads_started;
  uint64_t purged_bytes;
  uint64_t purge_calls;
  uint64_t mismatched_sizes;
  uint64_t uncached_allocations;  // -> u64[class_count], these three
  uint64_t samples;
  uint64_t sampled_bytes;
};

// A published file: the header, two places for snapshots, then leaves.
inline constexpr size_t kStatsHeaderBytes = 4096;
inline constexpr size_t kStatsSnapshotBytes = 20 * 1024;
inline constexpr size_t kStatsLeavesAt = 44 * 1024;
inline constexpr size_t kStatsLeafBytes = 4096;

enum class StatsState : uint64_t {
  kRunning = 1,
  kFull = 2,   // running, but the file could not grow: leaves that did not fit are missing
  kEnded = 3,  // the process ended, and was asked to leave the file
};

struct StatsHeader {
  uint64_t magic;
  uint64_t version;
  uint64_t header_bytes;  // of this structure
  uint64_t process;       // its id, as it sees it
  uint64_t start_ticks;   // field 22 of /proc/PID/stat: tells it from a later one of the same id
  uint64_t created_ms;    // since 1970
  uint64_t state;         // StatsState
  // How many snapshots were written. The last whole one lies at
  // kStatsHeaderBytes + (published % 2) * kStatsSnapshotBytes.
  uint64_t published;
  uint64_t directory_address;  // of tally_stats_directory in the process
  char command[32];            // as the kernel knows it; printable
  char library[16];            // its version
  StatsDirectory directory;
};
static_assert(sizeof(StatsHeader) <= kStatsHeaderBytes, "the header fits its place");

struct StatsSnapshot {
  uint64_t sequence;  // equal to `published` after it was written
  uint64_t time_ms;   // since 1970
  uint64_t leaves;    // of this snapshot: regions', then heaps', then threads'
  Books books;
  uint64_t checksum;  // StatsChecksum of all before
};
static_assert(sizeof(StatsSnapshot) <= kStatsSnapshotBytes, "a snapshot fits its place");
static_assert(kStatsHeaderBytes + 2 * kStatsSnapshotBytes <= kStatsLeavesAt, "so do both");

// Fowler, Noll and Vo's FNV-1a, a word at a time.
inline uint64_t StatsChecksum(const StatsSnapshot& snapshot) {
  const auto* word = reinterpret_cast<const uint64_t*>(&snapshot);
  uint64_t sum = 0xcbf29ce484222325;
  for (size_t i = 0; i < offsetof(StatsSnapshot, checksum) / sizeof(*word); ++i) {
    sum = (sum ^ word[i]) * 0x100000001b3;
  }
  return sum;
}

// A leaf belongs to the snapshot whose sequence it bears; one with another was not yet, or is no
// longer, of that moment.
enum class LeafKind : uint32_t { kNone = 0, kRegion = 1, kThreads = 2, kHeaps = 3 };
struct StatsLeafHead {
  LeafKind kind;
  uint32_t count;  // of entries; of a region, its accessible arenas
  uint64_t sequence;
  uint64_t start;  // of a region: its address
  uint64_t unused[5];
};
static_assert(sizeof(StatsLeafHead) == 64);

// The first 64 pools of a region hold its descriptors, so that their place serves the head.
struct StatsRegionLeaf {
  StatsLeafHead head;
  uint8_t occupancy[kStatsLeafBytes - sizeof(StatsLeafHead)];  // of the pools from the 64th on
};
static_assert(sizeof(StatsRegionLeaf) == kStatsLeafBytes);

inline constexpr size_t kStatsLeafEntries = 63;
template <typename Entry>
struct StatsEntryLeaf {
  StatsLeafHead head;
  Entry entries[kStatsLeafEntries];
};
static_assert(sizeof(StatsEntryLeaf<ThreadBooks>) == kStatsLeafBytes);
static_assert(sizeof(StatsEntryLeaf<HeapBooks>) == kStatsLeafBytes);

}  // namespace tally

#endif  // ALLOCATOR_STATS_FORMAT_H_
