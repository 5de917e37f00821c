// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/registry.h"

#include <new>

#include "allocator/batch.h"
#include "allocator/huge.h"
#include "allocator/metadata.h"
#include "allocator/options.h"
#include "allocator/os.h"
#include "allocator/purge.h"
#include "allocator/region.h"
#include "allocator/region_map.h"
#include "allocator/spare_mappings.h"

namespace tally {

constinit Heap no_heap;
constinit ThreadCache empty_cache(&no_heap, kNobodysKey, KeyWindow{});
constinit Registry registry;

Heap* Registry::AddHeap() {
  if (heap_count_ == kHeapsMax) {
    return nullptr;
  }
  void* place = metadata.AllocateForever(sizeof(Heap));
  if (place == nullptr) {
    return nullptr;
  }
  auto* heap = new (place) Heap();
  heap->Start(heap_count_);
  heaps_[heap_count_++] = heap;
  return heap;
}

Heap* Registry::PickHeap() {
  if (cpu_count_ == 0) {
    cpu_count_ = os::CpuCount();
  }
  Heap* best = nullptr;
  for (uint32_t i = 0; i < heap_count_; ++i) {
    if (!heaps_[i]->is_private() && (best == nullptr || heaps_[i]->users() < best->users())) {
      best = heaps_[i];
    }
  }
  uint64_t heaps_max = options.heaps_per_cpu * cpu_count_;
  heaps_max = heaps_max < 1 ? 1 : heaps_max > kHeapsMax ? kHeapsMax : heaps_max;
  if (best == nullptr || (best->users() != 0 && heap_count_ - private_heaps_ < heaps_max)) {
    Heap* added = AddHeap();
    best = added != nullptr ? added : best;
  }
  return best;
}

ThreadCache* Registry::AddCache(Heap* heap) {
  void* place = metadata.AllocateForever(sizeof(ThreadCache));
  if (place == nullptr) {
    return nullptr;
  }
  auto* cache = new (place) ThreadCache(heap, KeyOfHeap(heap->index()), key_table.Window(place));
  cache->next = caches_;
  caches_ = cache;
  return cache;
}

ThreadCache* Registry::Acquire() {
  const MutexLock lock(mutex_);
  ThreadCache* cache = free_caches_;
  if (cache != nullptr) {
    free_caches_ = cache->next_free;
    cache->WorkFor(PickHeap());
  } else {
    Heap* heap = PickHeap();
    cache = heap == nullptr ? nullptr : AddCache(heap);
    if (cache == nullptr) {
      return nullptr;
    }
  }
  cache->heap()->AddUser();
  cache->is_live = true;
  cache->thread = os::ThreadId();
  ++threads_started_;
  ThreadCache::ShareAmong(++live_threads_);
  if (live_threads_ > peak_threads_) {
    peak_threads_ = live_threads_;
  }
  return cache;
}

void Registry::Release(ThreadCache* cache) {
  cache->FlushAll();
  cache->ReleaseSlots();
  const MutexLock lock(mutex_);
  Heap* heap = cache->heap();
  heap->RemoveUser();
  if (heap->users() == 0) {
    heap->Trim();
  }
  cache->WorkForNobody(&no_heap);
  cache->is_live = false;
  cache->thread = 0;
  cache->next_free = free_caches_;
  free_caches_ = cache;
  ThreadCache::ShareAmong(--live_threads_);
}

ThreadCache* Registry::AcquirePrivate(void* user) {
  const MutexLock lock(mutex_);
  ThreadCache* cache = free_private_caches_;
  if (cache != nullptr) {
    free_private_caches_ = cache->next_free;
  } else {
    Heap* heap = AddHeap();
    if (heap == nullptr) {
      return nullptr;
    }
    heap->MakePrivate(user);
    ++private_heaps_;
    if ((cache = AddCache(heap)) == nullptr) {
      return nullptr;  // the heap is lost; memory is out anyway
    }
    cache->is_private = true;
    heap->AddUser();
  }
  cache->heap()->MakePrivate(user);
  cache->is_live = true;
  return cache;
}

void Registry::ReleasePrivate(ThreadCache* cache) {
  cache->FlushAll();
  cache->ReleaseSlots();
  cache->heap()->Trim();
  const MutexLock lock(mutex_);
  cache->is_live = false;
  cache->next_free = free_private_caches_;
  free_private_caches_ = cache;
}

Heap* Registry::SharedHeap() {
  const MutexLock lock(mutex_);
  return PickHeap();
}

void Registry::TrimHeaps() {
  const MutexLock lock(mutex_);
  ForEachHeap([](Heap& heap) {
    heap.Trim();
    heap.PurgeInsideRuns();
  });
}

// Calls visit(mutex) for each, outermost first, until it says false. Says whether it never did.
template <typename Visit>
bool Registry::ForEachMutex(Visit visit) {
  bool is_on = visit(mutex_);
  for (uint32_t i = 0; is_on && i < heap_count_; ++i) {
    is_on = visit(heaps_[i]->mutex());
  }
  return is_on && visit(purger.mutex()) && visit(regions.mutex()) && visit(huge_blocks.mutex()) &&
         visit(spare_mappings.mutex()) && visit(key_table.mutex()) && visit(region_map.mutex()) &&
         visit(batch_pool.mutex()) && visit(metadata.mutex());
}

void Registry::LockAll() {
  ForEachMutex([](Mutex& mutex) {
    mutex.LockForFork();
    return true;
  });
}

bool Registry::TryLockAll() {
  size_t locked = 0;
  const bool is_done = ForEachMutex([&](Mutex& mutex) {
    const bool is_locked = mutex.TryLockForFork();
    locked += is_locked ? 1 : 0;
    return is_locked;
  });
  if (!is_done && locked != 0) {
    Unlock(locked);
  }
  return is_done;
}

void Registry::UnlockAll() { Unlock(~size_t{0}); }

// The first `count` of them, the registry's own last: it keeps the heaps from becoming more.
void Registry::Unlock(size_t count) {
  ForEachMutex([&](Mutex& mutex) {
    const bool is_locked = count-- != 0;
    if (is_locked && &mutex != &mutex_) {
      mutex.UnlockAfterFork();
    }
    return is_locked;
  });
  mutex_.UnlockAfterFork();
}

void Registry::OrphanOthers(const ThreadCache* mine) {
  for (ThreadCache* cache = caches_; cache != nullptr; cache = cache->next) {
    // Private caches are their users' affair: the caller's own among them must live on.
    if (cache->is_live && cache != mine && !cache->is_private) {
      cache->heap()->RemoveUser();
      cache->Abandon();
      cache->WorkForNobody(&no_heap);
      cache->is_live = false;
      cache->thread = 0;
      cache->next_free = free_caches_;
      free_caches_ = cache;
      ThreadCache::ShareAmong(--live_threads_);
    } else if (cache == mine) {
      cache->thread = os::ThreadId();
      cache->Reseed();
    }
  }
}

}  // namespace tally
