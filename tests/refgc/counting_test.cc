// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Counting: which cycles are found, and how many objects a collection says it found.

#include <map>
#include <string>

#include "tests/refgc/objects.h"

namespace refgc_test {
namespace {

class RefgcCounting : public QuietHeap {};

struct Self {
  ref<Self> me;
  REFGC_TRACE(me)
};

TEST_F(RefgcCounting, C1_SelfLoop) {
  auto s = make<Self>();
  s->me = s;
  EXPECT_EQ(s.use_count(), 2u);
  s.reset();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(collect(), 0u);
}

struct Table {
  std::map<std::string, ref<Table>> entries;
  REFGC_TRACE(entries)
};

TEST_F(RefgcCounting, C1_LoopThroughAMap) {
  auto t = make<Table>();
  t->entries["me"] = t;
  t.reset();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(collect(), 0u);
}

TEST_F(RefgcCounting, C1_TwoObjects) {
  auto a = make<Plain>();
  auto b = make<Plain>();
  a->links.push_back(b);
  b->links.push_back(a);
  a.reset();
  EXPECT_EQ(collect(), 0u);
  b.reset();
  EXPECT_EQ(collect(), 2u);
  EXPECT_EQ(collect(), 0u);
}

TEST_F(RefgcCounting, C1_WhatHangsOnALoopIsFoundWithIt) {
  auto a = make<Plain>();
  a->links.push_back(a);
  a->links.push_back(make<Plain>());
  a.reset();
  EXPECT_EQ(collect(), 2u);
}

struct Base {
  ref<Base> other;
  virtual ~Base() = default;
  REFGC_TRACE(other)
};
struct Derived : Base {
  std::string name = "long enough to need memory of its own";
  ref<Derived> mine;
  REFGC_TRACE_BASE(Base, mine)
};

TEST_F(RefgcCounting, C2_ThroughTheBaseClass) {
  auto d = make<Derived>();
  d->other = d;
  d.reset();
  EXPECT_EQ(collect(), 1u);
}

TEST_F(RefgcCounting, C2_ThroughBaseAndDerived) {
  auto d = make<Derived>();
  d->mine = make<Derived>();
  d->mine->other = d;
  d.reset();
  EXPECT_EQ(collect(), 2u);
}

struct Owner;
struct Pet {
  ref<Owner> owner;
  REFGC_TRACE(owner)
};
struct Owner {
  std::vector<ref<Pet>> pets;
  ref<refgc::str> name = refgc::make_str("Ada and her animals");
  REFGC_TRACE(pets, name)
};

TEST_F(RefgcCounting, C2_MixedTypes) {
  auto owner = make<Owner>();
  for (int i = 0; i < 3; ++i) {
    owner->pets.push_back(make<Pet>(Pet{owner}));
  }
  owner.reset();
  EXPECT_EQ(collect(), 4u) << "the string is a leaf: no one looks at it";
}

struct Button {
  int presses = 0;
  refgc::function<void()> on_press;
  REFGC_TRACE(on_press)
};

TEST_F(RefgcCounting, C2_BoundCallback) {
  auto button = make<Button>();
  button->on_press = refgc::bind([](ref<Button>& b) { ++b->presses; }, button);
  button->on_press();
  EXPECT_EQ(button->presses, 1);
  EXPECT_EQ(button.use_count(), 2u);
  button.reset();
  EXPECT_EQ(collect(), 1u);
}

TEST_F(RefgcCounting, C3_LocalsThatHoldTheirFrame) {
  {
    auto frame = make<Plain>();
    frame->links.push_back(frame);
    EXPECT_EQ(collect(), 0u);
  }
  EXPECT_EQ(collect(), 1u);
}

TEST_F(RefgcCounting, C4_ManyLoops) {
  constexpr size_t kLoops = 1000;
  const uint64_t before = gc::get_stats()[2].collected;
  for (size_t i = 0; i < kLoops; ++i) {
    auto p = make<Plain>();
    p->links.push_back(p);
  }
  EXPECT_EQ(collect(), kLoops);
  EXPECT_EQ(gc::get_stats()[2].collected, before + kLoops);
  EXPECT_EQ(gc::get_stats()[2].uncollectable, 0u);
}

TEST_F(RefgcCounting, C4_AResurrectorCountsWhenItIsLetGo) {
  static std::vector<ref<Probe>> survivors;
  constexpr size_t kLoops = 100;
  const uint64_t before = gc::get_stats()[2].collected;
  for (size_t i = 0; i < kLoops; ++i) {
    loop();
  }
  loop()->on_finalize = [](Probe& p) { survivors.push_back(refgc::ref_from_this(&p)); };
  EXPECT_EQ(collect(), kLoops);
  EXPECT_EQ(gc::get_stats()[2].collected, before + kLoops);
  ASSERT_EQ(survivors.size(), 1u);
  EXPECT_EQ(survivors[0]->finalized, 1);
  EXPECT_EQ(collect(), 0u);
  survivors.clear();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(gc::get_stats()[2].collected, before + kLoops + 1);
}

// What dies by its count alone is nobody's find.
TEST_F(RefgcCounting, AcyclicGarbageIsNotCounted) {
  auto a = make<Plain>();
  a->links = {make<Plain>(), make<Plain>()};
  a.reset();
  EXPECT_EQ(collect(), 0u);
}

// The last reference, moved into the object itself: it was never decremented.
TEST_F(RefgcCounting, LoopClosedByMove) {
  auto s = make<Self>();
  Self* raw = s.get();
  raw->me = std::move(s);
  EXPECT_EQ(collect(), 1u);
}

}  // namespace
}  // namespace refgc_test
