// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// All of a heap's state; the library's own view of heap_state.
//
// Invariants:
//   1. Every tracked object lies in the pools of caches[0], or in `large`; every acyclic one in
//      those of caches[1], or in `large`.
//   2. A block's first word is zero, or an object's header, or the mark of a shifted header.
//   3. An object whose kLogged is set and that is tracked is in `candidates`. Entries may be stale:
//      of blocks that were freed since, or made anew.
// Threads: the heap's thread; the list of heaps has a lock.

#ifndef REFGC_STATE_H_
#define REFGC_STATE_H_

#include <memory>
#include <unordered_map>
#include <vector>

#include "allocator/core_table.h"
#include "refgc/gc.h"
#include "refgc/heap.h"
#include "refgc/side_table.h"
#include "refgc/type.h"
#include "refgc/values.h"
#include "refgc/weak.h"

namespace refgc::detail {

// Stamps count automatic and manual collections; 0 is older than all. See generation_of().
constexpr uint8_t kStampOld = 0;
constexpr uint8_t kStampMax = 255;

struct duration_log {
  static constexpr size_t kKept = 1024;
  std::vector<float> seconds;
  size_t next = 0;
  void add(double duration);
};

// An object that lost a reference. Large ones leave the lists when they die, since their memory may
// be unmapped; of others an entry may outlive its object.
class candidate {
 public:
  explicit candidate(object_header* header)
      : bits_(reinterpret_cast<uintptr_t>(header) | ((header->flags & kLarge) != 0 ? 1 : 0)) {}
  object_header* header() const { return reinterpret_cast<object_header*>(bits_ & ~uintptr_t{1}); }
  bool is_large() const { return (bits_ & 1) != 0; }

 private:
  uintptr_t bits_;
};

class pool_index;

struct heap_impl : heap_state {
  heap_impl();
  ~heap_impl();

  const tally::CoreTable* core = nullptr;
  tally::ThreadCache* caches[2] = {};  // tracked, acyclic
  heap_impl* next = nullptr;           // of all heaps
  bool is_orphan = false;              // its thread or its owner is gone

  // By the generation they had when last looked at: those since the last collection in the first.
  std::vector<candidate> candidates[3];
  std::vector<object_header*> large;
  std::unique_ptr<pool_index> index;  // the collector's
  std::unordered_map<object_header*, weak_box*> weaks;
  values_table values;

  // Generations: stamp == `stamp` is 0; oldest_young_stamp..stamp-1 is 1; below is 2.
  uint8_t oldest_young_stamp = 1;
  int64_t count1 = 0;
  int64_t count2 = 0;
  gc::thresholds thresholds;
  bool has_own_thresholds = false;  // set by the user: kept to the letter
  bool is_enabled = true;
  bool is_collecting = false;
  unsigned debug = 0;
  size_t frozen_count = 0;
  gc::generation_stats stats[3] = {};
  duration_log durations[3];
  std::vector<ref<void>> garbage;
  std::vector<gc::callback> callbacks;

  // When to look at everything: when this much more is held than after the last full collection.
  int64_t external_bytes = 0;
  uint64_t bytes_after_full = 0;
  double young_patience = 1.0;  // times the default threshold
  int closures_to_skip = 0;     // after one that grew too large
  int closures_failed = 0;

  uint64_t held_bytes() const;
  int generation_of(const object_header& header) const {
    return header.stamp >= stamp ? 0 : header.stamp >= oldest_young_stamp ? 1 : 2;
  }
};

// The heap of an object. O(1).
heap_impl* heap_of(const object_header* header);
inline heap_impl* this_heap_impl() { return static_cast<heap_impl*>(this_heap()); }

heap_impl* open_heap();
// Collects, and frees the heap if nothing of it is left; else it waits as an orphan.
void close_heap(heap_impl* heap);
// Calls f(heap) for all heaps, under their lock.
void for_each_heap(void (*f)(heap_impl* heap, void* context), void* context);

// Before the list of candidates grows: those whose objects are gone leave it.
void drop_stale_candidates(heap_impl* heap);

// What a report of the core shows of the objects of all heaps.
size_t count_objects_for_report(tally::ObjectTypeBooks* types, size_t max);
// The last collection of all, and what is said of leaks.
void finish_program(heap_impl* heap);

// Runs the type's finalize(), once for each object; what it throws goes to the hook.
void run_finalizer(object_header* header);
void report_unraisable(const char* where, const char* type_name);

// Weak references of a dying object: callbacks run, all are cleared.
void clear_weak(object_header* header);
// The halves of it, for the collector: unlinks the boxes with callbacks whose holders are not all
// garbage and adds them to `calls`, one holder more each.
void take_weak_callbacks(object_header* header, std::vector<weak_box*>* calls);
void run_weak_callbacks(std::vector<weak_box*>* calls);
// Clears all. Calls of on_destroy that a finaliser planned meanwhile are added to `calls`.
void clear_weak_late(object_header* header, std::vector<weak_box*>* calls);
void unlink_weak_box(weak_box* box);
// At the end of a heap: on_destroy calls that are left, the newest first.
void run_finalizers_at_exit(heap_impl* heap);

// While objects wait for their destructors, a collection must not look inside them.
class pending_objects_hidden {
 public:
  pending_objects_hidden();
  ~pending_objects_hidden();

 private:
  std::vector<std::pair<object_header*, object_header>> hidden_;
};

// Calls f(header) for each object of the heap's tracked (0) or acyclic (1) pools, large ones too.
template <typename F>
void for_each_object(const heap_impl& heap, int kind, F f) {
  tally::ForEachRun(*heap.core, heap.caches[kind]->heap(), [&](tally::Pool* run) {
    const tally::ClassInfo& info = run->info();
    char* block = run->first_block();
    for (size_t i = 0; i < info.capacity; ++i, block += info.block_bytes) {
      auto* header = reinterpret_cast<object_header*>(block);
      header += header->type == kShiftedHeader ? 1 : 0;
      if (header->type >= kFirstType) {
        f(header);
      }
    }
  });
  for (object_header* header : heap.large) {
    if (((header->flags & kAcyclic) != 0) == (kind == 1) && header->type >= kFirstType) {
      f(header);
    }
  }
}

// The same for those that are neither dying nor waiting for it: what may be written to and shown.
template <typename F>
void for_each_living(const heap_impl& heap, int kind, F f) {
  const pending_objects_hidden hidden;
  for_each_object(heap, kind, [&](object_header* header) {
    if (header->count != 0 && (header->flags & kDying) == 0) {
      f(header);
    }
  });
}

// The object that a traced slot refers to, or to a part of it.
inline void* target_of(void* slot, bool is_part) { return is_part ? whole_object(slot) : slot; }
inline void trace_object(object_header* header, visitor& v) {
  type_table[header->type].trace(object_of(header), v);
}

// Readable: "Person" of "... [with T = Person]".
std::string readable_name(const char* pretty);
inline std::string name_of(const object_header* header) {
  return readable_name(type_table[header->type].name);
}

[[noreturn]] void fatal(const char* what, const object_header* header, const char* advice);

}  // namespace refgc::detail

#endif  // REFGC_STATE_H_
