// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// What micro.cc and micro_collect.cc share: objects of a given size under each kind of counted
// pointer, made the same way.

#ifndef BENCH_REFGC_MICRO_H_
#define BENCH_REFGC_MICRO_H_

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/smart_ptr/local_shared_ptr.hpp>
#include <boost/smart_ptr/make_local_shared.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

#include "refgc/refgc.h"

namespace bench {

// The pointer that every object has makes it one that could be in a cycle: a type that could not is
// never tracked.
template <typename Kind, size_t bytes>
struct Object : Kind::template Base<Object<Kind, bytes>> {
  typename Kind::template Ref<Object> next;
  char rest[bytes - sizeof(void*)];
  REFGC_TRACE(next)
};
template <typename Kind>
struct Object<Kind, sizeof(void*)> : Kind::template Base<Object<Kind, sizeof(void*)>> {
  typename Kind::template Ref<Object> next;
  REFGC_TRACE(next)
};

template <typename T>
struct NoBase {};

// What most kinds need not say.
struct Plain {
  static void Start() {}
  template <typename T>
  using Base = NoBase<T>;
};

struct Refgc : Plain {
  template <typename T>
  using Ref = refgc::ref<T>;
  template <typename T>
  static Ref<T> Make() {
    return refgc::make<T>();
  }
};

struct Shared : Plain {
  template <typename T>
  using Ref = std::shared_ptr<T>;
  template <typename T>
  static Ref<T> Make() {
    return std::make_shared<T>();
  }
};

// The same with a thread alive: counts are atomic from then on.
struct SharedThreaded : Shared {
  static void Start() {
    static const bool is_started = [] {
      std::thread([] { std::this_thread::sleep_for(std::chrono::hours(1)); }).detach();
      return true;
    }();
    static_cast<void>(is_started);
  }
};

struct Intrusive : Plain {
  template <typename T>
  using Ref = boost::intrusive_ptr<T>;
  template <typename T>
  using Base = boost::intrusive_ref_counter<T, boost::thread_unsafe_counter>;
  template <typename T>
  static Ref<T> Make() {
    return Ref<T>(new T());
  }
};

struct LocalShared : Plain {
  template <typename T>
  using Ref = boost::local_shared_ptr<T>;
  template <typename T>
  static Ref<T> Make() {
    return boost::make_local_shared<T>();
  }
};

}  // namespace bench

#endif  // BENCH_REFGC_MICRO_H_
