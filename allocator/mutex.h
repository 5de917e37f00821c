// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A lock that knows its owner: one futex word that says who holds it and whether somebody sleeps.
//
// Called by everything with slow paths. An uncontended Lock is one CAS.
//
// Invariants:
//   1. word_ is 0 when free, else the holder's mark shifted left by one, with the low bit set if
//      somebody may sleep (after Drepper, "Futexes are tricky"). Owner and state change in one
//      step, so that a signal handler that forks sees at every instant what its thread holds.
//   2. Taken for fork, the lock lets its own thread through again: other libraries' fork
//      handlers may allocate between ours.
// Threads: any. Unlock's release pairs with Lock's acquire.

#ifndef ALLOCATOR_MUTEX_H_
#define ALLOCATOR_MUTEX_H_

#include <atomic>
#include <cstdint>

#include "allocator/check.h"

namespace tally {

// 31 bits that tell threads apart, from the address of a thread-local word; never 0. Two threads
// with 128 GiB between their words could share it; only a fork would be misled, and only while it
// races with the other's slow path.
uint32_t ThreadMark();

class Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() {
    if (!TryLock()) [[unlikely]] {
      LockSlow();
    }
  }

  bool TryLock() {
    uint32_t expected = 0;
    return word_.compare_exchange_strong(expected, ThreadMark() << 1, std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }

  void Unlock() {
    ASSERT(IsHeldByMe());
    if (passages_ != 0) [[unlikely]] {
      --passages_;
      return;
    }
    if ((word_.exchange(0, std::memory_order_release) & kSleepers) != 0) [[unlikely]] {
      WakeOne();
    }
  }

  bool IsHeldByMe() const { return word_.load(std::memory_order_relaxed) >> 1 == ThreadMark(); }

  // Around fork. A thread that holds the lock already (a signal handler forks in the middle of a
  // slow path) keeps it as it is.
  void LockForFork() {
    if (IsHeldByMe()) {
      return;
    }
    Lock();
    taken_for_fork_ = true;
  }
  // False where anybody holds it, the caller included.
  bool TryLockForFork() {
    if (IsHeldByMe() || !TryLock()) {
      return false;
    }
    taken_for_fork_ = true;
    return true;
  }
  void UnlockAfterFork() {
    if (taken_for_fork_ && IsHeldByMe()) {
      taken_for_fork_ = false;
      Unlock();
    }
  }

 private:
  static constexpr uint32_t kSleepers = 1;

  void LockSlow();
  void WakeOne();

  std::atomic<uint32_t> word_{0};
  uint32_t passages_ = 0;        // written by the holder
  bool taken_for_fork_ = false;  // written by the holder
};

class MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace tally

#endif  // ALLOCATOR_MUTEX_H_
