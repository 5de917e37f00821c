// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The model of model_test: what it knows of each object, and the operations on both.

#ifndef TESTS_REFGC_MODEL_H_
#define TESTS_REFGC_MODEL_H_

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "refgc/refgc.h"

namespace refgc_test {

using refgc::collect;
using refgc::make;
using refgc::ref;
using refgc::weak_ref;
namespace gc = refgc::gc;

using Id = size_t;
class World;

struct Thing {
  Thing(World* the_world, Id the_id) : world(the_world), id(the_id) {}
  virtual ~Thing();
  World* world;
  Id id;
  std::vector<ref<Thing>> links;
  std::vector<weak_ref<Thing>> weaks;
  REFGC_TRACE(links, weaks)
};
// The same under different circumstances.
struct Final : Thing {
  using Thing::Thing;
  void finalize();
};
struct alignas(16) Wide : Thing {
  using Thing::Thing;
  char bytes[200] = {};
};
struct Huge final : Thing {
  using Thing::Thing;
  void finalize();
  char bytes[33 * 1024];
};

// What the model knows of an object.
struct Entry {
  Thing* object = nullptr;  // null when it is dead
  uint64_t serial = 0;      // entries are used again
  uint64_t roots = 0;
  std::vector<Id> links;
  bool is_reached = false;
};

struct Watch {
  weak_ref<Thing> weak;
  Id id;
  uint64_t serial;
  bool has_callback;
};

class World {
 public:
  explicit World(uint32_t seed) : random_(seed) {
    const int64_t thresholds[] = {0, 1, 2, 10, 100, 700};
    gc::set_threshold(thresholds[seed % 6], 1 + seed % 4, 1 + seed % 3);
  }
  ~World() { End(); }

  // One random operation. Fails where something died that a root leads to.
  void Step();
  // The objects call these.
  void OnFinalize(Thing& thing);
  void OnDestroy(Thing& thing);

  uint64_t deaths() const { return deaths_; }
  uint64_t finalized() const { return finalized_; }
  uint64_t found() const { return found_; }

 private:
  static constexpr size_t kRootsMax = 16;
  static constexpr size_t kEntriesMax = 150;
  static constexpr size_t kLinksMax = 5;

  size_t Below(size_t n) { return random_() % n; }
  bool OneIn(size_t n) { return Below(n) == 0; }
  Id AnyReachable();
  Id NewEntry();
  void Make();
  void AddRoot(ref<Thing> r);
  ref<Thing> TakeRoot(size_t at);
  void DropRoot();
  void Link(bool is_move);
  void Unlink();
  void WatchWeakly();
  void Lock();
  void Collect();
  void CollectAll();
  void FreezeOrNot();
  // What the roots lead to, by the model.
  void Mark();
  void CheckReachable();
  // After a full collection: the living, their counts, and the weak references.
  void CheckExactly();
  void End();

  std::mt19937 random_;
  std::vector<Entry> entries_;
  std::vector<Id> dead_;
  std::vector<ref<Thing>> roots_;
  std::vector<Watch> watches_;
  std::vector<Id> stack_;
  uint64_t serial_ = 0;
  uint64_t deaths_ = 0;
  uint64_t finalized_ = 0;
  uint64_t found_ = 0;  // by the collections that CheckExactly asked for
  bool is_frozen_ = false;
  bool is_ending_ = false;
};

}  // namespace refgc_test

#endif  // TESTS_REFGC_MODEL_H_
