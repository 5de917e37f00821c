// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// finalize(): once for each object, on intact neighbours, and what it may do. PEP 442's suite.

#include <set>

#include "tests/refgc/objects.h"

namespace refgc_test {
namespace {

using testing::UnorderedElementsAre;

std::vector<ref<Probe>> survivors;
std::multiset<int> finalized;

void note(Probe& p) { finalized.insert(p.id); }
void resurrect(Probe& p) {
  note(p);
  survivors.push_back(refgc::ref_from_this(&p));
}
void commit_suicide(Probe& p) {
  note(p);
  p.links.clear();
}

class RefgcFinalizer : public QuietHeap {
 protected:
  void SetUp() override {
    QuietHeap::SetUp();
    survivors.clear();
    finalized.clear();
    live_ = Probe::live();
  }
  int live() const { return Probe::live() - live_; }

 private:
  int live_ = 0;
};

TEST_F(RefgcFinalizer, F1_Acyclic) {
  auto p = probe(1);
  p->on_finalize = note;
  const weak_ref<Probe> weak = p;
  p.reset();
  EXPECT_THAT(finalized, UnorderedElementsAre(1));
  EXPECT_TRUE(survivors.empty());
  EXPECT_TRUE(weak.expired());
  EXPECT_EQ(live(), 0);
}

TEST_F(RefgcFinalizer, F2_AcyclicResurrected) {
  auto p = probe(1);
  p->on_finalize = resurrect;
  const weak_ref<Probe> weak = p;
  EXPECT_FALSE(gc::is_finalized(p));
  p.reset();
  ASSERT_EQ(survivors.size(), 1u);
  EXPECT_TRUE(gc::is_finalized(survivors[0]));
  EXPECT_EQ(weak.lock(), survivors[0]);
  EXPECT_EQ(survivors[0].use_count(), 1u);
  survivors.clear();
  EXPECT_EQ(live(), 0) << "destroyed now";
  EXPECT_TRUE(survivors.empty());
  EXPECT_THAT(finalized, UnorderedElementsAre(1));
  EXPECT_TRUE(weak.expired());
}

TEST_F(RefgcFinalizer, F3_SelfLoop) {
  loop(1)->on_finalize = note;
  EXPECT_EQ(collect(), 1u);
  EXPECT_THAT(finalized, UnorderedElementsAre(1));
  EXPECT_EQ(live(), 0);
}

TEST_F(RefgcFinalizer, F3_SelfLoopResurrected) {
  loop(1)->on_finalize = resurrect;
  const weak_ref<Probe> weak = [] {
    auto p = loop(2);
    p->on_finalize = resurrect;
    return weak_ref<Probe>(p);
  }();
  EXPECT_EQ(collect(), 0u);
  EXPECT_THAT(finalized, UnorderedElementsAre(1, 2));
  EXPECT_FALSE(weak.expired()) << "without a callback a weak reference outlasts a resurrection";
  survivors.clear();
  EXPECT_EQ(collect(), 2u);
  EXPECT_THAT(finalized, UnorderedElementsAre(1, 2));
  EXPECT_TRUE(weak.expired());
  EXPECT_EQ(live(), 0);
}

TEST_F(RefgcFinalizer, F3_SelfLoopSuicidal) {
  loop(1)->on_finalize = commit_suicide;
  EXPECT_EQ(collect(), 1u);
  EXPECT_THAT(finalized, UnorderedElementsAre(1));
  EXPECT_EQ(live(), 0);
}

enum Kind { kPlain, kSuicidal, kResurrector };

class RefgcFinalizerRing : public RefgcFinalizer {
 protected:
  void Run(const std::vector<Kind>& kinds) {
    std::multiset<int> all;
    {
      const std::vector<ref<Probe>> members = ring(static_cast<int>(kinds.size()));
      for (size_t i = 0; i < kinds.size(); ++i) {
        all.insert(static_cast<int>(i));
        const Kind kind = kinds[i];
        members[i]->on_finalize = [kind](Probe& p) {
          for (const ref<Probe>& neighbour : p.links) {
            EXPECT_EQ(neighbour->state, Probe::kIntact);
            EXPECT_GE(neighbour->id, 0);
          }
          kind == kPlain ? note(p) : kind == kSuicidal ? commit_suicide(p) : resurrect(p);
        };
      }
      EXPECT_EQ(collect(), 0u);
    }
    const size_t found = collect();
    EXPECT_EQ(finalized, all) << "each exactly once";
    const size_t left = kinds.size() - found;
    EXPECT_EQ(static_cast<size_t>(live()), left);
    EXPECT_GE(left, survivors.size());
    survivors.clear();
    collect();
    EXPECT_EQ(live(), 0);
    EXPECT_TRUE(survivors.empty());
    EXPECT_EQ(finalized, all) << "none a second time";
  }
};

TEST_F(RefgcFinalizerRing, F4_Plain) { Run({kPlain, kPlain, kPlain}); }
TEST_F(RefgcFinalizerRing, F4_Suicidal) { Run({kSuicidal, kSuicidal, kSuicidal}); }
TEST_F(RefgcFinalizerRing, F4_Resurrectors) { Run({kResurrector, kResurrector, kResurrector}); }
TEST_F(RefgcFinalizerRing, F4_SuicidalAndPlainByTurns) {
  Run({kSuicidal, kPlain, kSuicidal, kPlain});
}
TEST_F(RefgcFinalizerRing, F4_TwoSuicidalTwoPlain) { Run({kSuicidal, kSuicidal, kPlain, kPlain}); }
TEST_F(RefgcFinalizerRing, F4_ResurrectorAndPlainByTurns) {
  Run({kResurrector, kPlain, kResurrector, kPlain});
}
TEST_F(RefgcFinalizerRing, F4_ThreeKindsByTurns) {
  Run({kResurrector, kPlain, kSuicidal, kResurrector, kPlain, kSuicidal});
}
TEST_F(RefgcFinalizerRing, F4_TwoOfEachKind) {
  Run({kResurrector, kResurrector, kPlain, kPlain, kSuicidal, kSuicidal});
}

TEST_F(RefgcFinalizer, F5_TheResurrectedKeepTheirCargo) {
  auto a = probe(1);
  auto b = probe(2);
  auto cargo = probe(3);
  link(a, b);
  link(b, a);
  link(b, cargo);
  a->on_finalize = resurrect;
  Probe* const b_at = b.get();
  Probe* const cargo_at = cargo.get();
  a.reset();
  b.reset();
  cargo.reset();
  EXPECT_EQ(collect(), 0u);
  ASSERT_EQ(survivors.size(), 1u);
  ASSERT_EQ(survivors[0]->links[0].get(), b_at);
  ASSERT_EQ(b_at->links[1].get(), cargo_at);
  EXPECT_EQ(cargo_at->state, Probe::kIntact);
  EXPECT_EQ(cargo_at->id, 3);
  survivors.clear();
  EXPECT_EQ(collect(), 3u);
  EXPECT_EQ(live(), 0);
}

// CPython's bug 21435: what a finaliser adds to a dying object must not confuse the collector.
TEST_F(RefgcFinalizer, F6_AddsAMemberToGarbage) {
  auto a = probe(1);
  auto b = probe(2);
  link(a, b);
  link(b, a);
  b->on_finalize = [](Probe& p) {
    note(p);
    for (int i = 0; i < 50; ++i) {
      link(p.links[0], probe(100 + i));                       // to another dying one
      p.links[0]->links.push_back(refgc::ref_from_this(&p));  // and back
    }
  };
  a.reset();
  b.reset();
  EXPECT_EQ(collect(), 2u);
  EXPECT_EQ(live(), 0);
}

struct Late {
  static inline weak_ref<Probe> watched;
  static inline int calls = 0;
  void finalize() {
    ++calls;
    const ref<Probe> seen = watched.lock();
    if (seen) {
      EXPECT_EQ(seen->state, Probe::kIntact);
      EXPECT_EQ(seen->links.size(), 1u) << "half-cleared";
    }
  }
};
struct Keeper {
  ref<Probe> maker;
  ref<Keeper> me;
  ref<Late> late;
  REFGC_TRACE(maker, me, late)
};

// gh-91636: the finaliser makes a weak reference to what is about to be cleared.
TEST_F(RefgcFinalizer, F7_WeakMadeByAFinalizerReadByALateOne) {
  {
    auto maker = probe(1);
    auto victim = loop(2);
    link(maker, victim);
    maker->on_finalize = [](Probe& p) { Late::watched = p.links[0]; };
    auto keeper = make<Keeper>();
    keeper->maker = maker;
    keeper->late = make<Late>();
    keeper->me = keeper;
  }
  Late::calls = 0;
  EXPECT_EQ(collect(), 3u);
  EXPECT_EQ(Late::calls, 1);
  EXPECT_TRUE(Late::watched.expired());
  EXPECT_EQ(live(), 0);
}

TEST_F(RefgcFinalizer, F8_FinalizersAllocateWhileEveryAllocationMayCollect) {
  gc::set_threshold(1, 1, 1);
  gc::enable();
  static int made;
  made = 0;
  for (int i = 0; i < 200; ++i) {
    loop(i)->on_finalize = [](Probe&) {
      for (int k = 0; k < 5; ++k) {
        ++made;
        loop(1000 + k);
      }
    };
  }
  collect();
  gc::disable();
  collect();
  EXPECT_EQ(made, 1000);
  EXPECT_EQ(live(), 0);
}

TEST_F(RefgcFinalizer, F9_CollectInAFinalizerDoesNothing) {
  static size_t inner;
  inner = 99;
  loop(1)->on_finalize = [](Probe&) {
    loop(2);
    inner = collect();
  };
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(inner, 0u);
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(live(), 0);
}

TEST_F(RefgcFinalizer, WhatItThrowsGoesToTheHook) {
  std::vector<std::string> types;
  refgc::set_unraisable_hook([&](const char* where, const char* type_name) {
    EXPECT_STREQ(where, "finalize");
    types.push_back(type_name);
  });
  loop(1)->on_finalize = [](Probe&) { throw std::runtime_error("no"); };
  loop(2)->on_finalize = note;
  EXPECT_EQ(collect(), 2u);
  ASSERT_EQ(types.size(), 1u);
  EXPECT_THAT(types[0], testing::HasSubstr("Probe"));
  EXPECT_THAT(finalized, UnorderedElementsAre(2));
}

// On the way of counts alone, a collection in a finaliser or a destructor is a real one.
TEST_F(RefgcFinalizer, CollectionsWhileCountsFall) {
  for (const bool in_destructor : {false, true}) {
    static size_t found;
    found = 0;
    auto p = probe(1);
    for (int i = 0; i < 20; ++i) {
      link(p, probe(10 + i));
    }
    const auto act = [](Probe&) {
      loop(2);
      found += collect();
    };
    (in_destructor ? p->on_destroy : p->on_finalize) = act;
    for (const ref<Probe>& q : p->links) {
      (in_destructor ? q->on_destroy : q->on_finalize) = act;
    }
    p.reset();
    EXPECT_EQ(found, 21u);
    EXPECT_EQ(live(), 0);
  }
}

// Members die in the reverse of their order: the guard, after the links.
struct CollectingGuard {
  ~CollectingGuard() { collect(); }
};
struct Guarded {
  CollectingGuard guard;
  std::vector<ref<Probe>> links;
  ref<Probe> one;
  REFGC_TRACE(links, one)
};

TEST_F(RefgcFinalizer, CollectionWhileMembersAreGone) {
  auto kept = loop(1);
  auto g = make<Guarded>();
  g->links.assign(100000, kept);  // memory of its own, which the system takes back
  g->one = kept;
  g.reset();
  EXPECT_EQ(kept->state, Probe::kIntact);
  EXPECT_EQ(kept.use_count(), 2u);
  kept.reset();
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(live(), 0);
}

}  // namespace
}  // namespace refgc_test
