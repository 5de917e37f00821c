// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// The programs' objects as refgc's: counted, and cycles are collected. Links back are references as
// all others.

#ifndef BENCH_REFGC_PROGRAMS_FAMILY_REFGC_H_
#define BENCH_REFGC_PROGRAMS_FAMILY_REFGC_H_

#include <unordered_map>
#include <utility>
#include <vector>

#include "refgc/refgc.h"

namespace bench {

template <class T>
using Ref = refgc::ref<T>;
template <class T>
using Back = refgc::ref<T>;
template <class T>
using Array = std::vector<T>;
template <class K, class T>
using Map = std::unordered_map<K, T>;
template <class T>
struct Object {};

template <class T, class... Args>
Ref<T> Make(Args&&... args) {
  return refgc::make<T>(std::forward<Args>(args)...);
}
template <class T>
const Ref<T>& Follow(const Back<T>& link) {
  return link;
}
inline void Start() {}
inline void CollectAll() { refgc::collect(); }
template <class T>
void Watch(const Ref<T>&) {}  // finalize() is called without

}  // namespace bench

#define BENCH_TRACE(...) REFGC_TRACE(__VA_ARGS__)

#endif  // BENCH_REFGC_PROGRAMS_FAMILY_REFGC_H_
