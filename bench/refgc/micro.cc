// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// micro: what counting, making and collecting cost in refgc, and the first two beside
// std::shared_ptr, boost::intrusive_ptr (a counter that is not atomic) and boost::local_shared_ptr.
// refgc's objects come from Tally's pools, so give the others the same malloc:
//
//   LD_PRELOAD=build/release/libtally.so build/release/bench/refgc_micro
//
// libstdc++'s shared_ptr counts without atomics until the process has started a thread. So its
// benchmarks run twice: as "Shared", and, last of all, as "SharedThreaded", of which the first
// starts a thread that sleeps. All items are objects; micro_collect.cc has the collector.

#include "bench/refgc/micro.h"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using bench::Object;

template <typename Kind>
void CopyDrop(benchmark::State& state) {
  Kind::Start();
  using T = Object<Kind, 32>;
  const typename Kind::template Ref<T> object = Kind::template Make<T>();
  for (auto _ : state) {
    typename Kind::template Ref<T> copy = object;
    benchmark::DoNotOptimize(copy);
  }
  state.SetItemsProcessed(state.iterations());
}

// A thousand references to a thousand objects: the counts are not in a register.
template <typename Kind>
void CopyDropMany(benchmark::State& state) {
  Kind::Start();
  using T = Object<Kind, 32>;
  constexpr size_t kMany = 1000;
  std::vector<typename Kind::template Ref<T>> objects(kMany);
  for (auto& object : objects) {
    object = Kind::template Make<T>();
  }
  for (auto _ : state) {
    std::vector<typename Kind::template Ref<T>> copies = objects;
    benchmark::DoNotOptimize(copies.data());
  }
  state.SetItemsProcessed(state.iterations() * kMany);
}

template <typename Kind, size_t bytes>
void MakeRelease(benchmark::State& state) {
  Kind::Start();
  using T = Object<Kind, bytes>;
  for (auto _ : state) {
    auto object = Kind::template Make<T>();
    benchmark::DoNotOptimize(object);
  }
  state.SetItemsProcessed(state.iterations());
}

// A thousand live at once, dropped in the order they were made.
template <typename Kind>
void MakeReleaseMany(benchmark::State& state) {
  Kind::Start();
  using T = Object<Kind, 32>;
  constexpr size_t kMany = 1000;
  std::vector<typename Kind::template Ref<T>> objects(kMany);
  for (auto _ : state) {
    for (auto& object : objects) {
      object = Kind::template Make<T>();
    }
    for (auto& object : objects) {
      object = nullptr;
    }
  }
  state.SetItemsProcessed(state.iterations() * kMany);
}

// A list of a million, built and released. The others need a loop, or their destructors would call
// each other to the stack's end.
template <typename Kind>
void List(benchmark::State& state) {
  Kind::Start();
  using T = Object<Kind, 16>;
  constexpr int64_t kNodes = 1000000;
  for (auto _ : state) {
    typename Kind::template Ref<T> first{};
    for (int64_t i = 0; i < kNodes; ++i) {
      auto node = Kind::template Make<T>();
      node->next = std::move(first);
      first = std::move(node);
    }
    if constexpr (!std::is_same_v<Kind, bench::Refgc>) {
      while (first) {
        first = std::move(first->next);
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * kNodes);
}

// Not measured in time: bytes of RSS that an object of 24 bytes takes, of which a million live.
template <typename Kind>
void Memory(benchmark::State& state) {
  using T = Object<Kind, 24>;
  constexpr size_t kObjects = 1000000;
  const auto rss_bytes = [] {
    long size = 0;
    long resident = 0;
    FILE* file = fopen("/proc/self/statm", "r");
    if (file == nullptr || fscanf(file, "%ld %ld", &size, &resident) != 2) {
      abort();
    }
    fclose(file);
    return static_cast<double>(resident) * 4096;
  };
  for (auto _ : state) {
    std::vector<typename Kind::template Ref<T>> objects(kObjects);
    const double before = rss_bytes();
    for (auto& object : objects) {
      object = Kind::template Make<T>();
    }
    state.counters["bytes_per_object"] = (rss_bytes() - before) / kObjects;
  }
}

template <typename Kind>
void Register(const std::string& kind) {
  // In the order in which they run.
  benchmark::RegisterBenchmark(("CopyDrop/" + kind).c_str(), CopyDrop<Kind>);
  benchmark::RegisterBenchmark(("CopyDropMany/" + kind).c_str(), CopyDropMany<Kind>);
  benchmark::RegisterBenchmark(("MakeRelease/16/" + kind).c_str(), MakeRelease<Kind, 16>);
  benchmark::RegisterBenchmark(("MakeRelease/32/" + kind).c_str(), MakeRelease<Kind, 32>);
  benchmark::RegisterBenchmark(("MakeRelease/64/" + kind).c_str(), MakeRelease<Kind, 64>);
  benchmark::RegisterBenchmark(("MakeRelease/128/" + kind).c_str(), MakeRelease<Kind, 128>);
  benchmark::RegisterBenchmark(("MakeReleaseMany/" + kind).c_str(), MakeReleaseMany<Kind>);
  benchmark::RegisterBenchmark(("List/" + kind).c_str(), List<Kind>)->Unit(benchmark::kMillisecond);
}

// First of all, in a process that has freed nothing yet; each kind's objects stay where the heap
// reuses them, so one kind at a time: --benchmark_filter=Memory/Refgc.
template <typename Kind>
void RegisterMemory(const std::string& kind) {
  benchmark::RegisterBenchmark(("Memory/" + kind).c_str(), Memory<Kind>)->Iterations(1);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  RegisterMemory<bench::Refgc>("Refgc");
  RegisterMemory<bench::Shared>("Shared");
  RegisterMemory<bench::Intrusive>("Intrusive");
  RegisterMemory<bench::LocalShared>("LocalShared");
  Register<bench::Refgc>("Refgc");
  Register<bench::Intrusive>("Intrusive");
  Register<bench::LocalShared>("LocalShared");
  Register<bench::Shared>("Shared");
  Register<bench::SharedThreaded>("SharedThreaded");
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
