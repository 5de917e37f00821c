// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Memory runs out anywhere: for each n, a process whose n-th system call is refused does a fixed
// piece of work. It must get a block or null, keep its books and its blocks, and go on as if
// nothing had been once memory is back. Each n is a child of this process, which itself never
// allocates.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "allocator/options.h"
#include "allocator/region.h"
#include "tests/fake_os.h"
#include "tests/model.h"

namespace tally::testing {
namespace {

// Runs `work` in a child and returns its wait status: 0 when it came to its end.
template <typename Work>
int InChild(Work work) {
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    work();
    fflush(nullptr);
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

// Every tier in a fixed order: classes, runs, mappings, growth, a second thread, trim.
void Work(Model* model) {
  Random random(7);
  model->Do(Operation::kAllocate, 9 << 20, random.Next());
  for (const size_t bytes : {10u << 20, 34u << 20, 10u << 20}) {
    model->Do(Operation::kReallocate, bytes, model->shadow().size() - 1);
  }
  for (size_t bytes : {16u, 500u, 8u, 3000u, 32768u, 40000u, 3u << 20, 9u << 20, 600u << 10}) {
    model->Do(Operation::kAllocate, bytes, random.Next());
    model->Do(Operation::kAllocate8, bytes, random.Next());
    model->Do(Operation::kAllocateZeroed, bytes, random.Next());
    model->Do(Operation::kAllocateAligned, bytes, random.Next());
  }
  for (int i = 0; i < 12; ++i) {
    model->Do(Operation::kReallocate, (size_t{700} << 10) << (i % 6), random.Next());
  }
  const auto some = [&] {
    for (int i = 0; i < 60; ++i) {
      model->DoRandom(&random);
    }
  };
  some();
  std::thread([&] {
    some();
    ThreadExit();
  }).join();
  model->Do(Operation::kTrim, 0, 0);
}

// Work, with refusals set up by `refuse`; then memory is back, and everything must work.
template <typename Refuse>
void WorkUnderRefusals(Refuse refuse) {
  Model model(Model::Memory::kMayBeOut, {.blocks = 400, .bytes = 48u << 20});
  refuse();
  Work(&model);
  CheckBooksAgainst(model.shadow());
  model.shadow().CheckAll();
  FakeOs::Reset();
  model.set_memory(Model::Memory::kPlenty);
  Work(&model);
  model.shadow().CheckAll();
  model.FreeAll();
  CheckBooksAgainst(model.shadow());
}

// How many calls the work makes when all are granted.
constexpr uint64_t kCallsMax = 130;

TEST(OsFailure, TheFakeReplacesTheRealOne) {
  EXPECT_EQ(InChild([] {
              Model model(Model::Memory::kPlenty, {});
              Work(&model);
              // Work that no longer calls so often leaves refusals untested.
              if (FakeOs::CallsOf(OsCall::kReserve) < 10 || FakeOs::CallsOf(OsCall::kMap) < 1 ||
                  FakeOs::CallsOf(OsCall::kCommit) < 10 || FakeOs::CallsOf(OsCall::kMove) < 1 ||
                  FakeOs::CallsOf(OsCall::kUnmap) < 5 || FakeOs::CallsOf(OsCall::kPurge) < 5 ||
                  FakeOs::CallsOf(OsCall::kGrowInPlace) < 1) {
                for (int kind = 0; kind < kOsCalls; ++kind) {
                  fprintf(
                      stderr, "kind %d: %llu calls\n", kind,
                      static_cast<unsigned long long>(FakeOs::CallsOf(static_cast<OsCall>(kind))));
                }
                abort();
              }
            }),
            0);
}

TEST(OsFailure, OneCallIsRefused) {
  for (uint64_t n = 1; n <= kCallsMax; ++n) {
    ASSERT_EQ(InChild([=] { WorkUnderRefusals([=] { FakeOs::RefuseCalls(n, n); }); }), 0)
        << "call " << n << " refused";
  }
}

TEST(OsFailure, AllCallsFromOneOnAreRefused) {
  for (uint64_t n = 1; n <= kCallsMax; ++n) {
    ASSERT_EQ(InChild([=] { WorkUnderRefusals([=] { FakeOs::RefuseCalls(n, kNever); }); }), 0)
        << "calls from " << n << " refused";
  }
}

TEST(OsFailure, OneKindIsRefused) {
  for (int kind = 0; kind < kOsCalls; ++kind) {
    for (uint64_t n : {1, 2, 5, 14}) {
      for (uint64_t last : {n + 1, kNever}) {
        ASSERT_EQ(
            InChild([=] {
              WorkUnderRefusals([=] { FakeOs::RefuseKind(static_cast<OsCall>(kind), n, last); });
            }),
            0)
            << "calls " << n << " to " << last << " of kind " << kind << " refused";
      }
    }
  }
}

TEST(OsFailure, LittleAddressSpace) {
  for (uint64_t mib = 0; mib <= 128; mib += mib < 24 ? 1 : 8) {
    ASSERT_EQ(InChild([=] { WorkUnderRefusals([=] { FakeOs::LimitAddressSpace(mib << 20); }); }), 0)
        << mib << " MiB of address space";
  }
}

TEST(OsFailure, SmallReservations) {
  for (size_t mib : {1, 2, 4, 8, 15, 16}) {
    ASSERT_EQ(InChild([=] {
                WorkUnderRefusals([=] {
                  FakeOs::LimitReservation(mib << 20);
                  FakeOs::LimitAddressSpace(uint64_t{512} << 20);
                });
              }),
              0)
        << "reservations of at most " << mib << " MiB";
  }
}

// A run that no region can hold must not make regions until the address space is full.
TEST(OsFailure, HopelessRunsLeaveTheAddressSpaceAlone) {
  EXPECT_EQ(InChild([] {
              FakeOs::LimitReservation(4 << 20);
              FakeOs::LimitAddressSpace(uint64_t{256} << 20);
              if (Allocate(6 << 20) != nullptr || FakeOs::address_bytes() > (64u << 20)) {
                fprintf(stderr, "address space: %llu bytes\n",
                        static_cast<unsigned long long>(FakeOs::address_bytes()));
                abort();
              }
            }),
            0);
}

// How many huge pages are asked for while small blocks take `mib` more.
uint64_t HugePagesFor(size_t mib) {
  constexpr size_t kBlockBytes = 1024;
  const uint64_t before = FakeOs::CallsOf(OsCall::kAdviseHugePages);
  for (size_t i = 0; i < (mib << 20) / kBlockBytes; ++i) {
    if (Allocate(kBlockBytes) == nullptr) {
      abort();
    }
  }
  return FakeOs::CallsOf(OsCall::kAdviseHugePages) - before;
}

// All of a region may lie in huge pages; of the second to fourth only 14 MiB: the first 2 MiB begin
// with descriptors.
TEST(OsFailure, SlowHugePagesArePassedOver) {
  EXPECT_EQ(
      InChild([] {
        FakeOs::SetDuration(kHugePageNsMax + 1);
        const uint64_t in_first_region = HugePagesFor(14);
        const uint64_t while_slow = HugePagesFor(128);
        FakeOs::SetDuration(kHugePageNsMax);
        const uint64_t then = HugePagesFor(256);
        // About 60 and 128 chances; pauses of 4, 8, 16 and 32, the last of which goes on.
        if (in_first_region != 0 || while_slow < 3 || while_slow > 5 || then < 92 || then > 130) {
          fprintf(stderr, "asked for %d, %d, %d huge pages\n", static_cast<int>(in_first_region),
                  static_cast<int>(while_slow), static_cast<int>(then));
          abort();
        }
      }),
      0);
}

TEST(OsFailure, WithoutTheOptionNoHugePageIsAskedFor) {
  EXPECT_EQ(InChild([] {
              options.thp = false;
              if (HugePagesFor(64) != 0) {
                abort();
              }
            }),
            0);
}

// The hook that sets errno hears of every null, and of nothing else.
TEST(OsFailure, TheHookIsCalledOnce) {
  EXPECT_EQ(InChild([] {
              static int calls = 0;
              out_of_memory_hook = [] { ++calls; };
              free(nullptr);
              void* p = Allocate(100);
              void* huge = Allocate(20 << 20);
              if (p == nullptr || huge == nullptr || calls != 0) {
                abort();
              }
              FakeOs::RefuseCalls(1, kNever);
              const bool nulls = Allocate(30 << 20) == nullptr && calls == 1 &&
                                 Allocate(PTRDIFF_MAX) == nullptr && calls == 2 &&
                                 Allocate(SIZE_MAX) == nullptr && calls == 3 &&
                                 AllocateZeroed(9 << 20) == nullptr && calls == 4 &&
                                 AllocateAligned(100, 1 << 25) == nullptr && calls == 5 &&
                                 Reallocate(huge, 50 << 20) == nullptr && calls == 6 &&
                                 Reallocate(p, 30 << 20) == nullptr && calls == 7 &&
                                 Reallocate(p, SIZE_MAX) == nullptr && calls == 8;
              if (!nulls) {
                fprintf(stderr, "calls of the hook: %d\n", calls);
                abort();
              }
            }),
            0);
}

// Purging frees what magazines and depots held; then the allocation succeeds after all.
TEST(OsFailure, OnePurgeAndRetry) {
  EXPECT_EQ(InChild([] {
              FakeOs::LimitAddressSpace(20 << 20);
              Model model(Model::Memory::kMayBeOut, {.blocks = 100000, .bytes = uint64_t{1} << 30});
              while (model.nulls() == 0) {
                model.Do(Operation::kAllocate, 1000, 1);
              }
              model.FreeAll();
              model.set_memory(Model::Memory::kPlenty);
              model.Do(Operation::kAllocate, 6 << 20, 1);  // in the place of the small ones
              model.FreeAll();
              CheckBooksAgainst(model.shadow());
            }),
            0);
}

// Where reservations shrink, a run that no such region holds is refused, and takes none.
TEST(OsFailure, ARunThatNoSmallRegionHoldsTakesNoneUp) {
  EXPECT_EQ(InChild([] {
              constexpr size_t kArenas = 8;
              FakeOs::Reset();
              FakeOs::LimitReservation(kArenas * kArenaBytes);
              constexpr size_t kMost = (kArenas - 1) * kPoolsPerArena;
              if (regions.Take(kMost, 1).first == nullptr) abort();
              const uint32_t before = regions.count();
              if (regions.Take(kMost + 1, 1).first != nullptr) abort();
              if (regions.count() != before) abort();
            }),
            0);
}

// Without a window of keys all goes on as ever, by the slow paths.
TEST(OsFailure, AllWorksWithoutATableOfKeys) {
  EXPECT_EQ(InChild([] {
              FakeOs::Reset();
              FakeOs::RefuseKind(OsCall::kPlaceZeroReadOnly, 1, kNever);
              Model model(Model::Memory::kPlenty, {});
              Random random(11);
              for (int i = 0; i < 20000; ++i) {
                model.DoRandom(&random);
              }
              if (FakeOs::CallsOf(OsCall::kPlaceZeroReadOnly) < 5) abort();
              if (key_table.Window(&model).pool_count != 0) abort();
              model.FreeAll();
              CheckBooksAgainst(model.shadow());
            }),
            0);
}

// Where a mapping cannot move it may still grow where it is, into granules of its own.
TEST(OsFailure, AMappingThatCannotMoveGrowsInPlace) {
  EXPECT_EQ(InChild([] {
              constexpr size_t kMiB = 1 << 20;
              FakeOs::Reset();
              auto* block = static_cast<char*>(Allocate(50 * kMiB));
              block = static_cast<char*>(Reallocate(block, 10 * kMiB));  // room behind it
              block[0] = 'a';
              FakeOs::RefuseKind(OsCall::kReserve, 1, kNever);
              char* grown = static_cast<char*>(Reallocate(block, 45 * kMiB));
              if (grown != block || grown[0] != 'a' || grown[45 * kMiB - 1] != 0) abort();
              if (UsableSize(grown) != 45 * kMiB) abort();
              // It is refused where that does not help; the block stays what it was.
              if (Reallocate(block, size_t{1} << 45) != nullptr || block[0] != 'a') abort();
              if (UsableSize(block) != 45 * kMiB) abort();
              FakeOs::Reset();
              grown = static_cast<char*>(Reallocate(block, 90 * kMiB));
              if (grown == nullptr || grown[0] != 'a') abort();
              Free(grown);
              if (region_map.Lookup(block + 20 * kMiB) != Granule::kNothing) abort();
            }),
            0);
}

// A move that is refused for want of memory leaves no reservation behind.
TEST(OsFailure, ARefusedMoveLeavesNothingBehind) {
  EXPECT_EQ(InChild([] {
              FakeOs::Reset();
              void* block = Allocate(size_t{20} << 20);
              void* wall = Allocate(size_t{20} << 20);
              Trim();
              const uint64_t before = FakeOs::address_bytes();
              for (int i = 0; i < 10; ++i) {
                FakeOs::RefuseKind(OsCall::kCommit, 1, kNever);
                FakeOs::RefuseKind(OsCall::kGrowInPlace, 1, kNever);
                if (Reallocate(wall, size_t{100} << 20) != nullptr) abort();
                if (Reallocate(block, size_t{100} << 20) != nullptr) abort();
              }
              if (FakeOs::address_bytes() != before) abort();
              FakeOs::Reset();
              Free(block);
              Free(wall);
            }),
            0);
}

}  // namespace
}  // namespace tally::testing
