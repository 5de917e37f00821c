// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/thread_cache.h"

#include <string.h>

#include <atomic>
#include <bit>

#include "allocator/metadata.h"
#include "allocator/options.h"
#include "allocator/os.h"
#include "allocator/purge.h"
#include "allocator/totals.h"

namespace tally {

namespace {

constexpr uint64_t kSlowCallsPerTiming = 16;

constinit std::atomic<uint32_t> sharing_threads{1};

// -log2(u / 2^64) in 1/2^32, off by less than 0.0002: the leading zeros, and for the rest a
// polynomial in what follows the leading bit.
uint64_t NegativeLog2(uint64_t u) {
  const int zeros = std::countl_zero(u | 1);
  const uint64_t x = (u << zeros << 1) >> 32;  // the fraction f of 1 + f
  // log2(1 + f) is near f + f (1 - f) (a - b f + c f^2)
  constexpr uint64_t kA = 1881510262;  // 0.438073; least squares over f in (0, 1)
  constexpr uint64_t kB = 1016590486;  // 0.236693
  constexpr uint64_t kC = 344917244;   // 0.080307
  const uint64_t curve = kA - (kB * x >> 32) + ((kC * x >> 32) * x >> 32);
  const uint64_t log = x + ((x * ((uint64_t{1} << 32) - x) >> 32) * curve >> 32);
  return (static_cast<uint64_t>(zeros + 1) << 32) - log;
}

}  // namespace

// Times every so many of the slow halves.
class ThreadCache::SlowTimer {
 public:
  explicit SlowTimer(ThreadCache* cache) : cache_(*cache) {
    if (++cache_.slow_calls_ % kSlowCallsPerTiming == 0) [[unlikely]] {
      start_ns_ = os::NowNs();
    }
  }
  ~SlowTimer() {
    if (start_ns_ != 0) [[unlikely]] {
      cache_.slow_ns_ += (os::NowNs() - start_ns_) * kSlowCallsPerTiming;
    }
  }
  SlowTimer(const SlowTimer&) = delete;
  SlowTimer& operator=(const SlowTimer&) = delete;

