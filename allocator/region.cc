// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/region.h"

#include <bit>
#include <new>

#include "allocator/first_touch.h"
#include "allocator/mapped.h"
#include "allocator/options.h"
#include "allocator/os.h"

namespace tally {

constinit Regions regions;

namespace {

constexpr uint64_t kAll = ~uint64_t{0};

// Calls visit(arena, mask) for each arena in which some of the `pools` from the `at`-th of a region
// on lie, until it says false. Returns how many pools it said true for.
template <typename Visit>
size_t ForEachArenaOf(size_t at, size_t pools, Visit visit) {
  size_t visited = 0;
  while (visited != pools) {
    const size_t in_arena = (at + visited) % kPoolsPerArena;
    const size_t left = pools - visited;
    const size_t here = left < kPoolsPerArena - in_arena ? left : kPoolsPerArena - in_arena;
    if (!visit((at + visited) / kPoolsPerArena, LowBits(here) << in_arena)) {
      break;
    }
    visited += here;
  }
  return visited;
}

// Positions at which `count` adjacent bits of `word` are set, by doubling.
uint64_t RunStarts(uint64_t word, size_t count) {
  size_t have = 1;
  while (have * 2 <= count) {
    word &= word >> have;
    have *= 2;
  }
  if (have < count) {
    word &= word >> (count - have);
  }
  return word;
}

// One bit at each multiple of `alignment` pools.
uint64_t AlignedPositions(size_t alignment) {
  uint64_t positions = 1;
  for (size_t at = alignment; at < 64; at += alignment) {
    positions |= uint64_t{1} << at;
  }
  return positions;
}

}  // namespace

bool Regions::IsInCommittedArena(const void* p) {
  const size_t offset = reinterpret_cast<uintptr_t>(p) & (kRegionBytes - 1);
  const size_t arena = offset / kArenaBytes;
  return offset >= kFirstPoolOffset &&
         (Region::Of(p)->committed.load(std::memory_order_acquire) >> arena & 1) != 0;
}

// Writes the words of pools just taken. True when every byte of them is known to be zero.
bool Regions::MarkTaken(Region* region, size_t at, size_t pools) {
  bool is_zero = true;
  ForEachArenaOf(at, pools, [&](size_t arena, uint64_t mask) {
    is_zero &= MarkTakenIn(region, arena, mask);
    return true;
  });
  return is_zero;
}

bool Regions::MarkTakenIn(Region* region, size_t arena_index, uint64_t mask) {
  Arena& arena = region->arenas[arena_index];
  const uint64_t dirty = arena.dirty.load(std::memory_order_relaxed);
  if ((arena.touched.load(std::memory_order_relaxed) & mask) != mask) {
    arena.touched.fetch_or(mask, std::memory_order_relaxed);
  }
  if ((dirty & mask) != mask) {
    arena.dirty.fetch_or(mask, std::memory_order_relaxed);
    region->described.fetch_or(uint64_t{1} << arena_index, std::memory_order_relaxed);
  }
  if ((arena.aged.load(std::memory_order_relaxed) & mask) != 0) {
    arena.aged.fetch_and(~mask, std::memory_order_relaxed);
  }
  return (dirty & mask) == 0;
}

// The pools of `mask` that were never used, and the rest of their groups, get their pages.
// REQUIRES: the caller took the pools of `mask` and has not marked them yet.
void Regions::MapAhead(Region* region, size_t arena_index, uint64_t mask) {
  const uint64_t touched = region->arenas[arena_index].touched.load(std::memory_order_relaxed);
  const uint64_t fresh = mask & ~touched;
  if (fresh == 0) {
    return;
  }
  char* start = region->start() + arena_index * kArenaBytes;
  if (region->ordinal < kHugePageRegionFirst) {  // later pages may be huge
    first_touch.TimePage(start + static_cast<size_t>(std::countr_zero(fresh)) * kPoolBytes);
  }
  const size_t group = PoolsAhead(region->ordinal, arena_index);
  for (size_t at = 0; at < kPoolsPerArena; at += group) {
    const uint64_t pools = LowBits(group) << at;
    if ((fresh & pools) != 0 && (touched & pools) == 0) {
      first_touch.MapPages(start + at * kPoolBytes, group * kPoolBytes);
    }
  }
}

Run Regions::TakeWithinArena(Region* region, size_t arena_index, size_t pools,
                             size_t alignment_pools, size_t runs_max, Use use) {
  Arena& arena = region->arenas[arena_index];
  for (size_t runs = runs_max;;) {
    uint64_t starts = RunStarts(arena.free.load(std::memory_order_relaxed), runs * pools);
    if (alignment_pools > 1) {
      starts &= AlignedPositions(alignment_pools);
    }
    if (starts == 0) {
      if (runs == 1) {
        return {};
      }
      runs /= 2;
      continue;
    }
    const size_t in_arena = static_cast<size_t>(std::countr_zero(starts));
    const uint64_t mask = LowBits(runs * pools) << in_arena;
    if (TakeExactly(region, arena_index, mask)) {
      if (use == Use::kSoon) {
        MapAhead(region, arena_index, mask);
      }
      const bool is_zero = MarkTakenIn(region, arena_index, mask);
      return {region->descriptor(arena_index * kPoolsPerArena + in_arena), is_zero, runs * pools};
    }
  }
}

Run Regions::TakeSmall(size_t pools, size_t alignment_pools, size_t runs_max, Use use) {
  Region* region = first_with_room_.load(std::memory_order_acquire);
  bool may_advance = region != nullptr;
  for (; region != nullptr; region = region->next.load(std::memory_order_acquire)) {
    for (uint64_t room = region->room.load(std::memory_order_relaxed); room != 0;
         room &= room - 1) {
      may_advance = false;
      const size_t arena = static_cast<size_t>(std::countr_zero(room));
      const Run run = TakeWithinArena(region, arena, pools, alignment_pools, runs_max, use);
      if (run.first != nullptr) {
        return run;
      }
    }
    Region* next = region->next.load(std::memory_order_acquire);
    if (may_advance && next != nullptr) {
      // A region that fills again meanwhile is found by GiveBack, which lowers the hint.
      first_with_room_.store(next, std::memory_order_seq_cst);
      if (region->room.load(std::memory_order_seq_cst) != 0) {
        first_with_room_.store(region, std::memory_order_relaxed);
        may_advance = false;
      }
    }
  }
  return {};
}

Run Regions::Take(size_t pools, size_t alignment_pools, size_t runs_max, Use use) {
  for (;;) {
    const bool is_small = pools <= kPoolsPerArena;
    Run run = is_small ? TakeSmall(pools, alignment_pools, runs_max, use) : TakeArenas(pools);
    if (run.first != nullptr) {
      return run;
    }
    const MutexLock lock(mutex_);
    // Somebody may have grown while we waited.
    run = is_small ? TakeSmall(pools, alignment_pools, runs_max, use) : TakeArenas(pools);
    if (run.first != nullptr || IsHopeless(pools) || !Grow(pools)) {
      return run;
    }
  }
}

// Where address space is so short that the last reservation shrank, another region would be no
// larger: a run that does not fit one must not use up what is left.
bool Regions::IsHopeless(size_t pools) const {
  const Region* youngest = youngest_.load(std::memory_order_relaxed);
  return youngest != nullptr && youngest->arena_count < kArenasPerRegion &&
         pools > (youngest->arena_count - 1) * kPoolsPerArena;
}

// Takes exactly the pools of `mask`, if all are free.
bool Regions::TakeExactly(Region* region, size_t arena_index, uint64_t mask) {
  Arena& arena = region->arenas[arena_index];
  uint64_t word = arena.free.load(std::memory_order_relaxed);
  while ((word & mask) == mask) {
    // Acquire pairs with the release in GiveBack: the last holder's descriptors are seen.
    if (arena.free.compare_exchange_weak(word, word & ~mask, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
      if ((word & ~mask) == 0) {
        // Clear the hint, then look again: who gave back in between may have set it before.
        const uint64_t bit = uint64_t{1} << arena_index;
        region->room.fetch_and(~bit, std::memory_order_seq_cst);
        if (arena.free.load(std::memory_order_seq_cst) != 0) {
          region->room.fetch_or(bit, std::memory_order_relaxed);
        }
      }
      return true;
    }
  }
  return false;
}

// Takes `pools` adjacent pools from the `at`-th of an arena on, or none.
bool Regions::TakeAt(Region* region, size_t at, size_t pools) {
  const size_t taken = ForEachArenaOf(
      at, pools, [&](size_t arena, uint64_t mask) { return TakeExactly(region, arena, mask); });
  if (taken == pools) {
    return true;
  }
  if (taken != 0) {
    GiveBack(region->descriptor(at), taken);
  }
  return false;
}

Run Regions::TakeArenasIn(Region* region, size_t pools) {
  const size_t span = (pools + kPoolsPerArena - 1) / kPoolsPerArena;
  for (uint64_t rest = RunStarts(region->room.load(std::memory_order_relaxed), span); rest != 0;
       rest &= rest - 1) {
    const size_t at = static_cast<size_t>(std::countr_zero(rest)) * kPoolsPerArena;
    if (TakeAt(region, at, pools)) {
      return {region->descriptor(at), MarkTaken(region, at, pools), pools};
    }
  }
  return {};
}

Run Regions::TakeArenas(size_t pools) {
  for (Region* region = oldest(); region != nullptr;
       region = region->next.load(std::memory_order_acquire)) {
    const Run run = TakeArenasIn(region, pools);
    if (run.first != nullptr) {
      return run;
    }
  }
  return {};
}

// What is not accessible yet has no bit set in its free word: it is committed first.
bool Regions::CommitThrough(Region* region, size_t last_arena) {
  if (last_arena >= region->arena_count) {
    return false;
  }
  if ((region->committed.load(std::memory_order_acquire) >> last_arena & 1) != 0) {
    return true;
  }
  const MutexLock lock(mutex_);
  while ((region->committed.load(std::memory_order_relaxed) >> last_arena & 1) == 0) {
    if (!CommitMore(region, false)) {
      return false;
    }
  }
  return true;
}

bool Regions::TakeAfter(Pool* first, size_t pools, size_t more) {
  Region* region = Region::Of(first);
  const size_t at = first->index() + pools;
  // Is the next pool free at all? Only then is it worth committing what lies behind.
  if (at % kPoolsPerArena != 0 &&
      (region->arenas[at / kPoolsPerArena].free.load(std::memory_order_relaxed) >>
           at % kPoolsPerArena &
       1) == 0) {
    return false;
  }
  if (!CommitThrough(region, (at + more - 1) / kPoolsPerArena) || !TakeAt(region, at, more)) {
    return false;
  }
  MarkTaken(region, at, more);
  return true;
}

void Regions::GiveBack(Pool* first, size_t pools) {
  Region* region = Region::Of(first);
  ForEachArenaOf(first->index(), pools, [&](size_t arena, uint64_t mask) {
    const uint64_t before = region->arenas[arena].free.fetch_or(mask, std::memory_order_seq_cst);
    CHECK((before & mask) == 0);
    const uint64_t bit = uint64_t{1} << arena;
    if ((region->room.load(std::memory_order_seq_cst) & bit) == 0) {
      region->room.fetch_or(bit, std::memory_order_seq_cst);
    }
    return true;
  });
  Region* hint = first_with_room_.load(std::memory_order_seq_cst);
  while ((hint == nullptr || region->ordinal < hint->ordinal) &&
         !first_with_room_.compare_exchange_weak(hint, region, std::memory_order_seq_cst)) {
  }
}

// Commits the next arenas of the youngest region, or adds a region. REQUIRES, here and below:
// mutex_ held.
bool Regions::Grow(size_t pools) {
  growths_.fetch_add(1, std::memory_order_relaxed);
  Region* youngest = youngest_.load(std::memory_order_relaxed);
  if (youngest != nullptr && CommitMore(youngest, pools <= kPoolsPerArena)) {
    return true;
  }
  if (youngest != nullptr && std::popcount(youngest->committed.load(std::memory_order_relaxed)) <
                                 static_cast<int>(youngest->arena_count)) {
    return false;  // the system refuses even one arena
  }
  return AddRegion();
}

bool Regions::CommitMore(Region* region, bool is_used_at_once) {
  const size_t first =
      static_cast<size_t>(std::popcount(region->committed.load(std::memory_order_relaxed)));
  const bool asks_for_huge_pages = options.thp && region->ordinal >= kHugePageRegionFirst;
  size_t count = asks_for_huge_pages ? kHugePageArenas - first % kHugePageArenas : kCommitArenas;
  for (; count != 0; count /= 2) {
    if (first + count > region->arena_count) {
      continue;
    }
    if (!os::Commit(region->start() + first * kArenaBytes, count * kArenaBytes)) {
      continue;
    }
    mapped::Add(count * kArenaBytes);
    if (asks_for_huge_pages && count == kHugePageArenas) {
      first_touch.TryHugePage(region->start() + first * kArenaBytes, is_used_at_once);
    }
    for (size_t arena = first; arena < first + count; ++arena) {
      region->arenas[arena].free.store(kAll, std::memory_order_relaxed);
    }
    // Release pairs with the acquire in IsInCommittedArena, and with readers of room.
    const uint64_t mask = LowBits(count) << first;
    region->committed.fetch_or(mask, std::memory_order_release);
    region->room.fetch_or(mask, std::memory_order_release);
    return true;
  }
  return false;
}

bool Regions::AddRegion() {
  size_t bytes = kRegionBytes;
  void* start = os::Reserve(bytes, kRegionBytes);
  // Reservations shrink before they fail: 1 MiB is descriptors and three arenas.
  while (start == nullptr && bytes > kCommitArenas * kArenaBytes) {
    bytes /= 2;
    start = os::Reserve(bytes, kRegionBytes);
  }
  if (start == nullptr) {
    return false;
  }
  const uint32_t ordinal = count_.load(std::memory_order_relaxed);
  const bool has_huge_head = bytes == kRegionBytes && first_touch.WantsHugeHead(ordinal);
  const size_t first_arenas = has_huge_head ? kHugePageArenas : kCommitArenas;
  const size_t first_bytes = first_arenas * kArenaBytes;
  if (!os::Commit(start, first_bytes) ||
      !region_map.Enter(start, kRegionBytes, Granule::kPools, Granule::kPools)) {
    os::Unmap(start, bytes);
    return false;
  }
  std::atomic<PoolKey>* keys = key_table.AddRegion(start);
  if (keys == nullptr) {
    region_map.Clear(start, kRegionBytes);
    os::Unmap(start, bytes);
    return false;
  }
  mapped::Add(first_bytes + kKeyBytes);
  if (has_huge_head) {
    first_touch.TryHugePage(static_cast<char*>(start), /*is_used_at_once=*/true);
  } else {
    first_touch.TimePage(start);
  }
  auto* region = new (start) Region{};
  region->keys = keys;
  region->ordinal = ordinal;
  region->arena_count = static_cast<uint32_t>(bytes / kArenaBytes);
  for (size_t arena = 1; arena < first_arenas; ++arena) {
    region->arenas[arena].free.store(kAll, std::memory_order_relaxed);
  }
  const uint64_t arenas = LowBits(first_arenas);
  region->committed.store(arenas, std::memory_order_release);
  region->room.store(arenas & ~uint64_t{1}, std::memory_order_release);
  Region* youngest = youngest_.load(std::memory_order_relaxed);
  if (youngest == nullptr) {
    oldest_.store(region, std::memory_order_release);
    first_with_room_.store(region, std::memory_order_release);
  } else {
    youngest->next.store(region, std::memory_order_release);
  }
  youngest_.store(region, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace tally
