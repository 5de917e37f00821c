// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// How the collector finds references inside an object: each type says where they are, once.
//
//   struct Person {
//     std::string name;
//     refgc::ref<Person> parent;
//     std::vector<refgc::ref<Person>> children;
//     REFGC_TRACE(parent, children)
//   };
//
// or, by hand, `template <class V> void trace(V& v) { v("parent", parent); ... }`. A plain
// aggregate of up to 12 members (an array's elements counted each) needs neither. What is forgotten
// here only leaks: a count stays too high. What is visited twice, or is not a reference that was
// counted, is a crime and is seen as a count that is too low. A trace must not change anything.
//
// Standard containers, optional, variant, pair, tuple, array, unique_ptr and refgc::function trace
// what they hold. shared_ptr and std::function are opaque.

#ifndef REFGC_TRACE_H_
#define REFGC_TRACE_H_

#include <array>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "refgc/aggregate.h"
#include "refgc/ref_class.h"

namespace refgc {

template <class T>
class weak_ref;

namespace detail {

class weak_box;

template <class... Ts>
struct type_list {};

// Any V that takes v(name, member).
struct probe_visitor {
  template <class M>
  void operator()(const char*, M&) {}
};

template <class T, class = void>
struct has_trace : std::false_type {};
template <class T>
struct has_trace<T, std::void_t<decltype(std::declval<T&>().trace(std::declval<probe_visitor&>()))>>
    : std::true_type {};

template <class T, class = void>
struct has_member_types : std::false_type {};
template <class T>
struct has_member_types<T, std::void_t<decltype(T::refgc_member_types())>> : std::true_type {};

template <class T, class... Seen>
constexpr bool is_in = (std::is_same_v<T, Seen> || ...);

// Whether a reference in M could lead to a cycle. `Seen` are the types on the way here: coming back
// to one of them is what makes a cycle.
template <class M, class... Seen>
struct may_cycle;

// trace_traits<M>::visit(v, name, m) visits the references in m; elements<> are the types whose
// references they are.
template <class M, class = void>
struct trace_traits {
  using elements = type_list<>;
  template <class V>
  static void visit(V&, const char*, M&) {}
};

template <class V, class M>
void visit_member(V& v, const char* name, M& m) {
  trace_traits<std::remove_const_t<M>>::visit(v, name, const_cast<std::remove_const_t<M>&>(m));
}

template <class T>
struct trace_traits<ref<T>> {
  using elements = type_list<ref<T>>;
  template <class V>
  static void visit(V& v, const char* name, ref<T>& m) {
    v.edge(name, slot_access::of(m), false);
  }
};
template <class T>
struct trace_traits<alias_ref<T>> {
  using elements = type_list<alias_ref<T>>;
  template <class V>
  static void visit(V& v, const char* name, alias_ref<T>& m) {
    v.edge(name, slot_access::of(m), true);
  }
};
template <class T>
struct trace_traits<weak_ref<T>> {
  using elements = type_list<>;
  template <class V>
  static void visit(V& v, const char* name, weak_ref<T>& m) {
    v.weak(name, m.box());
  }
};

// What a type says itself.
template <class T>
struct trace_traits<T, std::enable_if_t<has_trace<T>::value>> {
  using elements = type_list<T>;
  template <class V>
  static void visit(V& v, const char*, T& m) {
    m.trace(v);
  }
};

// Aggregates, member by member.
template <class T>
struct trace_traits<T, std::enable_if_t<!has_trace<T>::value && is_traceable_aggregate_v<T>>> {
  using elements = type_list<T>;
  template <class V>
  static void visit(V& v, const char*, T& m) {
    for_each_field(m, [&](const char* name, auto& field) { v(name, field); });
  }
};

// --- Containers ----------------------------------------------------------------------------------

template <class C, class... Elements>
struct range_traits {
  using elements = type_list<Elements...>;
  template <class V>
  static void visit(V& v, const char* name, C& m) {
    for (auto& element : m) {
      visit_member(v, name, element);
    }
  }
};
template <class A, class B>
struct trace_traits<std::pair<A, B>> {
  using elements = type_list<std::remove_const_t<A>, B>;
  template <class V>
  static void visit(V& v, const char* name, std::pair<A, B>& m) {
    visit_member(v, name, m.first);
    visit_member(v, name, m.second);
  }
};
template <class... Ts>
struct trace_traits<std::tuple<Ts...>> {
  using elements = type_list<Ts...>;
  template <class V>
  static void visit(V& v, const char* name, std::tuple<Ts...>& m) {
    std::apply([&](auto&... parts) { (visit_member(v, name, parts), ...); }, m);
  }
};
template <class... Ts>
struct trace_traits<std::variant<Ts...>> {
  using elements = type_list<Ts...>;
  template <class V>
  static void visit(V& v, const char* name, std::variant<Ts...>& m) {
    if (!m.valueless_by_exception()) {
      std::visit([&](auto& held) { visit_member(v, name, held); }, m);
    }
  }
};
template <class T>
struct trace_traits<std::optional<T>> {
  using elements = type_list<T>;
  template <class V>
  static void visit(V& v, const char* name, std::optional<T>& m) {
    if (m) {
      visit_member(v, name, *m);
    }
  }
};
template <class T, class D>
struct trace_traits<std::unique_ptr<T, D>> {
  using elements = type_list<T>;
  template <class V>
  static void visit(V& v, const char* name, std::unique_ptr<T, D>& m) {
    if (m) {
      visit_member(v, name, *m);
    }
  }
};
template <class T, class D>
struct trace_traits<std::unique_ptr<T[], D>> {  // its length is not known: opaque
  using elements = type_list<>;
  template <class V>
  static void visit(V&, const char*, std::unique_ptr<T[], D>&) {}
};
template <class A>
struct trace_traits<std::vector<bool, A>> {
  using elements = type_list<>;
  template <class V>
  static void visit(V&, const char*, std::vector<bool, A>&) {}
};
template <class T, size_t n>
struct trace_traits<T[n]> : range_traits<T[n], T> {};
template <class T, size_t n>
struct trace_traits<std::array<T, n>> : range_traits<std::array<T, n>, T> {};
template <class T, class A>
struct trace_traits<std::vector<T, A>> : range_traits<std::vector<T, A>, T> {};
template <class T, class A>
struct trace_traits<std::deque<T, A>> : range_traits<std::deque<T, A>, T> {};
template <class T, class A>
struct trace_traits<std::list<T, A>> : range_traits<std::list<T, A>, T> {};
template <class T, class A>
struct trace_traits<std::forward_list<T, A>> : range_traits<std::forward_list<T, A>, T> {};
template <class K, class C, class A>
struct trace_traits<std::set<K, C, A>> : range_traits<std::set<K, C, A>, K> {};
template <class K, class C, class A>
struct trace_traits<std::multiset<K, C, A>> : range_traits<std::multiset<K, C, A>, K> {};
template <class K, class H, class E, class A>
struct trace_traits<std::unordered_set<K, H, E, A>>
    : range_traits<std::unordered_set<K, H, E, A>, K> {};
template <class K, class H, class E, class A>
struct trace_traits<std::unordered_multiset<K, H, E, A>>
    : range_traits<std::unordered_multiset<K, H, E, A>, K> {};
template <class K, class T, class C, class A>
struct trace_traits<std::map<K, T, C, A>> : range_traits<std::map<K, T, C, A>, K, T> {};
template <class K, class T, class C, class A>
struct trace_traits<std::multimap<K, T, C, A>> : range_traits<std::multimap<K, T, C, A>, K, T> {};
template <class K, class T, class H, class E, class A>
struct trace_traits<std::unordered_map<K, T, H, E, A>>
    : range_traits<std::unordered_map<K, T, H, E, A>, K, T> {};
template <class K, class T, class H, class E, class A>
struct trace_traits<std::unordered_multimap<K, T, H, E, A>>
    : range_traits<std::unordered_multimap<K, T, H, E, A>, K, T> {};

// --- Which types are acyclic ---------------------------------------------------------------------

template <class T, class = void>
struct says_acyclic : std::false_type {
  static constexpr bool is_said = false;
};
template <class T>
struct says_acyclic<T, std::void_t<decltype(T::refgc_acyclic)>> {
  static constexpr bool is_said = true;
  static constexpr bool value = T::refgc_acyclic;
};

template <class List, class... Seen>
struct any_may_cycle;
template <class... Ms, class... Seen>
struct any_may_cycle<type_list<Ms...>, Seen...> {
  static constexpr bool value = (may_cycle<std::remove_const_t<Ms>, Seen...>::value || ...);
};

// What an object of type T may lead to. An open hierarchy may lead anywhere.
template <class T, class... Seen>
constexpr bool object_may_cycle() {
  // NOLINTNEXTLINE(bugprone-branch-clone): the first answer counts
  if constexpr (std::is_void_v<T> || is_in<T, Seen...>) {
    return true;
  } else if constexpr (says_acyclic<T>::is_said) {
    return !says_acyclic<T>::value;
  } else if constexpr (std::is_polymorphic_v<T> && !std::is_final_v<T> && sizeof...(Seen) != 0) {
    return true;
  } else if constexpr (has_member_types<T>::value) {
    return any_may_cycle<decltype(T::refgc_member_types()), Seen..., T>::value;
  } else if constexpr (has_trace<T>::value) {
    return true;
  } else if constexpr (is_traceable_aggregate_v<T>) {
    return any_may_cycle<field_types_t<T>, Seen..., T>::value;
  } else {
    return any_may_cycle<typename trace_traits<T>::elements, Seen..., T>::value;
  }
}

template <class M, class... Seen>
struct may_cycle {
  static constexpr bool value = [] {
    if constexpr (has_trace<M>::value || is_traceable_aggregate_v<M>) {
      return object_may_cycle<M, Seen...>();
    } else {
      return any_may_cycle<typename trace_traits<M>::elements, Seen...>::value;
    }
  }();
};
template <class T, class... Seen>
struct may_cycle<ref<T>, Seen...> {
  static constexpr bool value = object_may_cycle<std::remove_const_t<T>, Seen...>();
};
template <class T, class... Seen>
struct may_cycle<alias_ref<T>, Seen...> : std::true_type {};

}  // namespace detail

// Whether no reference in a T can lead back to it; such objects are never tracked. Found from what
// the type traces; say `static constexpr bool refgc_acyclic = true;` (or false) in the type where
// you know better. Said wrongly, cycles leak; nothing worse.
template <class T>
constexpr bool is_acyclic_v = !detail::object_may_cycle<T>();

}  // namespace refgc

