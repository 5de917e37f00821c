// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// The programs' objects under std::shared_ptr; links back are std::weak_ptr, so that nothing leaks.
// Its counts are atomic once a thread was started: BENCH_THREAD starts one.

#ifndef BENCH_REFGC_PROGRAMS_FAMILY_SHARED_H_
#define BENCH_REFGC_PROGRAMS_FAMILY_SHARED_H_

#include <chrono>
#include <memory>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bench {

template <class T>
using Ref = std::shared_ptr<T>;
template <class T>
using Back = std::weak_ptr<T>;
template <class T>
using Array = std::vector<T>;
template <class K, class T>
using Map = std::unordered_map<K, T>;
template <class T>
struct Object {};

template <class T, class... Args>
Ref<T> Make(Args&&... args) {
  return std::make_shared<T>(std::forward<Args>(args)...);
}
template <class T>
Ref<T> Follow(const Back<T>& link) {
  return link.lock();
}
inline void Start() {
#ifdef BENCH_THREAD
  std::thread([] { std::this_thread::sleep_for(std::chrono::hours(1)); }).detach();
#endif
}
inline void CollectAll() {}

}  // namespace bench

#define BENCH_TRACE(...)

#endif  // BENCH_REFGC_PROGRAMS_FAMILY_SHARED_H_
