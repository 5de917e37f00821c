// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/purge.h"

#include <bit>

#include "allocator/first_touch.h"
#include "allocator/mapped.h"
#include "allocator/options.h"
#include "allocator/os.h"
#include "allocator/spare_mappings.h"

namespace tally {

constinit Purger purger;

namespace {

// Keeps the bits of whole OS pages: on machines with pages larger than a pool, groups that are all
// set.
uint64_t WholePages(uint64_t word, size_t pools_per_page) {
  if (pools_per_page <= 1) {
    return word;
  }
  const uint64_t group = LowBits(pools_per_page);
  uint64_t whole = 0;
  for (size_t at = 0; at < 64; at += pools_per_page) {
    const uint64_t mask = group << at;
    whole |= (word & mask) == mask ? mask : 0;
  }
  return whole;
}

// The pools of an arena that are both free and dirty.
uint64_t IdlePools(const Arena& arena) {
  return arena.free.load(std::memory_order_relaxed) & arena.dirty.load(std::memory_order_relaxed);
}

uint64_t IdleBytes(const Arena& arena) {
  return static_cast<uint64_t>(std::popcount(IdlePools(arena))) * kPoolBytes;
}

}  // namespace

// Purges the pools of `pools`, counted from `start`, in as few calls as they have stretches.
// Returns those for which the call succeeded.
uint64_t Purger::PurgeStretches(char* start, uint64_t pools) {
  uint64_t purged = 0;
  while (pools != 0) {
    const int first = std::countr_zero(pools);
    const int length = std::countr_one(pools >> first);
    const uint64_t mask = LowBits(static_cast<size_t>(length)) << first;
    if (os::Purge(start + static_cast<size_t>(first) * kPoolBytes,
                  static_cast<size_t>(length) * kPoolBytes)) {
      purged |= mask;
    }
    calls_.fetch_add(1, std::memory_order_relaxed);
    pools &= ~mask;
  }
  purged_bytes_.fetch_add(static_cast<uint64_t>(std::popcount(purged)) * kPoolBytes,
                          std::memory_order_relaxed);
  return purged;
}

void Purger::PurgeInside(Pool* head) {
  const ClassInfo& info = head->info();
  const uint64_t all = LowBits(info.run_pools);
  if (os::PageBytes() != kPoolBytes || head->purged_pools == all) {
    return;
  }
  uint64_t used = 0;
  for (size_t block = 0; block < info.capacity && used != all; ++block) {
    if (!head->IsFreeBlock(block)) {
      const size_t start = info.first_block + block * info.block_bytes;
      const size_t first = start / kPoolBytes;
      const size_t last = (start + info.block_bytes - 1) / kPoolBytes;
      used |= (uint64_t{2} << last) - (uint64_t{1} << first);
    }
  }
  const uint64_t wanted = all & ~used & ~head->purged_pools;
  head->purged_pools |= PurgeStretches(head->start(), wanted);
}

// Claims what of `wanted` is free, purges it in as few calls as it has stretches, releases it.
uint64_t Purger::PurgePools(Region* region, size_t arena_index, uint64_t wanted) {
  Arena& arena = region->arenas[arena_index];
  uint64_t word = arena.free.load(std::memory_order_relaxed);
  uint64_t claimed = 0;
  do {
    claimed = WholePages(word & wanted, os::PageBytes() / kPoolBytes);
    if (claimed == 0) {
      return 0;
    }
  } while (!arena.free.compare_exchange_weak(word, word & ~claimed, std::memory_order_acquire,
                                             std::memory_order_relaxed));
  const uint64_t clean = PurgeStretches(region->start() + arena_index * kArenaBytes, claimed);
  arena.dirty.fetch_and(~clean, std::memory_order_relaxed);
  arena.aged.fetch_and(~claimed, std::memory_order_relaxed);
  for (uint64_t rest = claimed; rest != 0;) {
    const int first = std::countr_zero(rest);
    const int length = std::countr_one(rest >> first);
    regions.GiveBack(region->descriptor(arena_index * kPoolsPerArena + static_cast<size_t>(first)),
                     static_cast<size_t>(length));
    rest = length + first >= 64 ? 0 : rest >> (first + length) << (first + length);
  }
  return static_cast<uint64_t>(std::popcount(clean)) * kPoolBytes;
}

// The descriptors of an arena are one OS page. When all its pools are free and clean, it goes too.
void Purger::PurgeDescriptors(Region* region, size_t arena_index) {
  constexpr size_t kBytes = kPoolsPerArena * kDescriptorBytes;
  const uint64_t bit = uint64_t{1} << arena_index;
  Arena& arena = region->arenas[arena_index];
  uint64_t all = ~uint64_t{0};
  if ((region->described.load(std::memory_order_relaxed) & bit) == 0 ||
      arena.dirty.load(std::memory_order_relaxed) != 0 || os::PageBytes() > kBytes ||
      !arena.free.compare_exchange_strong(all, 0, std::memory_order_acquire,
                                          std::memory_order_relaxed)) {
    return;
  }
  Pool* first = region->descriptor(arena_index * kPoolsPerArena);
  if (arena.dirty.load(std::memory_order_relaxed) == 0 && os::Purge(first, kBytes)) {
    region->described.fetch_and(~bit, std::memory_order_relaxed);
  }
  regions.GiveBack(first, kPoolsPerArena);
}

void Purger::VisitRound(uint64_t tick) {
  for (Region* region = regions.oldest(); region != nullptr;
       region = region->next.load(std::memory_order_acquire)) {
    const uint64_t committed = region->committed.load(std::memory_order_acquire);
    for (size_t i = tick % kTicksPerRound; i < kArenasPerRegion; i += kTicksPerRound) {
      Arena& arena = region->arenas[i];
      if ((committed >> i & 1) == 0) {
        continue;
      }
      PurgeDescriptors(region, i);
      const uint64_t idle = IdlePools(arena);
      if (idle == 0) {
        continue;
      }
      const uint64_t aged = arena.aged.load(std::memory_order_relaxed) & idle;
      if (aged != 0) {
        PurgePools(region, i, aged);
      }
      // A pool taken between the load of idle and here loses its bit again when it is next taken
      // or purged; aged alone never purges: it must be free as well.
      arena.aged.fetch_or(idle & ~aged, std::memory_order_relaxed);
    }
  }
}

uint64_t Purger::Tick() {
  if (options.decay_ms == 0) {
    PurgeAll();
    return tick_.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  const uint64_t period_ms = (options.decay_ms + kTicksPerDecay - 1) / kTicksPerDecay;
  const uint64_t now_ms = os::NowMs();
  uint64_t last = tick_.load(std::memory_order_relaxed);
  if (now_ms < (last + 1) * period_ms || !mutex_.TryLock()) {
    return last;
  }
  const uint64_t now = now_ms / period_ms;
  last = tick_.load(std::memory_order_relaxed);
  spare_mappings.Age(now - last);
  // After a long pause one whole round is enough: what has aged once is old.
  uint64_t from = last + 1;
  if (now - last > kTicksPerRound) {
    from = now - kTicksPerRound + 1;
  }
  for (uint64_t tick = from; tick <= now; ++tick) {
    VisitRound(tick);
  }
  tick_.store(now > last ? now : last, std::memory_order_relaxed);
  mutex_.Unlock();
  return now;
}

// Calls visit(region, arena) for each accessible arena of pools, the oldest region's first.
template <typename Visit>
void Purger::ForEachArena(Visit visit) {
  for (Region* region = regions.oldest(); region != nullptr;
       region = region->next.load(std::memory_order_acquire)) {
    const uint64_t committed = region->committed.load(std::memory_order_acquire);
    for (size_t i = 1; i < kArenasPerRegion; ++i) {
      if ((committed >> i & 1) != 0) {
        visit(region, i);
      }
    }
  }
}

void Purger::MakeWay(uint64_t more) {
  const uint64_t bytes = fresh_bytes_.fetch_add(more, std::memory_order_relaxed) + more;
  const size_t part = first_touch.ArePagesDear() ? kMappedPerWayWhenDear : kMappedPerWay;
  if (bytes < mapped::NowBytes() / part || !mutex_.TryLock()) {
    return;
  }
  fresh_bytes_.store(0, std::memory_order_relaxed);
  uint64_t idle_bytes = 0;
  ForEachArena([&](Region* region, size_t i) { idle_bytes += IdleBytes(region->arenas[i]); });
  uint64_t kept_bytes = idle_bytes > bytes ? idle_bytes - bytes : 0;
  ForEachArena([&](Region* region, size_t i) {
    const uint64_t here = IdleBytes(region->arenas[i]);
    if (here <= kept_bytes) {
      kept_bytes -= here;
    } else {
      PurgePools(region, i, region->arenas[i].dirty.load(std::memory_order_relaxed));
    }
  });
  mutex_.Unlock();
}

uint64_t Purger::PurgeAll() {
  const MutexLock lock(mutex_);
  uint64_t purged = spare_mappings.ReleaseAll();
  ForEachArena([&](Region* region, size_t i) {
    purged += PurgePools(region, i, region->arenas[i].dirty.load(std::memory_order_relaxed));
    PurgeDescriptors(region, i);
  });
  return purged;
}

}  // namespace tally
