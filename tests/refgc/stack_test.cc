// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// No recursion, and the limits: deep structures on small stacks, counts that saturate, types from
// libraries that are gone.

#include <dlfcn.h>
#include <pthread.h>

#include <string>

#include "tests/refgc/objects.h"

namespace refgc_test {
namespace {

class RefgcStack : public QuietHeap {};

// CPython's test_trashcan: three structures nested 150 deep, collected again and again on the way
// of their destruction.
struct Nested {
  static inline int finalized = 0;
  static inline int live = 0;
  std::vector<ref<Nested>> inner;
  Nested() { ++live; }
  ~Nested() { --live; }
  void finalize() {
    if (++finalized % 17 == 0) {
      collect();
    }
  }
  REFGC_TRACE(inner)
};

TEST_F(RefgcStack, S1_NestedThatCollect) {
  Nested::finalized = 0;
  constexpr int kDepth = 150;
  for (int round = 0; round < 20; ++round) {
    ref<Nested> all[3];
    for (ref<Nested>& one : all) {
      one = make<Nested>();
      for (int i = 1; i < kDepth; ++i) {
        auto outer = make<Nested>();
        outer->inner.push_back(std::move(one));
        one = std::move(outer);
      }
    }
    ref<Nested> together = make<Nested>();
    for (ref<Nested>& one : all) {
      together->inner.push_back(std::move(one));
    }
    together.reset();
    EXPECT_EQ(Nested::finalized, (round + 1) * (3 * kDepth + 1));
    EXPECT_EQ(Nested::live, 0);
  }
}

struct Item {
  ref<Item> next;
  REFGC_TRACE(next)
};
// With a destructor, and with a finaliser: other ways through the end of counts.
struct Heavy {
  static inline int64_t live = 0;
  ref<Heavy> next;
  Heavy() { ++live; }
  ~Heavy() { --live; }
  REFGC_TRACE(next)
};
struct Final {
  static inline int64_t finalized = 0;
  ref<Final> next;
  void finalize() { ++finalized; }
  REFGC_TRACE(next)
};

void run_on_small_stack(void* (*f)(void*)) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 64 * 1024), 0);
  pthread_t thread;
  ASSERT_EQ(pthread_create(&thread, &attributes, f, nullptr), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

constexpr int kLong = 10'000'000;

template <class T>
ref<T> make_list(int length, ref<T> end) {
  for (int i = 0; i < length; ++i) {
    auto item = make<T>();
    item->next = std::move(end);
    end = std::move(item);
  }
  return end;
}

TEST_F(RefgcStack, S1_ListOfTenMillion) {
  run_on_small_stack([](void*) -> void* {
    gc::disable();
    make_list<Item>(kLong, nullptr);
    EXPECT_THAT(gc::get_objects(), testing::IsEmpty());
    return nullptr;
  });
}
TEST_F(RefgcStack, S1_ListsOfAMillionWithDestructorsAndFinalizers) {
  run_on_small_stack([](void*) -> void* {
    make_list<Heavy>(kLong / 10, nullptr);
    EXPECT_EQ(Heavy::live, 0);
    make_list<Final>(kLong / 10, nullptr);
    EXPECT_EQ(Final::finalized, kLong / 10);
    return nullptr;
  });
}
TEST_F(RefgcStack, S1_RingOfTenMillion) {
  run_on_small_stack([](void*) -> void* {
    gc::disable();
    auto first = make<Item>();
    first->next = make_list(kLong - 1, first);
    EXPECT_EQ(collect(), 0u);
    first.reset();
    EXPECT_EQ(collect(), static_cast<size_t>(kLong));
    return nullptr;
  });
}
// The same by the closure of candidates and by the young generations.
TEST_F(RefgcStack, S1_RingsOfAMillionByYoungAndByAutomaticCollections) {
  run_on_small_stack([](void*) -> void* {
    gc::set_threshold(1'000'000'000);
    auto first = make<Final>();
    first->next = make_list(kLong / 10 - 1, first);
    first.reset();
    EXPECT_EQ(collect(0), static_cast<size_t>(kLong / 10));
    auto second = make<Item>();
    second->next = make_list(9'000, second);
    second.reset();
    gc::set_threshold(1);
    const ref<Item> some[3] = {make<Item>(), make<Item>(), make<Item>()};
    EXPECT_LE(gc::get_objects().size(), 3u);
    return nullptr;
  });
}

TEST_F(RefgcStack, S4_CountsSaturate) {
  auto p = make<Plain>();
  Plain* const at = p.get();
  refgc::detail::object_header* header = refgc::detail::header_of(at);
  header->count = refgc::detail::kImmortalCount - 2;
  {
    const ref<Plain> one = p;
    EXPECT_EQ(p.use_count(), refgc::detail::kImmortalCount - 1);
    const ref<Plain> two = one;
    EXPECT_EQ(p.use_count(), refgc::detail::kImmortalCount);
    const ref<Plain> three = two;
    EXPECT_EQ(p.use_count(), refgc::detail::kImmortalCount);
  }
  EXPECT_EQ(p.use_count(), refgc::detail::kImmortalCount) << "stays";
  at->links.push_back(p);
  p.reset();
  EXPECT_EQ(collect(), 0u);
  EXPECT_EQ(at->links.size(), 1u);
  header->count = 1;  // for the sake of those who look for leaks
  EXPECT_EQ(collect(), 1u);
}

TEST_F(RefgcStack, S4_Immortal) {
  auto p = probe(1);
  refgc::make_immortal(p);
  const weak_ref<Probe> weak = p;
  Probe* const at = p.get();
  p.reset();
  EXPECT_EQ(collect(), 0u);
  EXPECT_EQ(weak.lock().get(), at);
  refgc::detail::header_of(at)->count = 1;
  ref<Probe>::adopt(at).reset();
  EXPECT_TRUE(weak.expired());
}

TEST_F(RefgcStack, S5_TheTypesLibraryGoesRightAfterItsInstance) {
  for (int round = 0; round < 5; ++round) {
    void* library = dlopen(REFGC_TEST_MODULE, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
    auto* run = reinterpret_cast<int (*)()>(dlsym(library, "make_and_drop"));
    auto* keep = reinterpret_cast<void (*)(ref<void>*)>(dlsym(library, "make_one"));
    ASSERT_TRUE(run != nullptr && keep != nullptr);
    EXPECT_EQ(run(), 3) << "a pair of garbage, and one that is finalised";
    ref<void> last;
    keep(&last);
    EXPECT_THAT(refgc::type_name(last), testing::HasSubstr("Foreign"));
    last.reset();
    ASSERT_EQ(dlclose(library), 0);
    EXPECT_EQ(dlopen(REFGC_TEST_MODULE, RTLD_NOW | RTLD_NOLOAD), nullptr) << "it did not go";
    EXPECT_EQ(collect(), 0u);
    loop(1);
    EXPECT_EQ(collect(), 1u);
    for (const ref<void>& object : gc::get_objects()) {
      EXPECT_FALSE(refgc::type_name(object).empty());
    }
  }
}

}  // namespace
}  // namespace refgc_test
