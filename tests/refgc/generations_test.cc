// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Generations, and the gc verbs.

#include <algorithm>
#include <stdexcept>

#include "tests/refgc/objects.h"

namespace refgc_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class RefgcGenerations : public QuietHeap {
 protected:
  static bool Holds(int generation, const ref<Plain>& p) {
    const std::vector<ref<void>> all = gc::get_objects(generation);
    return std::count(all.begin(), all.end(), ref<void>(p)) == 1;
  }
};

TEST_F(RefgcGenerations, G1_GetObjects) {
  const auto p = make<Plain>();
  EXPECT_TRUE(Holds(0, p));
  EXPECT_FALSE(Holds(1, p) || Holds(2, p));
  collect(0);
  EXPECT_TRUE(Holds(1, p));
  EXPECT_FALSE(Holds(0, p) || Holds(2, p));
  collect(1);
  EXPECT_TRUE(Holds(2, p));
  EXPECT_FALSE(Holds(0, p) || Holds(1, p));
  collect(2);
  EXPECT_TRUE(Holds(2, p));
  EXPECT_TRUE(Holds(-1, p));
  EXPECT_THROW(gc::get_objects(3), std::invalid_argument);
  EXPECT_THROW(gc::get_objects(-2), std::invalid_argument);
  EXPECT_THROW(collect(3), std::invalid_argument);
  EXPECT_THROW(collect(-1), std::invalid_argument);
}

TEST_F(RefgcGenerations, G1_AfterMoreCollectionsThanStamps) {
  const auto p = make<Plain>();
  for (int i = 0; i < 600; ++i) {
    collect(0);
    EXPECT_TRUE(Holds(1, p));
  }
  collect(1);
  for (int i = 0; i < 600; ++i) {
    const auto q = make<Plain>();
    collect(i % 2);
    EXPECT_TRUE(Holds(2, p));
    EXPECT_TRUE(Holds(1 + i % 2, q));
  }
}

TEST_F(RefgcGenerations, G2_GetCount) {
  collect(2);
  EXPECT_EQ(gc::get_count().generation0, 0);
  const std::vector<ref<Plain>> some(10, make<Plain>());
  const auto more = make<Plain>();
  EXPECT_EQ(gc::get_count().generation0, 2);
  make<Plain>();
  EXPECT_EQ(gc::get_count().generation0, 2) << "made and freed";
  const auto older = [] {
    const gc::counts c = gc::get_count();
    return std::vector<int64_t>{c.generation1, c.generation2};
  };
  collect(0);
  EXPECT_EQ(gc::get_count().generation0, 0);
  EXPECT_THAT(older(), ElementsAre(1, 0));
  collect(1);
  EXPECT_THAT(older(), ElementsAre(0, 1));
  collect(2);
  EXPECT_THAT(older(), ElementsAre(0, 0));
}

TEST_F(RefgcGenerations, G3_GetStats) {
  for (int g = 0; g < 3; ++g) {
    const auto before = gc::get_stats();
    auto p = make<Plain>();
    p->links.push_back(p);
    p.reset();
    EXPECT_EQ(collect(g), 1u);
    const auto after = gc::get_stats();
    for (int k = 0; k < 3; ++k) {
      EXPECT_EQ(after[k].collections, before[k].collections + (k == g ? 1 : 0));
      EXPECT_EQ(after[k].collected, before[k].collected + (k == g ? 1 : 0));
      EXPECT_EQ(after[k].uncollectable, before[k].uncollectable);
    }
    EXPECT_GT(after[g].candidates, before[g].candidates);
    EXPECT_GT(after[g].duration, before[g].duration);
  }
}

TEST_F(RefgcGenerations, G4_DisableAndEnable) {
  EXPECT_FALSE(gc::isenabled());
  const auto run = [] {
    const uint64_t before = gc::get_stats()[0].collections;
    for (int i = 0; i < 10000; ++i) {
      auto p = make<Plain>();
      p->links.push_back(p);
    }
    return gc::get_stats()[0].collections - before;
  };
  EXPECT_EQ(run(), 0u);
  EXPECT_EQ(gc::get_count().generation0, 10000);
  gc::enable();
  EXPECT_TRUE(gc::isenabled());
  EXPECT_GT(run(), 0u);
  gc::set_threshold(0);
  EXPECT_EQ(run(), 0u);
  gc::set_threshold(100, 5, 7);
  EXPECT_EQ(gc::get_threshold().generation0, 100);
  EXPECT_EQ(gc::get_threshold().generation1, 5);
  EXPECT_EQ(gc::get_threshold().generation2, 7);
  EXPECT_GT(run(), 50u);
  gc::disable();
  const size_t left = collect();
  EXPECT_LE(left, 21000u) << "the automatic collections found nothing";
}

