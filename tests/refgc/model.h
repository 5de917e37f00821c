// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What model_test's objects and its model of them are.
//
// The model knows, for each object, the links that it holds and the roots that hold it. From these
// follows what must live: whatever a root leads to. After a full collection the rest must be dead,
// but for what finalisers revived; and at no time may anything die that a root leads to.

#ifndef TESTS_REFGC_MODEL_H_
#define TESTS_REFGC_MODEL_H_

#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "refgc/refgc.h"

namespace refgc_test {

using Id = uint32_t;

// What the world of one seed knows of an object; objects tell it of their end.
struct Entry {
  enum State : uint8_t { kAlive, kDead };
  State state = kAlive;
  uint8_t will = 0;  // what its finaliser does; see World::OnFinalize
  bool is_finalized = false;
  bool is_marked = false;
  bool is_frozen = false;
  uint32_t roots = 0;
  std::vector<Id> links;
  void* object = nullptr;
};

class World;

// Kinds of objects: the same member under different circumstances.
struct Thing {
  explicit Thing(World* the_world, Id the_id) : world(the_world), id(the_id) {}
  virtual ~Thing();
  void finalize_if_it_should();
  World* world;
  Id id;
  std::vector<refgc::ref<Thing>> links;
  std::vector<refgc::weak_ref<Thing>> weaks;
  REFGC_TRACE(links, weaks)
};
struct Finalized : Thing {
  using Thing::Thing;
  void finalize() { finalize_if_it_should(); }
  REFGC_TRACE_BASE(Thing, extra)
  refgc::ref<Thing> extra;  // always null
};
struct alignas(16) Wide : Thing {
  using Thing::Thing;
  char bytes[200] = {};
};
struct Huge : Thing {
  using Thing::Thing;
  char bytes[33 * 1024];
};

class World {
 public:
  explicit World(uint32_t seed) : random_(seed) {}
  ~World();
  void Step();
  void CheckAll();

  void OnFinalize(Thing& thing);
  void OnDestroy(Thing& thing);

 private:
  static constexpr size_t kRootsMax = 24;
  static constexpr size_t kObjectsMax = 200;

  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  Thing* Of(Id id) { return static_cast<Thing*>(entries_[id].object); }
  void Make();
  void Link(bool by_move);
  void Unlink();
  void DropRoot();
  void TakeRoot();
  void MoveRootIn();
  void TakeWeak();
  void Collect();
  void Freeze();
  void AddRoot(refgc::ref<Thing> r);
  refgc::ref<Thing> RemoveRoot(size_t at);
  void Forget(std::vector<Id>* links, size_t at);
  // What the roots lead to.
  void MarkReachable();
  void CheckReachableLive();
  size_t CountAlive() const;

  std::mt19937 random_;
  std::vector<Entry> entries_;
  std::vector<refgc::ref<Thing>> roots_;
  std::vector<refgc::weak_ref<Thing>> weaks_;
  std::vector<Id> weak_ids_;
  std::vector<Id> stack_;
  size_t alive_ = 0;
  size_t frozen_ = 0;  // whether freeze() is in force
  bool is_ending_ = false;
  uint64_t revived_ = 0;
};

}  // namespace refgc_test

#endif  // TESTS_REFGC_MODEL_H_
