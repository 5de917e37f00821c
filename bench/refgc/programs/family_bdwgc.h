// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// The programs' objects under the Boehm-Demers-Weiser collector: plain pointers, containers in
// collected memory, destructors never run.

#ifndef BENCH_REFGC_PROGRAMS_FAMILY_BDWGC_H_
#define BENCH_REFGC_PROGRAMS_FAMILY_BDWGC_H_

#include <gc/gc.h>
#include <gc/gc_allocator.h>

#include <functional>
#include <new>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bench {

template <class T>
using Ref = T*;
template <class T>
using Back = T*;
template <class T>
using Array = std::vector<T, gc_allocator<T>>;
template <class K, class T>
using Map =
    std::unordered_map<K, T, std::hash<K>, std::equal_to<K>, gc_allocator<std::pair<const K, T>>>;
template <class T>
struct Object {};

template <class T, class... Args>
Ref<T> Make(Args&&... args) {
  return ::new (GC_MALLOC(sizeof(T))) T(std::forward<Args>(args)...);
}
template <class T>
T* Follow(T* link) {
  return link;
}
inline void Start() { GC_INIT(); }
inline void CollectAll() { GC_gcollect(); }
// Has finalize() called, in cycles as well.
template <class T>
void Watch(T* object) {
  GC_register_finalizer_no_order(
      object, [](void* dead, void*) { static_cast<T*>(dead)->finalize(); }, nullptr, nullptr,
      nullptr);
}

}  // namespace bench

#define BENCH_TRACE(...)

#endif  // BENCH_REFGC_PROGRAMS_FAMILY_BDWGC_H_