TEST_F(RefgcGenerations, G5_Freeze) {
  auto loop = make<Plain>();
  loop->links.push_back(loop);
  auto kept = make<Plain>();
  gc::freeze();
  EXPECT_GE(gc::get_freeze_count(), 2u);
  loop.reset();
  EXPECT_EQ(collect(), 0u) << "frozen garbage is passed over";
  auto young = make<Plain>();
  young->links = {young, kept};
  young.reset();
  EXPECT_EQ(collect(), 1u);
  gc::unfreeze();
  EXPECT_EQ(gc::get_freeze_count(), 0u);
  EXPECT_EQ(collect(), 1u);
  EXPECT_EQ(kept.use_count(), 1u);
}

TEST_F(RefgcGenerations, G5_WhatIsFrozenHoldsWhatIsNot) {
  auto frozen = make<Plain>();
  gc::freeze();
  frozen->links.push_back(make<Plain>());
  frozen->links[0]->links.push_back(frozen->links[0]);
  EXPECT_EQ(collect(), 0u);
  EXPECT_EQ(frozen->links[0]->links.size(), 1u);
  frozen->links.clear();
  EXPECT_EQ(collect(), 1u);
  gc::unfreeze();
}

TEST_F(RefgcGenerations, G6_IsTracked) {
  EXPECT_FALSE(gc::is_tracked(refgc::make_integer(1000)));
  EXPECT_FALSE(gc::is_tracked(refgc::make_str("some text")));
  EXPECT_FALSE(gc::is_tracked(make<int>(3)));
  EXPECT_FALSE(gc::is_tracked(nullptr));
  EXPECT_TRUE(gc::is_tracked(make<Plain>()));
}

TEST_F(RefgcGenerations, G7_GetReferents) {
  const auto leaf = make<int>(1);
  EXPECT_THAT(gc::get_referents({leaf}), IsEmpty());
  const auto a = make<Plain>();
  const auto b = make<Plain>();
  const auto c = make<Plain>();
  a->links = {b, b, c};
  b->links = {a};
  const ref<void> va = a;
  const ref<void> vb = b;
  const ref<void> vc = c;
  EXPECT_THAT(gc::get_referents({a}), UnorderedElementsAre(vb, vb, vc));
  EXPECT_THAT(gc::get_referents({a, b, leaf, c}), UnorderedElementsAre(vb, vb, vc, va));
  EXPECT_THAT(gc::get_referents({}), IsEmpty());
  EXPECT_THAT(gc::get_referrers(c), UnorderedElementsAre(va));
  EXPECT_THAT(gc::get_referrers(b), UnorderedElementsAre(va));
  EXPECT_THAT(gc::get_referrers(leaf), IsEmpty());
  b->links.clear();
}

struct Call {
  int who;
  gc::phase phase;
  int generation;
  size_t collected;
  size_t uncollectable;
};

TEST_F(RefgcGenerations, G8_Callbacks) {
  std::vector<Call> calls;
  for (const int who : {1, 2}) {
    gc::callbacks().emplace_back([&calls, who](gc::phase phase, const gc::callback_info& info) {
      calls.push_back({who, phase, info.generation, info.collected, info.uncollectable});
    });
  }
  for (int g = 0; g < 3; ++g) {
    calls.clear();
    loop(1);
    EXPECT_EQ(collect(g), 1u);
    ASSERT_EQ(calls.size(), 4u);
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(calls[i].who, i % 2 == 0 ? 1 : 2);
      EXPECT_EQ(calls[i].phase, i < 2 ? gc::phase::start : gc::phase::stop);
      EXPECT_EQ(calls[i].generation, g);
      EXPECT_EQ(calls[i].collected, i < 2 ? 0u : 1u);
      EXPECT_EQ(calls[i].uncollectable, 0u);
    }
  }
}

TEST_F(RefgcGenerations, G8_ACallbackThatThrowsAndOneThatEditsTheList) {
  int thrown = 0;
  refgc::set_unraisable_hook([&](const char* where, const char*) {
    ++thrown;
    EXPECT_STREQ(where, "gc callback");
  });
  int later = 0;
  gc::callbacks().emplace_back([](gc::phase, const gc::callback_info&) { throw 1; });
  gc::callbacks().emplace_back([&](gc::phase, const gc::callback_info&) {
    ++later;
    gc::callbacks().clear();
  });
  collect();
  EXPECT_EQ(thrown, 1);
  EXPECT_EQ(later, 1);
  EXPECT_THAT(gc::callbacks(), IsEmpty());
}

struct Stubborn {
  static constexpr bool refgc_uncollectable = true;
  std::vector<ref<Stubborn>> links;
  REFGC_TRACE(links)
};

void make_uncollectable_pair() {
  auto a = make<Stubborn>();
  auto b = make<Stubborn>();
  a->links.push_back(b);
  b->links.push_back(a);
}

