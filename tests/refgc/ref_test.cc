// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// ref, alias_ref, shared_ref and make; strings and integers.

#include "refgc/ref.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_set>

#include "tests/refgc/objects.h"

namespace refgc_test {
namespace {

class RefgcRef : public QuietHeap {};

TEST_F(RefgcRef, CopiesCountAndMovesDoNot) {
  auto p = probe(1);
  EXPECT_EQ(p.use_count(), 1u);
  ref<Probe> copy = p;
  EXPECT_EQ(p.use_count(), 2u);
  ref<Probe> moved = std::move(copy);
  EXPECT_EQ(copy, nullptr);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(p.use_count(), 2u);
  copy = moved;
  EXPECT_EQ(p.use_count(), 3u);
  moved = std::move(copy);
  EXPECT_EQ(p.use_count(), 2u);
  ref<Probe>& self = moved;
  moved = self;
  EXPECT_EQ(p.use_count(), 2u);
  moved = std::move(self);
  EXPECT_EQ(p.use_count(), 2u) << "a move into itself keeps it";
  moved = nullptr;
  EXPECT_EQ(p.use_count(), 1u);
  EXPECT_EQ(moved.use_count(), 0u);
}

TEST_F(RefgcRef, TheLastOneDestroysAtOnce) {
  const int destroyed = Probe::destroyed;
  auto p = probe(1);
  auto q = p;
  p.reset();
  EXPECT_EQ(Probe::destroyed, destroyed);
  q = probe(2);
  EXPECT_EQ(Probe::destroyed, destroyed + 1);
  q.reset();
  EXPECT_EQ(Probe::destroyed, destroyed + 2);
}

// The object that an assignment destroys may own the slot that is assigned to.
TEST_F(RefgcRef, AssignmentThatDestroysItsOwner) {
  auto list = probe(1);
  link(list, probe(2));
  link(list->links[0], probe(3));
  list = list->links[0];
  EXPECT_EQ(list->id, 2);
  list = std::move(list->links[0]);
  EXPECT_EQ(list->id, 3);
}

TEST_F(RefgcRef, Borrowing) {
  const auto p = probe(5);
  const auto id_of = [](const Probe& one) { return one.id; };
  EXPECT_EQ(id_of(p), 5);
  EXPECT_EQ((*p).id, 5);
  EXPECT_EQ(refgc::ref_from_this(p.get()).use_count(), 2u);
  Probe* const raw = ref<Probe>(p).release();
  EXPECT_EQ(p.use_count(), 2u);
  EXPECT_EQ(ref<Probe>::adopt(raw), p);
  EXPECT_EQ(p.use_count(), 1u);
}

struct Animal {
  virtual ~Animal() = default;
  virtual int legs() const { return 0; }
};
struct Tail {
  virtual ~Tail() = default;
  int length = 3;
};
struct Dog : Animal, Tail {
  static inline int live = 0;
  Dog() { ++live; }
  ~Dog() override { --live; }
  int legs() const override { return 4; }
};

TEST_F(RefgcRef, Upcasts) {
  ref<Dog> dog = make<Dog>();
  ref<Animal> animal = dog;
  EXPECT_EQ(animal->legs(), 4);
  EXPECT_EQ(dog.use_count(), 2u);
  ref<const Animal> of_const = animal;
  ref<void> any = of_const;
  EXPECT_EQ(dog.use_count(), 4u);
  EXPECT_EQ(any, dog);
  EXPECT_EQ(refgc::dynamic_ref_cast<Dog>(animal), dog);
  EXPECT_EQ(refgc::static_ref_cast<Dog>(any), dog);
  EXPECT_EQ(refgc::dynamic_ref_cast<Dog>(ref<Animal>(make<Animal>())), nullptr);
  EXPECT_THAT(refgc::type_name(any), testing::EndsWith("::Dog"));
  any = of_const = nullptr;
  dog.reset();
  EXPECT_EQ(Dog::live, 1);
  ref<void> moved = std::move(animal);
  EXPECT_EQ(Dog::live, 1);
  moved.reset();
  EXPECT_EQ(Dog::live, 0);
}

TEST_F(RefgcRef, ABaseThatIsNotTheFirstTakesAnAlias) {
  ref<Dog> dog = make<Dog>();
  refgc::alias_ref<Tail> tail = dog;
  EXPECT_EQ(dog.use_count(), 2u);
  dog.reset();
  EXPECT_EQ(tail->length, 3);
  EXPECT_EQ(Dog::live, 1);
  tail = nullptr;
  EXPECT_EQ(Dog::live, 0);
  EXPECT_DEATH(ref<Tail>(make<Dog>()), "use alias_ref");
  EXPECT_DEATH(refgc::dynamic_ref_cast<Tail>(make<Dog>()), "use alias_ref");
}

TEST_F(RefgcRef, AliasesOfMembers) {
  auto p = probe(42);
  refgc::alias_ref<int> id(p, &Probe::id);
  refgc::alias_ref<int> copy = id;
  refgc::alias_ref<int> moved = std::move(copy);
  EXPECT_EQ(p.use_count(), 3u);
  EXPECT_EQ(id.use_count(), 3u);
  const int live = Probe::live();
  p.reset();
  id = nullptr;
  EXPECT_EQ(*moved, 42);
  moved = refgc::alias_ref<int>();
  EXPECT_EQ(Probe::live(), live - 1);
  EXPECT_FALSE(refgc::alias_ref<int>(ref<Probe>(), &Probe::id));
}

TEST_F(RefgcRef, InContainers) {
  const int live = Probe::live();
  std::vector<ref<Probe>> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(probe(i));
  }
  std::vector<ref<Probe>> copies = all;
  std::sort(copies.begin(), copies.end());
  std::reverse(copies.begin(), copies.end());
  EXPECT_EQ(std::set<ref<Probe>>(all.begin(), all.end()).size(), 100u);
  std::unordered_set<ref<Probe>> hashed(copies.begin(), copies.end());
  EXPECT_EQ(hashed.count(all[7]), 1u);
  hashed.erase(all[7]);
  EXPECT_EQ(all[7].use_count(), 2u);
  copies.erase(copies.begin() + 10, copies.end());
  all.clear();
  hashed.clear();
  EXPECT_EQ(Probe::live(), live + 10);
  std::map<ref<Probe>, int> keys;
  keys[copies[0]] = 1;
  EXPECT_EQ(keys.at(copies[0]), 1);
}

TEST_F(RefgcRef, Comparisons) {
  const auto a = probe(1);
  const ref<Probe> same = a;
  const ref<void> any = a;
  const auto b = probe(1);
  EXPECT_TRUE(a == same && a == any && a != b);
  EXPECT_TRUE(a != nullptr && ref<Probe>() == nullptr && !ref<Probe>());
  EXPECT_NE(a < b, b < a);
  EXPECT_EQ(std::hash<ref<Probe>>()(a), std::hash<ref<void>>()(any));
}

struct Throwing {
  explicit Throwing(int when) : first(probe(1)), second(probe(2)) {
    if (when == 1) {
      throw std::runtime_error("in the constructor");
    }
  }
  ref<Probe> first;
  ref<Probe> second;
  ref<Throwing> me;
  REFGC_TRACE(first, second, me)
};

TEST_F(RefgcRef, AConstructorThatThrows) {
  const int live = Probe::live();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_THROW(make<Throwing>(1), std::runtime_error);
  }
  EXPECT_EQ(Probe::live(), live);
  EXPECT_EQ(make<Throwing>(0)->second->id, 2);
  EXPECT_EQ(Probe::live(), live);
}

