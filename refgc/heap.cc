// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Heaps: opening and closing, blocks from the core and back, the thread's own heap, the end.

#include "refgc/heap.h"

#include <dlfcn.h>
#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <new>

#include "allocator/allocator.h"
#include "refgc/pool_index.h"
#include "refgc/release.h"
#include "refgc/state.h"

extern "C" [[gnu::weak]] const void* tally_core_table(uint32_t version);

namespace refgc::detail {

// What heap.h and make.h say of the core, held against it.
static_assert(sizeof(magazine) == sizeof(tally::Magazine));
static_assert(offsetof(magazine, limit) == offsetof(tally::Magazine, limit));
static_assert(offsetof(magazine, countdown) == offsetof(tally::Magazine, countdown));
static_assert(tally::kSmallBytes == kSmallBytes && tally::kClassBytesMax == 32 * 1024);
static_assert(sizeof(std::atomic<tally::PoolKey>) == sizeof(uint32_t));
static_assert(tally::KeyOf(0, 3) == tally::KeyOfHeap(0) + small_magazine_offset(3 * 8));
static_assert(side_table::kRegionShift == tally::kRegionShift);
static_assert(side_table::kPoolShift == tally::kPoolShift);
static_assert(side_table::kPoolsPerRegion == tally::kPoolsPerRegion);

__thread heap_state* current_heap = nullptr;

namespace {

// A large object's block.
struct large_prefix {
  heap_impl* heap;
  size_t index;  // in heap->large
  uint64_t unused;
  object_header header;
};
static_assert(sizeof(large_prefix) == 32, "make.h asks for this much; objects are aligned to 16");

large_prefix* prefix_of(const object_header* header) {
  return reinterpret_cast<large_prefix*>(reinterpret_cast<uintptr_t>(header) -
                                         offsetof(large_prefix, header));
}

void free_large(heap_impl* heap, object_header* header) {
  if ((header->flags & (kLogged | kAcyclic)) == kLogged) {
    for (std::vector<candidate>& candidates : heap->candidates) {
      candidates.erase(std::remove_if(candidates.begin(), candidates.end(),
                                      [&](candidate c) { return c.header() == header; }),
                       candidates.end());
    }
  }
  large_prefix* prefix = prefix_of(header);
  heap->large[prefix->index] = heap->large.back();
  prefix_of(heap->large.back())->index = prefix->index;
  heap->large.pop_back();
  heap->core->free_large(prefix);
}

std::mutex heaps_mutex;
heap_impl* heaps = nullptr;

const tally::CoreTable* find_core() {
  const void* table = nullptr;
  auto* door = tally_core_table;
  if (door == nullptr) {
    door = reinterpret_cast<decltype(door)>(dlsym(RTLD_DEFAULT, "tally_core_table"));
  }
  if (door != nullptr) {
    table = door(tally::kCoreTableVersion);
  }
  if (table != nullptr) {
    return static_cast<const tally::CoreTable*>(table);
  }
  // The core that this library carries: nobody else guards it across fork.
  pthread_atfork(tally::ForkPrepare, tally::ForkParent, tally::ForkChild);
  return &tally::OwnCoreTable();
}

// A fork must not happen while another thread holds the list of heaps: its child could never open
// one. Registered after the core's handlers, so taken before the core's locks.
void lock_heaps() { heaps_mutex.lock(); }
void unlock_heaps() { heaps_mutex.unlock(); }

const tally::CoreTable& core_table() {
  static const tally::CoreTable* const table = [] {
    const tally::CoreTable* found = find_core();
    pthread_atfork(lock_heaps, unlock_heaps, unlock_heaps);
    return found;
  }();
  return *table;
}

bool is_empty(heap_impl* heap) {
  for (tally::ThreadCache* cache : heap->caches) {
    heap->core->flush(cache);
    if (cache->heap()->pool_bytes() != 0) {
      return false;
    }
  }
  return heap->large.empty();
}

void destroy_heap(heap_impl* heap) {
  for (tally::ThreadCache* cache : heap->caches) {
    heap->core->close_cache(cache);
  }
  delete heap;
}

// Closes the thread's heap when it ends. The main thread's stays for the end of the program, when
// global references are gone as well.
struct thread_heap {
  heap_impl* heap = nullptr;
  bool is_main = false;
  ~thread_heap() {
    if (heap != nullptr && !is_main) {
      if (current_heap == heap) {
        current_heap = nullptr;
      }
      close_heap(std::exchange(heap, nullptr));
    }
  }
};
thread_local thread_heap own_heap;
heap_impl* main_heap = nullptr;
const pthread_t main_thread = pthread_self();

}  // namespace

heap_impl::heap_impl() : index(std::make_unique<pool_index>(*this)) {}
heap_impl::~heap_impl() = default;

uint64_t heap_impl::held_bytes() const {
  uint64_t bytes = caches[0]->heap()->pool_bytes();
  for (const object_header* header : large) {
    bytes += type_table[header->type].object_bytes;
  }
  return bytes + static_cast<uint64_t>(std::max<int64_t>(external_bytes, 0));
}

heap_impl* open_heap() {
  auto heap = std::make_unique<heap_impl>();
  heap->core = &core_table();
  for (tally::ThreadCache*& cache : heap->caches) {
    cache = heap->core->open_cache(heap.get());
    if (cache == nullptr) {
      throw std::bad_alloc();
    }
  }
  heap->tracked_cache = reinterpret_cast<char*>(heap->caches[0]);
  heap->acyclic_cache = reinterpret_cast<char*>(heap->caches[1]);
  heap->tracked_key = heap->caches[0]->heap_key;
  heap->acyclic_key = heap->caches[1]->heap_key;
  const tally::KeyWindow& window = heap->caches[0]->window;
  heap->pool_keys = reinterpret_cast<const uint32_t*>(window.table);
  heap->pool_count = window.pool_count;
  heap->budget = heap->budget_max = heap->thresholds.generation0;
  heap->stamp = 1;
  const std::lock_guard lock(heaps_mutex);
  heap->next = heaps;
  heaps = heap.get();
  heap->core->set_objects_hook(count_objects_for_report);
  return heap.release();
}

void close_heap(heap_impl* heap) {
  heap_state* before = std::exchange(current_heap, heap);
  collect(2);
  heap->garbage.clear();
  heap->callbacks.clear();
  run_finalizers_at_exit(heap);
  collect(2);  // what the calls let go
  current_heap = before == heap ? nullptr : before;
  const std::lock_guard lock(heaps_mutex);
  if (!is_empty(heap)) {
    // Whoever holds the rest uses it from now on, so nobody else can tell when it is empty.
    heap->is_orphan = true;
    return;
  }
  heap_impl** at = &heaps;
  while (*at != heap) {
    at = &(*at)->next;
  }
  *at = heap->next;
  destroy_heap(heap);
}

void for_each_heap(void (*f)(heap_impl*, void*), void* context) {
  const std::lock_guard lock(heaps_mutex);
  for (heap_impl* heap = heaps; heap != nullptr; heap = heap->next) {
    f(heap, context);
  }
}

heap_state* open_thread_heap() {
  if (own_heap.heap == nullptr) {
    own_heap.is_main = pthread_equal(pthread_self(), main_thread) != 0;
    if (own_heap.is_main && main_heap != nullptr) {
      own_heap.heap = main_heap;  // past the end of main
    } else {
      own_heap.heap = open_heap();
    }
    if (own_heap.is_main) {
      main_heap = own_heap.heap;
    }
  }
  current_heap = own_heap.heap;
  return current_heap;
}

void* allocate_slow(heap_state* state, bool is_acyclic, size_t block_bytes) {
  auto* heap = static_cast<heap_impl*>(state);
  tally::ThreadCache* cache = heap->caches[is_acyclic ? 1 : 0];
  const tally::SizeClass size_class = tally::ClassFor(block_bytes);
  void* block = cache->magazines[size_class].TryPop();
  if (block == nullptr) {
    block = heap->core->pop_slow(cache, size_class, block_bytes);
  }
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  return block;
}

void* allocate_large(heap_state* state, size_t block_bytes) {
  auto* heap = static_cast<heap_impl*>(state);
  heap->large.push_back(nullptr);
  auto* prefix = static_cast<large_prefix*>(heap->core->allocate_large(block_bytes));
  if (prefix == nullptr) {
    heap->large.pop_back();
    throw std::bad_alloc();
  }
  prefix->heap = heap;
  prefix->index = heap->large.size() - 1;
  heap->large.back() = &prefix->header;
  return &prefix->header;
}

heap_impl* heap_of(const object_header* header) {
  if ((header->flags & kLarge) != 0) {
    return prefix_of(header)->heap;
  }
  tally::Pool* pool = tally::Pool::Of(header)->head();
  const tally::Heap* owner = pool->owner.load(std::memory_order_relaxed);
  return static_cast<heap_impl*>(owner->user());
}

void free_object(object_header* header, bool is_shifted) {
  heap_impl* heap = heap_of(header);
  const bool is_acyclic = (header->flags & kAcyclic) != 0;
  if (!is_acyclic && heap->budget < heap->budget_max) {
    ++heap->budget;
  }
  if (REFGC_UNLIKELY((header->flags & kLarge) != 0)) {
    return free_large(heap, header);
  }
  const tally::PoolKey key = tally::LoadKey(heap->caches[0]->window, header);
  *header = {};
  if (is_shifted) {
    *--header = {};
  }
  tally::ThreadCache* cache = heap->caches[is_acyclic ? 1 : 0];
  // Another cache's block, where a header was trampled: the flush in the slow half says so.
  const tally::PoolKey offset = key - cache->heap_key;
  if (REFGC_UNLIKELY(offset >= tally::kKeySpan || !cache->TryPush(offset, header))) {
    heap->core->push_slow(cache, tally::ClassOf(key), header);
  }
}

void abandon_block(object_header* header, bool is_shifted) {
  if (header->count != 1) {
    fatal("a constructor threw, and left references to its object", header,
          "let ref_from_this() escape only when nothing can throw any more");
  }
  if ((header->flags & kHasWeak) != 0) {
    header->flags |= kDying;
    clear_weak(header);
  }
  free_object(header, is_shifted);
}

void* whole_object(const void* part) {
  const auto address = reinterpret_cast<uintptr_t>(part);
  tally::Pool* pool = tally::Pool::Of(part)->head();
  if (pool->kind.load(std::memory_order_relaxed) == tally::PoolKind::kBlocks) {
    auto* header = reinterpret_cast<object_header*>(pool->BlockAround(part));
    return object_of(header + (header->type == kShiftedHeader ? 1 : 0));
  }
  heap_impl* heap = this_heap_impl();
  for (object_header* header : heap->large) {
    const auto start = reinterpret_cast<uintptr_t>(object_of(header));
    // Not by its type: that is hidden in its constructor and its destructor.
    if (address - start < tally::Pool::Of(header)->request_bytes - sizeof(large_prefix)) {
      return object_of(header);
    }
  }
  std::fprintf(stderr, "refgc: alias_ref: %p lies in no object of this heap\n", part);
  std::abort();
}

// After the program's own destructors: what globals held is garbage now.
[[gnu::destructor(101)]] void end_main_heap() {
  if (main_heap != nullptr) {
    current_heap = main_heap;
    finish_program(main_heap);
  }
}

}  // namespace refgc::detail

namespace refgc {

heap::heap() : state_(detail::open_heap()) {}

heap::~heap() {
  if (state_ != nullptr) {
    detail::close_heap(static_cast<detail::heap_impl*>(state_));
  }
}

}  // namespace refgc