// --- The macros ----------------------------------------------------------------------------------

#define REFGC_EXPAND(x) x
#define REFGC_NTH(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, n, ...) n
#define REFGC_EACH_1(f, a) f(a)
#define REFGC_EACH_2(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_1(f, __VA_ARGS__))
#define REFGC_EACH_3(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_2(f, __VA_ARGS__))
#define REFGC_EACH_4(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_3(f, __VA_ARGS__))
#define REFGC_EACH_5(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_4(f, __VA_ARGS__))
#define REFGC_EACH_6(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_5(f, __VA_ARGS__))
#define REFGC_EACH_7(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_6(f, __VA_ARGS__))
#define REFGC_EACH_8(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_7(f, __VA_ARGS__))
#define REFGC_EACH_9(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_8(f, __VA_ARGS__))
#define REFGC_EACH_10(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_9(f, __VA_ARGS__))
#define REFGC_EACH_11(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_10(f, __VA_ARGS__))
#define REFGC_EACH_12(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_11(f, __VA_ARGS__))
#define REFGC_EACH_13(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_12(f, __VA_ARGS__))
#define REFGC_EACH_14(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_13(f, __VA_ARGS__))
#define REFGC_EACH_15(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_14(f, __VA_ARGS__))
#define REFGC_EACH_16(f, a, ...) f(a) REFGC_EXPAND(REFGC_EACH_15(f, __VA_ARGS__))
#define REFGC_EACH(f, ...)                                                                        \
  REFGC_EXPAND(REFGC_NTH(__VA_ARGS__, REFGC_EACH_16, REFGC_EACH_15, REFGC_EACH_14, REFGC_EACH_13, \
                         REFGC_EACH_12, REFGC_EACH_11, REFGC_EACH_10, REFGC_EACH_9, REFGC_EACH_8, \
                         REFGC_EACH_7, REFGC_EACH_6, REFGC_EACH_5, REFGC_EACH_4, REFGC_EACH_3,    \
                         REFGC_EACH_2, REFGC_EACH_1, )(f, __VA_ARGS__))