struct Building {
  std::vector<ref<Building>> children;
  ref<Building> parent;
  explicit Building(int depth) {
    for (int i = 0; i < 3 && depth > 0; ++i) {
      children.push_back(make<Building>(depth - 1));
      children.back()->parent = refgc::ref_from_this(this);
      collect(i % 3);
    }
  }
  REFGC_TRACE(children, parent)
};

// Collections see objects whose constructors have not returned.
TEST_F(RefgcRef, CollectionsInAConstructor) {
  auto top = make<Building>(4);
  EXPECT_EQ(collect(), 0u);
  EXPECT_EQ(top->children[2]->children[2]->children[2]->parent->parent->parent, top);
  top.reset();
  EXPECT_EQ(collect(), 121u);
}

struct alignas(16) Aligned {
  ref<Aligned> next;
  char more[40] = {};
  REFGC_TRACE(next)
};
struct Large {
  std::array<ref<Large>, 3> links;
  char bytes[40 * 1024] = {};
  ~Large() { EXPECT_EQ(bytes[1234], 0); }
  REFGC_TRACE(links)
};
struct Middle {
  ref<Middle> next;
  char bytes[5000] = {};
  REFGC_TRACE(next)
};

template <class T, class Next>
void expect_rings_are_found(size_t count, Next next) {
  auto first = make<T>();
  ref<T> last = first;
  for (size_t i = 1; i < count; ++i) {
    auto one = make<T>();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(one.get()) % alignof(T), 0u);
    next(*last) = one;
    last = std::move(one);
  }
  next(*last) = first;
  EXPECT_EQ(collect(), 0u);
  last.reset();
  first.reset();
  EXPECT_EQ(collect(), count);
  EXPECT_EQ(collect(), 0u);
}