 private:
  ThreadCache& cache_;
  uint64_t start_ns_ = 0;
};

uint64_t ThreadCache::AllocatedOf(SizeClass size_class) const {
  constexpr int kTriesMax = 100;
  for (int i = 0;; ++i) {
    const uint64_t resets = __atomic_load_n(&resets_, __ATOMIC_ACQUIRE);
    const uint64_t base = __atomic_load_n(&bases_[size_class], __ATOMIC_ACQUIRE);
    const int64_t countdown = __atomic_load_n(&magazines[size_class].countdown, __ATOMIC_ACQUIRE);
    const bool is_settled =
        resets % 2 == 0 && resets == __atomic_load_n(&resets_, __ATOMIC_RELAXED);
    // In a child of fork a thread may have stopped in the middle for good.
    if (is_settled || i == kTriesMax) {
      return base - static_cast<uint64_t>(countdown);
    }
  }
}

// Allocations before the one of the next event: geometric, so that whether an allocation is sampled
// depends on nothing, and the events of classes up to 8 KiB together are a Poisson process over
// bytes. Marsaglia's xorshift ("Xorshift RNGs", 2003).
uint64_t ThreadCache::DrawCountdown(SizeClass size_class) {
  if (random_ == 0) {
    random_ = (os::NowNs() ^ reinterpret_cast<uintptr_t>(this)) | 1;
  }
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  constexpr uint64_t kLn2 = 2977044472;  // in 1/2^32
  const uint64_t exponential = (NegativeLog2(random_) >> 16) * kLn2 >> 16;
  return exponential * kClassTable[size_class].countdown >> 32;
}

// REQUIRES: `allocated` is what AllocatedOf says.
void ThreadCache::SetCountdown(SizeClass size_class, uint64_t allocated, uint64_t countdown) {
  // Every store releases: who sees a new base or countdown sees the odd number before it.
  __atomic_store_n(&resets_, resets_ + 1, __ATOMIC_RELAXED);
  __atomic_store_n(&bases_[size_class], allocated + countdown, __ATOMIC_RELEASE);
  __atomic_store_n(&magazines[size_class].countdown, static_cast<int64_t>(countdown),
                   __ATOMIC_RELEASE);
  __atomic_store_n(&resets_, resets_ + 1, __ATOMIC_RELEASE);
}

// Doubles the slots, from kMagazineSlotsFirst up to the class's most. Growth is evidence-driven:
// every refill and flush asks for it (slow start).
bool ThreadCache::GrowSlots(SizeClass size_class) {
  Magazine& magazine = magazines[size_class];
  const ClassInfo& info = kClassTable[size_class];
  const bool is_first = !magazine.has_slots();
  size_t slots = is_first ? kMagazineSlotsFirst : magazine.slots() * 2;
  if (slots > info.magazine_slots) {
    slots = info.magazine_slots;
  }
  const size_t old_slots = is_first ? 0 : magazine.slots();
  const uint64_t more_bytes = (slots - old_slots) * info.block_bytes;
  was_busy_[size_class] = true;
  if (slots <= old_slots || (!is_first && !FindBudget(size_class, more_bytes))) {
    return false;
  }
  auto** bottom = static_cast<void**>(metadata.Allocate(slots * sizeof(void*)));
  if (bottom == nullptr) {
    return false;
  }
  const size_t count = magazine.count();
  memcpy(static_cast<void*>(bottom), static_cast<const void*>(magazine.bottom),
         (count + 1) * sizeof(void*));
  void** old_bottom = magazine.bottom;
  magazine.bottom = bottom;
  magazine.top = bottom + count;
  magazine.limit = bottom + slots - 1;
  if (is_first) {
    SetCountdown(size_class, bases_[size_class], DrawCountdown(size_class));
  } else {
    metadata.Free(static_cast<void*>(old_bottom), old_slots * sizeof(void*));
  }
  magazine_bytes_ += more_bytes;
  return true;
}

void ThreadCache::ShareAmong(uint32_t threads) {
  sharing_threads.store(threads, std::memory_order_relaxed);
}

// Bytes that this thread's magazines may hold.
uint64_t ThreadCache::Budget() {
  const uint64_t whole = options.magazine_kb * 1024;
  const uint64_t threads = sharing_threads.load(std::memory_order_relaxed);
  if (threads <= kMagazineShares) {
    return whole;
  }
  const uint64_t share = whole * kMagazineShares / threads;
  const uint64_t least = whole < kMagazineShareMin ? whole : kMagazineShareMin;
  return share < least ? least : share;
}

// Whether the magazines may hold `bytes` more. When not, a hand moves on by one and takes the slots
// of a magazine that was neither refilled nor flushed since it last passed (the clock algorithm of
// F. J. Corbato, "A Paging Experiment with the Multics System", 1968). One step each time: a faster
// hand takes slots from classes that are in use.
bool ThreadCache::FindBudget(SizeClass size_class, uint64_t bytes) {
  const uint64_t budget = Budget();
  if (magazine_bytes_ + bytes > budget) {
    hand_ = static_cast<SizeClass>(hand_ + 1 == kClassCount ? 1 : hand_ + 1);
    if (was_busy_[hand_]) {
      was_busy_[hand_] = false;
    } else if (hand_ != size_class) {
      FlushMagazine(hand_, magazines[hand_].count());
      ReleaseSlots(hand_);
    }
  }
  return magazine_bytes_ + bytes <= budget;
}

// The countdown ran out: a sample of the requests, the next countdown, and let time pass.
void ThreadCache::Event(SizeClass size_class, size_t request_bytes) {
  totals::CountSample(size_class, request_bytes);
  SetCountdown(size_class, AllocatedOf(size_class), DrawCountdown(size_class));
  LetTimePass();
}

// May flush any magazine and take its slots.
void ThreadCache::LetTimePass() {
  const uint64_t tick = purger.Tick();
  if (tick != last_tick_) {
    last_tick_ = tick;
    FlushIdle();
    heap_->Tick(tick);
  }
}

void* ThreadCache::PopSlow(SizeClass size_class, size_t request_bytes) {
  void* block = PopSlowTimed(size_class, request_bytes);
  RunSlowPathHook();
  return block;
}

void* ThreadCache::PopSlowTimed(SizeClass size_class, size_t request_bytes) {
  const SlowTimer timer(this);
  Magazine& magazine = magazines[size_class];
  if (*magazine.top == nullptr) {
    if (!GrowSlots(size_class) && !magazine.has_slots()) {
      return nullptr;
    }
    TakeInbox();
    if (*magazine.top == nullptr) {
      const size_t want = magazine.slots() / 2;
      const size_t got = heap_->Refill(size_class, magazine.bottom + 1, want);
      if (got == 0) {
        return nullptr;
      }
      magazine.top = magazine.bottom + got;
    }
    --magazine.countdown;
  }
  // The block first: Event may flush idle magazines, this one among them.
  void* block = *magazine.top--;
  if (magazine.countdown < 0) {
    Event(size_class, request_bytes);
  }
  return block;
}

// What others freed goes into the magazines as if this thread had: their pools' descriptors, cold
// here, stay as they are. What finds no room goes back to its pools.
void ThreadCache::TakeInbox() {
  Batch* rest = nullptr;
  for (Batch* batch = heap_->TakeInbox(); batch != nullptr;) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < batch->count; ++i) {
      void* block = batch->blocks[i];
      const PoolKey offset = LoadKey(window, block) - heap_key;
      if (offset >= kKeySpan || !MagazineAt(offset).TryPush(block)) {
        batch->blocks[left++] = block;
      }
    }
    Batch* next = batch->next;
    batch->count = left;
    if (left == 0) {
      stash_.Put(batch);
    } else {
      batch->next = rest;
      rest = batch;
    }
    batch = next;
  }
  if (rest != nullptr) {
    heap_->ReturnBatches(rest);
  }
}

