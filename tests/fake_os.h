// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// An operating system that can say no: allocator/os.h over the real one, with a switch for each way
// of refusing.
//
// Tests that link fake_os (tests/CMakeLists.txt says which) get it in place of os_linux.cc. Every
// function of os.h is defined here, so the archive's own object is not pulled in; were one missing,
// the link would fail for symbols defined twice. The real functions are os_linux.cc compiled once
// more, under another namespace.
//
// Threads: switches are set while no other thread uses the allocator; calls come from any.

#ifndef TESTS_FAKE_OS_H_
#define TESTS_FAKE_OS_H_

#include <cstddef>
#include <cstdint>

namespace tally::testing {

// The calls that may be refused.
enum class OsCall {
  kReserve,
  kCommit,
  kMap,
  kMapZeroReadOnly,
  kPlaceZeroReadOnly,
  kUnmap,
  kPurge,
  kGrowInPlace,
  kMove,
  kMapPages,
  kAdviseHugePages,
};
inline constexpr int kOsCalls = 11;
inline constexpr uint64_t kNever = ~uint64_t{0};

class FakeOs {
 public:
  // Everything is granted again, and all counts are zero.
  static void Reset();

  // Counting from now, refuses calls first..last (1 is the next one) of all kinds.
  static void RefuseCalls(uint64_t first, uint64_t last);
  // The same, counting calls of `kind` alone.
  static void RefuseKind(OsCall kind, uint64_t first, uint64_t last);
  // Refuses reservations of more than `bytes`.
  static void LimitReservation(size_t bytes);
  // Refuses reservations and mappings that would bring the address space taken from here above
  // `bytes`, as RLIMIT_AS does.
  static void LimitAddressSpace(uint64_t bytes);

  // Makes NowMs() answer `now_ms` from here on, until Reset.
  static void SetClock(uint64_t now_ms);
  // Makes whatever NowNs() measures take `ns` from here on, until Reset.
  static void SetDuration(uint64_t ns);
  static void SetCpuCount(unsigned count);
  // Makes PageBytes() answer `bytes`, at least the true ones.
  static void SetPageBytes(size_t bytes);

  static uint64_t CallsOf(OsCall kind);
  // Calls refused so far.
  static uint64_t refused();
  // Address space taken and not given back since the start of the process.
  static uint64_t address_bytes();
};

}  // namespace tally::testing

#endif  // TESTS_FAKE_OS_H_