TEST_F(RefgcRef, AlignedMiddleAndLarge) {
  expect_rings_are_found<Aligned>(
      1000, [](Aligned & a) -> auto& { return a.next; });
  expect_rings_are_found<Middle>(
      300, [](Middle & m) -> auto& { return m.next; });
  expect_rings_are_found<Large>(
      100, [](Large & l) -> auto& { return l.links[1]; });
}

TEST_F(RefgcRef, LargeObjects) {
  auto large = make<Large>();
  const refgc::alias_ref<char[40 * 1024]> bytes(large, &Large::bytes);
  EXPECT_EQ(large.use_count(), 2u);
  const weak_ref<Large> weak = large;
  large.reset();
  EXPECT_FALSE(weak.expired());
  EXPECT_EQ((*bytes)[40 * 1024 - 1], 0);
}

TEST_F(RefgcRef, SharedRef) {
  auto shared = refgc::make_shared_ref<std::string>("shared among threads");
  EXPECT_EQ(shared.use_count(), 1u);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([shared] {
      for (int k = 0; k < 10000; ++k) {
        const refgc::shared_ref<std::string> mine = shared;
        EXPECT_EQ(mine->size(), 20u);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  threads.clear();
  EXPECT_EQ(shared.use_count(), 1u);
  refgc::shared_ref<std::string> moved = std::move(shared);
  EXPECT_FALSE(shared);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(*moved, "shared among threads");
  moved = nullptr;
  EXPECT_EQ(moved.get(), nullptr);
}

TEST_F(RefgcRef, Strings) {
  using refgc::make_str;
  EXPECT_EQ(make_str("").get(), make_str(std::string_view()).get());
  EXPECT_EQ(make_str(std::string_view("x")).get(), make_str("x").get());
  const std::string text = "identifier_1";
  const auto made = make_str(std::string_view(text));
  const auto literal = make_str("identifier_1");
  EXPECT_EQ(literal.get(), make_str("identifier_1").get());
  EXPECT_NE(made.get(), literal.get());
  EXPECT_EQ(made, literal);
  EXPECT_EQ(refgc::intern(made).get(), literal.get());
  EXPECT_EQ(made->hash(), literal->hash());
  EXPECT_NE(make_str("no identifier").get(), make_str("no identifier").get());
  const auto kept = refgc::intern("no identifier");
  EXPECT_EQ(refgc::intern("no identifier").get(), kept.get());
  EXPECT_STREQ(kept->c_str(), "no identifier");
  const std::string much(100000, 'x');
  EXPECT_EQ(make_str(std::string_view(much))->view(), much);
  EXPECT_EQ(refgc::intern(much), make_str(std::string_view(much)));
}

// An interned string waits for its end behind another object's destructor, which asks for it.
struct Interning {
  ref<refgc::str> name = refgc::intern("a name to be asked for");
  ref<Interning> other;
  REFGC_TRACE(name, other)
  ~Interning() {
    name.reset();
    const auto again = refgc::intern("a name to be asked for");
    EXPECT_EQ(again->view(), "a name to be asked for");
  }
};
TEST_F(RefgcRef, InterningInADestructor) {
  make<Interning>();
  auto i = make<Interning>();
  i->other = make<Interning>();
  const weak_ref<refgc::str> weak = i->name;
  i.reset();
  EXPECT_TRUE(weak.expired());
}

TEST_F(RefgcRef, Integers) {
  using refgc::make_integer;
  for (const int64_t i : {-5, 0, 1, 256}) {
    EXPECT_EQ(make_integer(i).get(), make_integer(i).get());
    EXPECT_EQ(make_integer(i).use_count(), refgc::detail::kImmortalCount);
    EXPECT_EQ(*make_integer(i), i);
  }
  EXPECT_NE(make_integer(257).get(), make_integer(257).get());
  EXPECT_EQ(make_integer(257), make_integer(257));
  EXPECT_NE(make_integer(-6), make_integer(-7));
  std::unordered_set<ref<refgc::integer>> all = {make_integer(1000), make_integer(1000)};
  EXPECT_EQ(all.size(), 1u);
  std::thread([] { EXPECT_EQ(make_integer(7)->value(), 7); }).join();
}

}  // namespace
}  // namespace refgc_test
