// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What refgc's tests share: a heap left as it was found, and an object that can be told what to do
// when it is finalised or destroyed, and counts both.

#ifndef TESTS_REFGC_OBJECTS_H_
#define TESTS_REFGC_OBJECTS_H_

#include <functional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "refgc/refgc.h"

namespace refgc_test {

using refgc::collect;
using refgc::make;
using refgc::ref;
using refgc::weak_ref;
namespace gc = refgc::gc;

// No collection that the test does not ask for; nothing of it is left behind.
class QuietHeap : public testing::Test {
 protected:
  void SetUp() override {
    gc::disable();
    collect();
    before_ = gc::get_objects().size();
  }
  void TearDown() override {
    gc::set_debug(0);
    gc::set_threshold(700, 10, 10);
    gc::garbage().clear();
    gc::callbacks().clear();
    refgc::set_unraisable_hook(nullptr);
    collect();
    collect();  // those that the first one's finalisers revived
    EXPECT_EQ(gc::get_objects().size(), before_) << "objects are left";
    gc::enable();
  }

 private:
  size_t before_ = 0;
};

// The actions must not hold references: they are opaque to the collector.
struct Probe {
  static inline int made = 0;
  static inline int destroyed = 0;
  static constexpr int kIntact = 0x600d;

  std::vector<ref<Probe>> links;
  weak_ref<Probe> weak;
  std::function<void(Probe&)> on_finalize;
  std::function<void(Probe&)> on_destroy;
  int id = 0;
  int finalized = 0;
  int state = kIntact;

  explicit Probe(int the_id = 0) : id(the_id) { ++made; }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() {
    EXPECT_EQ(state, kIntact);
    if (on_destroy) {
      on_destroy(*this);
    }
    state = 0;
    ++destroyed;
  }
  void finalize() {
    EXPECT_EQ(state, kIntact);
    ++finalized;
    if (on_finalize) {
      on_finalize(*this);
    }
  }
  static int live() { return made - destroyed; }
  REFGC_TRACE(links, weak)
};

// The same without a finaliser.
struct Plain {
  std::vector<ref<Plain>> links;
  REFGC_TRACE(links)
};

inline ref<Probe> probe(int id = 0) { return make<Probe>(id); }
inline void link(const ref<Probe>& from, const ref<Probe>& to) { from->links.push_back(to); }

// A loop of one; what the caller does not keep is garbage.
inline ref<Probe> loop(int id = 0) {
  ref<Probe> p = probe(id);
  link(p, p);
  return p;
}
// A ring of objects, each linked to the next.
inline std::vector<ref<Probe>> ring(int count) {
  std::vector<ref<Probe>> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(probe(i));
  }
  for (int i = 0; i < count; ++i) {
    link(all[i], all[(i + 1) % count]);
  }
  return all;
}

}  // namespace refgc_test

#endif  // TESTS_REFGC_OBJECTS_H_
