// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// The programs' objects under boost::intrusive_ptr with a counter that is not atomic; links back
// are plain pointers.

#ifndef BENCH_REFGC_PROGRAMS_FAMILY_INTRUSIVE_H_
#define BENCH_REFGC_PROGRAMS_FAMILY_INTRUSIVE_H_

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bench {

template <class T>
using Ref = boost::intrusive_ptr<T>;

// Null at first, as the others are.
template <class T>
class Back {
 public:
  Back() = default;
  Back(const Ref<T>& object) : object_(object.get()) {}  // NOLINT(google-explicit-constructor)
  T* get() const { return object_; }

 private:
  T* object_ = nullptr;
};
template <class T>
using Array = std::vector<T>;
template <class K, class T>
using Map = std::unordered_map<K, T>;
template <class T>
using Object = boost::intrusive_ref_counter<T, boost::thread_unsafe_counter>;

template <class T, class... Args>
Ref<T> Make(Args&&... args) {
  return Ref<T>(new T(std::forward<Args>(args)...));
}
template <class T>
T* Follow(const Back<T>& link) {
  return link.get();
}
inline void Start() {}
inline void CollectAll() {}

}  // namespace bench

#define BENCH_TRACE(...)

#endif  // BENCH_REFGC_PROGRAMS_FAMILY_INTRUSIVE_H_