// Puts the oldest `count` back; what was freed last stays, warm.
void ThreadCache::FlushMagazine(SizeClass size_class, size_t count) {
  Magazine& magazine = magazines[size_class];
  if (count == 0) {
    return;
  }
  heap_->Flush(size_class, magazine.bottom + 1, count);
  const size_t rest = magazine.count() - count;
  memmove(static_cast<void*>(magazine.bottom + 1),
          static_cast<const void*>(magazine.bottom + 1 + count), rest * sizeof(void*));
  magazine.top = magazine.bottom + rest;
}

void ThreadCache::PushSlow(SizeClass size_class, void* block) {
  PushSlowTimed(size_class, block);
  RunSlowPathHook();
}

void ThreadCache::PushSlowTimed(SizeClass size_class, void* block) {
  const SlowTimer timer(this);
  Magazine& magazine = magazines[size_class];
  if (GrowSlots(size_class)) {
    *++magazine.top = block;
    return;
  }
  if (!magazine.has_slots()) {
    heap_->FreeDirectly(block);  // no memory for the first slots
    return;
  }
  FlushMagazine(size_class, (magazine.count() + 1) / 2);
  *++magazine.top = block;
  LetTimePass();  // who only frees drives the purge clock, too
}

void ThreadCache::PostBatch(Outgoing& outgoing) {
  if (outgoing.batch != nullptr) {
    outgoing.owner->Post(outgoing.batch);
    outgoing.batch = nullptr;
  }
}

void ThreadCache::SendHome(Heap* owner, PoolKey key, void* block) {
  // By the key alone: the heap's own lines are busy with its owner's lock.
  Outgoing& outgoing = outgoing_[HeapIndexOf(key) % kOutgoingSlots];
  Batch* batch = outgoing.batch;
  if (batch == nullptr || outgoing.owner != owner) [[unlikely]] {
    return SendHomeInNewBatch(owner, key, block);
  }
  const uint32_t count = batch->count;
  batch->blocks[count] = block;
  // Pairs with the acquire in ForEachOutgoingBlock: who sees the count sees the block.
  __atomic_store_n(&batch->count, count + 1, __ATOMIC_RELEASE);
  batch->bytes += static_cast<uint32_t>(BlockBytes(ClassOf(key)));
  if (count + 1 == kBatchBlocks || batch->bytes >= kOutgoingBytesMax) [[unlikely]] {
    PostBatch(outgoing);
  }
}

void ThreadCache::SendHomeInNewBatch(Heap* owner, PoolKey key, void* block) {
  Outgoing& outgoing = outgoing_[HeapIndexOf(key) % kOutgoingSlots];
  PostBatch(outgoing);
  outgoing.owner = owner;
  outgoing.batch = stash_.Get();
  if (outgoing.batch == nullptr) {
    owner->FreeDirectly(block);
    return;
  }
  SendHome(owner, key, block);
}

void ThreadCache::FlushAll() {
  for (size_t c = 1; c < kClassCount; ++c) {
    FlushMagazine(static_cast<SizeClass>(c), magazines[c].count());
  }
  for (Outgoing& outgoing : outgoing_) {
    PostBatch(outgoing);
  }
  stash_.ReturnAll();
}

void ThreadCache::FlushIdle() {
  for (size_t c = 1; c < kClassCount; ++c) {
    const Magazine& magazine = magazines[c];
    if (magazine.top == seen_top_[c] && magazine.countdown == seen_countdown_[c]) {
      FlushMagazine(static_cast<SizeClass>(c), magazine.count());
      ReleaseSlots(static_cast<SizeClass>(c));
    }
    seen_top_[c] = magazine.top;
    seen_countdown_[c] = magazine.countdown;
  }
  for (Outgoing& outgoing : outgoing_) {
    PostBatch(outgoing);
  }
  stash_.ReturnAll();
}

void ThreadCache::Abandon() {
  for (size_t c = 1; c < kClassCount; ++c) {
    bases_[c] = AllocatedOf(static_cast<SizeClass>(c));
    magazines[c] = Magazine{};
  }
  for (Outgoing& outgoing : outgoing_) {
    outgoing = Outgoing{};
  }
  stash_.Forget();
  magazine_bytes_ = 0;
  resets_ = 0;
  random_ = 0;
}

// REQUIRES: the magazine is empty.
void ThreadCache::ReleaseSlots(SizeClass size_class) {
  Magazine& magazine = magazines[size_class];
  if (!magazine.has_slots()) {
    return;
  }
  ASSERT(magazine.count() == 0);
  SetCountdown(size_class, AllocatedOf(size_class), 0);
  void** bottom = magazine.bottom;
  const size_t slots = magazine.slots();
  magazine = Magazine{};
  metadata.Free(static_cast<void*>(bottom), slots * sizeof(void*));
  magazine_bytes_ -= slots * kClassTable[size_class].block_bytes;
}

void ThreadCache::ReleaseSlots() {
  for (size_t c = 1; c < kClassCount; ++c) {
    ReleaseSlots(static_cast<SizeClass>(c));
  }
}

}  // namespace tally