TEST_F(RefgcGenerations, G9_Uncollectable) {
  make_uncollectable_pair();
  make_uncollectable_pair();
  auto p = make<Plain>();
  p->links.push_back(p);
  p.reset();
  size_t collected = 0;
  size_t uncollectable = 0;
  gc::callbacks().emplace_back([&](gc::phase phase, const gc::callback_info& info) {
    if (phase == gc::phase::stop) {
      collected += info.collected;
      uncollectable += info.uncollectable;
      EXPECT_EQ(gc::garbage().size(), info.uncollectable);
      for (const ref<void>& object : gc::garbage()) {
        refgc::static_ref_cast<Stubborn>(object)->links.clear();
      }
      gc::garbage().clear();
    }
  });
  EXPECT_EQ(collect(), 5u);
  EXPECT_EQ(collected, 1u);
  EXPECT_EQ(uncollectable, 4u);
  EXPECT_THAT(gc::garbage(), IsEmpty());
  EXPECT_EQ(gc::get_stats()[2].uncollectable, 4u);
  EXPECT_EQ(collect(), 0u);
}

TEST_F(RefgcGenerations, G10_SaveAll) {
  auto p = make<Plain>();
  p->links = {p, p};
  const Plain* const at = p.get();
  p.reset();
  gc::set_debug(gc::DEBUG_SAVEALL);
  EXPECT_EQ(gc::get_debug(), gc::DEBUG_SAVEALL);
  EXPECT_EQ(collect(), 1u);
  ASSERT_EQ(gc::garbage().size(), 1u);
  EXPECT_EQ(gc::garbage()[0].get(), at);
  EXPECT_EQ(refgc::static_ref_cast<Plain>(gc::garbage()[0])->links.size(), 2u);
  EXPECT_EQ(collect(), 0u) << "the list holds it";
  gc::set_debug(0);
  gc::garbage().clear();
  EXPECT_EQ(collect(), 1u);
}

// --- In processes of their own -------------------------------------------------------------------

using RefgcExit = RefgcGenerations;

[[noreturn]] void exit_with_a_global_loop() {
  static const ref<Probe> global = loop(1);
  global->on_finalize = [](Probe&) { std::fprintf(stderr, "finalised;"); };
  global->on_destroy = [](Probe&) { std::fprintf(stderr, "destroyed;"); };
  std::exit(3);
}
[[noreturn]] void exit_with_uncollectables(unsigned flags) {
  make_uncollectable_pair();
  gc::set_debug(flags);
  std::exit(0);
}

TEST_F(RefgcExit, G11_GlobalLoopIsFinalized) {
  EXPECT_EXIT(exit_with_a_global_loop(), testing::ExitedWithCode(3), "^finalised;destroyed;$");
}
TEST_F(RefgcExit, G11_UncollectablesAreTold) {
  EXPECT_EXIT(exit_with_uncollectables(0), testing::ExitedWithCode(0),
              "refgc: 2 uncollectable objects at shutdown");
}
TEST_F(RefgcExit, G11_NotUnderSaveAll) {
  EXPECT_EXIT(exit_with_uncollectables(gc::DEBUG_SAVEALL), testing::ExitedWithCode(0), "^$");
}

// Globals with finalisers that hang on each other, after the thread's own data is gone.
[[noreturn]] void exit_with_global_chain() {
  static ref<Probe> global = probe(0);
  for (int i = 1; i < 100; ++i) {
    link(global, probe(i));  // used once before the end
  }
  global->links.clear();
  for (int i = 1; i < 100; ++i) {
    link(global, probe(i));
  }
  static int finalized;
  for (const ref<Probe>& p : global->links) {
    p->on_finalize = [](Probe&) {
      if (++finalized == 99) {
        std::fprintf(stderr, "all");
      }
    };
  }
  std::exit(0);
}
TEST_F(RefgcExit, G11_GlobalsWithFinalizersHangOnEachOther) {
  EXPECT_EXIT(exit_with_global_chain(), testing::ExitedWithCode(0), "^all$");
}

struct TracedTwice {
  ref<TracedTwice> me;
  REFGC_TRACE(me, me)
};

TEST_F(RefgcExit, G12_CountTooLow) {
  EXPECT_DEATH(
      {
        auto p = make<Plain>();
        p->links.assign(3, p);
        refgc::detail::header_of(p.get())->count -= 2;
        p.reset();
        collect();
      },
      "more references to an object than its count: object 0x[0-9a-f]+ of type "
      "refgc_test::.*Plain, count 1");
}
TEST_F(RefgcExit, G12_TracedTwice) {
  EXPECT_DEATH(
      {
        auto p = make<TracedTwice>();
        p->me = p;
        p.reset();
        collect();
      },
      "more references to an object than its count: object 0x[0-9a-f]+ of type "
      "refgc_test::.*TracedTwice, count 1");
}
TEST_F(RefgcExit, G12_DroppedTwice) {
  EXPECT_DEATH(
      {
        auto p = make<Plain>();
        auto q = ref<Plain>::adopt(p.get());
        p.reset();
        q.reset();
      },
      "refgc: a reference too many was dropped: object 0x[0-9a-f]+");
}

}  // namespace
}  // namespace refgc_test
