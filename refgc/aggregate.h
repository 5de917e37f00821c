// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The members of a plain aggregate, without its help: how many there are is found by trying braces
// (the idea is Antony Polukhin's, Boost.PFR), and structured bindings name them.
//
// Not for aggregates with bases, nor for more than 12 members, an array's elements counted each:
// those say REFGC_TRACE, or are taken to hold no references.

#ifndef REFGC_AGGREGATE_H_
#define REFGC_AGGREGATE_H_

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace refgc::detail {

template <class... Ts>
struct type_list;

struct any_value {
  template <class T>
  operator T() const noexcept {  // NOLINT: never called
    __builtin_unreachable();
  }
};
template <class D>
struct any_base_of {
  template <class B, class = std::enable_if_t<std::is_base_of_v<B, D> && !std::is_same_v<B, D>>>
  operator B() const noexcept;  // NOLINT: never defined
};

template <class T, size_t>
using value_for = any_value;

template <class T, class Sequence, class = void>
struct takes_values : std::false_type {};
template <class T, size_t... i>
struct takes_values<T, std::index_sequence<i...>,
                    std::void_t<decltype(T{std::declval<value_for<T, i>>()...})>> : std::true_type {
};

template <class T, class = void>
struct has_base : std::false_type {};
template <class T>
struct has_base<T, std::void_t<decltype(T{std::declval<any_base_of<T>>()})>> : std::true_type {};

// array and its like say themselves how they are taken apart.
template <class T, class = void>
struct is_tuple_like : std::false_type {};
template <class T>
struct is_tuple_like<T, std::void_t<decltype(std::tuple_size<T>::value)>> : std::true_type {};

constexpr size_t kFieldsMax = 12;

// How many initialisers T takes; an array's elements count each.
template <class T, size_t n = kFieldsMax + 1>
constexpr size_t count_values() {
  if constexpr (n == 0) {
    return 0;
  } else if constexpr (takes_values<T, std::make_index_sequence<n>>::value) {
    return n;
  } else {
    return count_values<T, n - 1>();
  }
}

// T{before..., {inner...}, after...}
template <class T, class Before, class Inner, class After, class = void>
struct takes_braces : std::false_type {};
template <class T, size_t... b, size_t... i, size_t... a>
struct takes_braces<T, std::index_sequence<b...>, std::index_sequence<i...>,
                    std::index_sequence<a...>,
                    std::void_t<decltype(T{std::declval<value_for<T, b>>()...,
                                           {std::declval<value_for<T, i>>()...},
                                           std::declval<value_for<T, a>>()...})>> : std::true_type {
};
template <class T, size_t before, size_t inner, size_t after>
constexpr bool takes_braces_v =
    takes_braces<T, std::make_index_sequence<before>, std::make_index_sequence<inner>,
                 std::make_index_sequence<after>>::value;

// How many initialisers the member takes whose first one is number `at`: more than one only for an
// array. A member that merely takes braces leaves all others room.
template <class T, size_t n, size_t at, size_t k = n - at>
constexpr size_t count_elements() {
  if constexpr (k < 2) {
    return 1;
  } else if constexpr (takes_braces_v<T, at, k, 0>) {
    return takes_braces_v<T, at, 2, n - at - 1> ? 1 : k;
  } else {
    return count_elements<T, n, at, k - 1>();
  }
}
template <class T, size_t n, size_t at = 0>
constexpr size_t count_fields_of() {
  if constexpr (at >= n) {
    return 0;
  } else {
    return 1 + count_fields_of<T, n, at + count_elements<T, n, at>()>();
  }
}
template <class T>
constexpr size_t count_fields() {
  return count_fields_of<T, count_values<T>()>();
}

template <class T>
constexpr bool is_traceable_aggregate() {
  if constexpr (std::is_class_v<T> && std::is_aggregate_v<T> && !std::is_polymorphic_v<T> &&
                !std::is_empty_v<T>) {
    if constexpr (!has_base<T>::value && !is_tuple_like<T>::value) {
      constexpr size_t n = count_values<T>();
      return n > 0 && n <= kFieldsMax;
    }
  }
  return false;
}
template <class T>
constexpr bool is_traceable_aggregate_v = is_traceable_aggregate<T>();

#define REFGC_FIELDS(n, ...)                \
  if constexpr (count_fields<T>() == (n)) { \
    auto& [__VA_ARGS__] = t;                \
    return f(__VA_ARGS__);                  \
  } else  // NOLINT(readability-braces-around-statements)

// Calls f(fields...).
template <class T, class F>
decltype(auto) with_fields(T& t, F&& f) {
  REFGC_FIELDS(1, a)
  REFGC_FIELDS(2, a, b)
  REFGC_FIELDS(3, a, b, c)
  REFGC_FIELDS(4, a, b, c, d)
  REFGC_FIELDS(5, a, b, c, d, e)
  REFGC_FIELDS(6, a, b, c, d, e, g)
  REFGC_FIELDS(7, a, b, c, d, e, g, h)
  REFGC_FIELDS(8, a, b, c, d, e, g, h, i)
  REFGC_FIELDS(9, a, b, c, d, e, g, h, i, j)
  REFGC_FIELDS(10, a, b, c, d, e, g, h, i, j, k)
  REFGC_FIELDS(11, a, b, c, d, e, g, h, i, j, k, l)
  REFGC_FIELDS(12, a, b, c, d, e, g, h, i, j, k, l, m) {}
}
#undef REFGC_FIELDS

constexpr const char* kFieldNames[kFieldsMax] = {"[0]", "[1]", "[2]", "[3]", "[4]",  "[5]",
                                                 "[6]", "[7]", "[8]", "[9]", "[10]", "[11]"};

template <class T, class F>
void for_each_field(T& t, F&& f) {
  with_fields(t, [&](auto&... fields) {
    size_t i = 0;
    (f(kFieldNames[i++], fields), ...);
  });
}

struct list_types {
  template <class... Fields>
  type_list<std::remove_const_t<Fields>...> operator()(Fields&...) const {
    return {};
  }
};
template <class T>
using field_types_t = decltype(with_fields(std::declval<T&>(), list_types()));

}  // namespace refgc::detail

#endif  // REFGC_AGGREGATE_H_