#define REFGC_VISIT_ONE(member) refgc_visitor(#member, member);
#define REFGC_TYPE_ONE(member) , decltype(member)

// Names the members that hold references, 1 to 16 of them, after their declarations and where it is
// public.
// (The types come before the function's name: behind it clang 14 looks for a `this`.)
#define REFGC_TRACE(...)                                                           \
  template <class RefgcVisitor>                                                    \
  void trace(RefgcVisitor& refgc_visitor) {                                        \
    REFGC_EACH(REFGC_VISIT_ONE, __VA_ARGS__)                                       \
  }                                                                                \
  static ::refgc::detail::drop_first<void REFGC_EACH(REFGC_TYPE_ONE, __VA_ARGS__)> \
  refgc_member_types();

// The same in a class derived from `base`, which traces itself.
#define REFGC_TRACE_BASE(base, ...)                                                      \
  template <class RefgcVisitor>                                                          \
  void trace(RefgcVisitor& refgc_visitor) {                                              \
    base::trace(refgc_visitor);                                                          \
    REFGC_EACH(REFGC_VISIT_ONE, __VA_ARGS__)                                             \
  }                                                                                      \
  static ::refgc::detail::drop_first<void, base REFGC_EACH(REFGC_TYPE_ONE, __VA_ARGS__)> \
  refgc_member_types();

namespace refgc::detail {
template <class First, class... Rest>
struct drop_first_of {
  using type = type_list<Rest...>;
};
template <class... Ts>
using drop_first = typename drop_first_of<Ts...>::type;
}  // namespace refgc::detail

#endif  // REFGC_TRACE_H_
