// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The collector's controls, as CPython's gc module has them. All on the calling thread's current
// heap.
//
// Collections are automatic unless disabled: the youngest generation when more than threshold0
// objects were made than freed since the last, older ones after threshold1 and threshold2 of those;
// and all of it when the heap has grown by a share of itself.

#ifndef REFGC_GC_H_
#define REFGC_GC_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "refgc/ref.h"

namespace refgc {

// Frees the garbage cycles of generations 0..generation. Returns how many unreachable objects it
// found: those freed and the uncollectable. 0 when called from within a collection. Throws
// std::invalid_argument on another generation.
REFGC_EXPORT size_t collect(int generation = 2);

// Called with what a finalizer, or a callback, threw. By default one line on stderr. Returns the
// previous hook.
using unraisable_hook = std::function<void(const char* where, const char* type_name)>;
REFGC_EXPORT unraisable_hook set_unraisable_hook(unraisable_hook hook);

namespace gc {

enum debug_flags : unsigned {
  DEBUG_STATS = 1,          // a line on stderr at each collection
  DEBUG_COLLECTABLE = 2,    // a line for each object found
  DEBUG_UNCOLLECTABLE = 4,  // a line for each uncollectable one
  DEBUG_SAVEALL = 32,       // what is found goes to garbage() instead of being freed
  DEBUG_LEAK = DEBUG_COLLECTABLE | DEBUG_UNCOLLECTABLE | DEBUG_SAVEALL,
};

struct thresholds {
  // 0: no automatic collection. While nobody has set it, more on large heaps, and when collections
  // find little.
  int64_t generation0 = 700;
  int64_t generation1 = 10;
  int64_t generation2 = 10;
};
struct counts {
  int64_t generation0;  // objects made less objects freed, since the last collection
  int64_t generation1;  // collections of generation 0 since the last of 1
  int64_t generation2;
};
struct generation_stats {
  uint64_t collections;
  uint64_t collected;
  uint64_t uncollectable;
  uint64_t candidates;         // objects looked at
  double duration;             // seconds, of all together
  double p50_s, p99_s, max_s;  // of one; of the last 1,024
};
struct callback_info {
  int generation;
  size_t collected;  // 0 at the start
  size_t uncollectable;
};
enum class phase { start, stop };

REFGC_EXPORT void enable();
REFGC_EXPORT void disable();
REFGC_EXPORT bool isenabled();
REFGC_EXPORT void set_threshold(int64_t generation0, int64_t generation1 = -1,
                                int64_t generation2 = -1);  // -1: as it was
REFGC_EXPORT thresholds get_threshold();
REFGC_EXPORT counts get_count();
REFGC_EXPORT std::vector<generation_stats> get_stats();  // of generations 0, 1, 2
REFGC_EXPORT void set_debug(unsigned flags);
REFGC_EXPORT unsigned get_debug();
// Uncollectable objects, and all under DEBUG_SAVEALL. Clear it to let them go.
REFGC_EXPORT std::vector<ref<void>>& garbage();

using callback = std::function<void(phase, const callback_info&)>;
// Called around each collection, in order. What they throw goes to the unraisable hook. Edit
// freely.
REFGC_EXPORT std::vector<callback>& callbacks();

// Tracked objects of a generation, of all with -1. Throws std::invalid_argument. O(heap).
REFGC_EXPORT std::vector<ref<void>> get_objects(int generation = -1);
// Tracked objects that refer to it. O(heap).
REFGC_EXPORT std::vector<ref<void>> get_referrers(const ref<void>& target);
// What these objects refer to, as often as they do.
REFGC_EXPORT std::vector<ref<void>> get_referents(const std::vector<ref<void>>& objects);
// Whether the collector looks at it.
REFGC_EXPORT bool is_tracked(const ref<void>& r);
// Whether its finalize() was called.
REFGC_EXPORT bool is_finalized(const ref<void>& r);

// Moves all objects to a permanent generation that collections pass over; with `immortalize`, also
// makes their counts constant, so that forked processes never write their pages.
REFGC_EXPORT void freeze(bool immortalize = false);
REFGC_EXPORT void unfreeze();
REFGC_EXPORT size_t get_freeze_count();

// Tells the collector of memory outside that objects keep: it counts toward the growth that starts
// a full collection.
REFGC_EXPORT void add_external_bytes(int64_t bytes);

}  // namespace gc

// The name of an object's type.
REFGC_EXPORT std::string type_name(const ref<void>& r);

}  // namespace refgc

#endif  // REFGC_GC_H_
