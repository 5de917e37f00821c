// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Which members are found: adapters for the standard containers, aggregates, and what is acyclic.

#include <array>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include "tests/refgc/objects.h"

namespace refgc_test {
namespace {

class RefgcTrace : public QuietHeap {};

// Has one container that refers back to its object: garbage only if the adapter works.
template <class C>
struct Holder {
  C held;
  REFGC_TRACE(held)
};
template <template <class> class C>
struct Cyclic {
  C<ref<Cyclic>> held;
  REFGC_TRACE(held)
};

template <template <class> class C, class Fill>
void expect_found(Fill fill, uint32_t references) {
  auto c = make<Cyclic<C>>();
  fill(c->held, c);
  EXPECT_EQ(c.use_count(), references + 1);
  EXPECT_EQ(collect(), 0u);
  EXPECT_EQ(c.use_count(), references + 1);
  c.reset();
  EXPECT_EQ(collect(), 1u);
}

template <class R>
using Vector = std::vector<R>;
template <class R>
using Deque = std::deque<R>;
template <class R>
using List = std::list<R>;
template <class R>
using ForwardList = std::forward_list<R>;
template <class R>
using Array = std::array<R, 2>;
template <class R>
using Optional = std::optional<R>;
template <class R>
using Unique = std::unique_ptr<R>;
template <class R>
using Pair = std::pair<R, int>;
template <class R>
using Tuple = std::tuple<int, R, R>;
template <class R>
using Variant = std::variant<int, R, std::string>;

TEST_F(RefgcTrace, Sequences) {
  const auto push_back = [](auto& held, auto& me) { held = {me, me}; };
  expect_found<Vector>(push_back, 2);
  expect_found<Deque>(push_back, 2);
  expect_found<List>(push_back, 2);
  expect_found<ForwardList>(push_back, 2);
  expect_found<Array>([](auto& held, auto& me) { held[0] = held[1] = me; }, 2);
}

TEST_F(RefgcTrace, OnesAndFews) {
  const auto assign = [](auto& held, auto& me) { held = me; };
  expect_found<Optional>(assign, 1);
  expect_found<Variant>(assign, 1);
  expect_found<Unique>(
      [](auto& held, auto& me) { held = std::make_unique<std::decay_t<decltype(*held)>>(me); }, 1);
  expect_found<Pair>([](auto& held, auto& me) { held.first = me; }, 1);
  expect_found<Tuple>([](auto& held, auto& me) { std::get<1>(held) = std::get<2>(held) = me; }, 2);
}

template <class R>
using Set = std::set<R>;
template <class R>
using Multiset = std::multiset<R>;
template <class R>
using UnorderedSet = std::unordered_set<R>;
template <class R>
using UnorderedMultiset = std::unordered_multiset<R>;
template <class R>
using Map = std::map<std::string, R>;
template <class R>
using KeyMap = std::map<R, R>;
template <class R>
using Multimap = std::multimap<int, R>;
template <class R>
using UnorderedMap = std::unordered_map<int, R>;
template <class R>
using UnorderedMultimap = std::unordered_multimap<R, std::string>;

TEST_F(RefgcTrace, Associative) {
  const auto insert = [](auto& held, auto& me) {
    held.insert(me);
    held.insert(me);
  };
  expect_found<Set>(insert, 1);
  expect_found<Multiset>(insert, 2);
  expect_found<UnorderedSet>(insert, 1);
  expect_found<UnorderedMultiset>(insert, 2);
  expect_found<Map>([](auto& held, auto& me) { held["a"] = held["b"] = me; }, 2);
  expect_found<KeyMap>([](auto& held, auto& me) { held[me] = me; }, 2);
  const auto emplace = [](auto& held, auto& me) { held.emplace(1, me), held.emplace(1, me); };
  expect_found<Multimap>(emplace, 2);
  expect_found<UnorderedMap>(emplace, 1);
  expect_found<UnorderedMultimap>([](auto& held, auto& me) { held.emplace(me, "x"); }, 1);
}

template <class R>
using Deep = std::map<int, std::vector<std::optional<std::pair<R, std::unique_ptr<R>>>>>;

TEST_F(RefgcTrace, Nested) {
  expect_found<Deep>(
      [](auto& held, auto& me) {
        held[1].resize(3);
        held[1][2].emplace(me, std::make_unique<std::decay_t<decltype(me)>>(me));
      },
      2);
}

struct Refs {
  ref<Refs> array[3];
  ref<const Refs> of_const;
  refgc::alias_ref<int> part;
  int number = 0;
  REFGC_TRACE(array, of_const, part)
};

TEST_F(RefgcTrace, ArraysConstAndParts) {
  auto r = make<Refs>();
  r->array[1] = r->array[2] = r;
  r->of_const = r;
  r->part = refgc::alias_ref<int>(r, &Refs::number);
  EXPECT_EQ(r.use_count(), 5u);
  r.reset();
  EXPECT_EQ(collect(), 1u);
}

// Aggregates need no macro, nor do aggregates in aggregates.
struct Inner {
  int weight = 0;
  std::vector<ref<struct Aggregate>> edges;
};
struct Aggregate {
  std::string name;
  Inner inner;
  ref<Aggregate> next;
  std::array<ref<Aggregate>, 2> pair;
};

TEST_F(RefgcTrace, Aggregates) {
  auto a = make<Aggregate>();
  a->inner.edges = {a, a};
  a->next = a;
  a->pair[1] = a;
  EXPECT_EQ(a.use_count(), 5u);
  EXPECT_EQ(collect(), 0u);
  a.reset();
  EXPECT_EQ(collect(), 1u);
}

struct ByHand {
  ByHand() = default;
  template <class V>
  void trace(V& v) {
    if (is_used) {
      v("other", other);
    }
  }
  bool is_used = true;
  ref<ByHand> other;
};

TEST_F(RefgcTrace, ByHandAndForgotten) {
  auto a = make<ByHand>();
  a->other = a;
  ByHand* const at = a.get();
  at->is_used = false;
  a.reset();
  EXPECT_EQ(collect(), 0u) << "what is forgotten leaks, and nothing worse";
  at->is_used = true;
  EXPECT_EQ(collect(), 1u);
}

struct Sixteen {
  ref<Sixteen> a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p;
  REFGC_TRACE(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
};
TEST_F(RefgcTrace, SixteenMembers) {
  auto s = make<Sixteen>();
  s->a = s->h = s->p = s;
  s.reset();
  EXPECT_EQ(collect(), 1u);
}

struct Called {
  refgc::function<int(int)> f;
  REFGC_TRACE(f)
};
TEST_F(RefgcTrace, FunctionsBound) {
  auto c = make<Called>();
  c->f = [](int i) { return i + 1; };
  EXPECT_EQ(c->f(1), 2);
  c->f = refgc::bind([](ref<Called>& me, std::vector<ref<Called>>& more,
                        int i) { return static_cast<int>(me.use_count() + more.size()) + i; },
                     c, std::vector<ref<Called>>{c, c});
  EXPECT_EQ(c.use_count(), 4u);
  EXPECT_EQ(c->f(100), 106);
  {
    const auto copy = c->f;
    EXPECT_EQ(c.use_count(), 7u);
    EXPECT_EQ(copy(0), 9);
  }
  EXPECT_EQ(collect(), 0u);
  c.reset();
  EXPECT_EQ(collect(), 1u);
  EXPECT_THROW(refgc::function<void()>()(), std::bad_function_call);
}

// --- What is acyclic is known to the compiler ----------------------------------------------------

using refgc::is_acyclic_v;

struct Empty {};
struct Numbers {
  int a;
  double b;
  std::string c;
  std::vector<std::string> d;
};
struct ToLeaf {
  ref<Numbers> one;
  std::vector<ref<refgc::str>> more;
};
struct ToToLeaf {
  std::map<int, ref<ToLeaf>> held;
  REFGC_TRACE(held)
};
struct Recursive {
  ref<Recursive> next;
};
struct Second;
struct First {
  std::vector<ref<Second>> seconds;
  REFGC_TRACE(seconds)
};
struct Second {
  ref<First> first;
  REFGC_TRACE(first)
};
struct Open {
  virtual ~Open() = default;
};
struct ToOpen {
  ref<Open> open;
};
struct Closed final {
  virtual ~Closed() = default;
};
struct ToClosed {
  ref<Closed> closed;
};
struct ToAnything {
  ref<void> anything;
};
struct Weakly {
  weak_ref<Weakly> parent;
};
struct Tree {
  static constexpr bool refgc_acyclic = true;
  std::vector<ref<Tree>> children;
  REFGC_TRACE(children)
};
struct Said {
  static constexpr bool refgc_acyclic = false;
  int nothing;
};
struct Calls {
  refgc::function<void()> f;
  REFGC_TRACE(f)
};
struct OpaqueOnes {
  std::shared_ptr<ref<OpaqueOnes>> a;
  std::function<void()> b;
  ref<OpaqueOnes>* c;
};
struct Parts {
  refgc::alias_ref<int> part;
};

static_assert(is_acyclic_v<int> && is_acyclic_v<std::string> && is_acyclic_v<Empty>);
static_assert(is_acyclic_v<Numbers> && is_acyclic_v<ToLeaf> && is_acyclic_v<ToToLeaf>);
static_assert(is_acyclic_v<refgc::str> && is_acyclic_v<refgc::integer>);
static_assert(is_acyclic_v<std::vector<ref<Numbers>>>);
static_assert(!is_acyclic_v<Recursive> && !is_acyclic_v<First> && !is_acyclic_v<Second>);
static_assert(is_acyclic_v<Open> && !is_acyclic_v<ToOpen> && is_acyclic_v<ToClosed>);
static_assert(!is_acyclic_v<ToAnything> && is_acyclic_v<Weakly>);
static_assert(is_acyclic_v<Tree> && !is_acyclic_v<Said> && !is_acyclic_v<Calls>);
static_assert(is_acyclic_v<OpaqueOnes> && !is_acyclic_v<Parts>);
static_assert(!is_acyclic_v<Aggregate> && !is_acyclic_v<Holder<ref<Recursive>>>);

TEST_F(RefgcTrace, AcyclicObjectsAreNotTracked) {
  const size_t before = gc::get_objects().size();
  const auto tree = make<Tree>();
  tree->children = {make<Tree>(), make<Tree>()};
  const auto to = make<ToLeaf>();
  to->one = make<Numbers>();
  EXPECT_EQ(gc::get_objects().size(), before);
  EXPECT_EQ(to->one->d.size(), 0u);
}

}  // namespace
}  // namespace refgc_test
