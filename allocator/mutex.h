// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A lock that knows its owner: one futex word, and who holds it.
//
// Called by everything with slow paths. An uncontended Lock is one CAS.
//
// Invariants:
//   1. state_: 0 free, 1 held, 2 held and somebody may sleep (Drepper, "Futexes are tricky").
//   2. owner_ is the holder's identity while held, 0 else.
//   3. Taken for fork, the lock lets its own thread through again: other libraries' fork
//      handlers may allocate between ours.
// Threads: any. Unlock's release pairs with Lock's acquire.

#ifndef ALLOCATOR_MUTEX_H_
#define ALLOCATOR_MUTEX_H_

#include <atomic>
#include <cstdint>

#include "allocator/check.h"

namespace tally {

// An address that no other living thread has: that of one of its thread-local words.
uintptr_t ThreadIdentity();

class Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() {
    uint32_t expected = 0;
    if (!state_.compare_exchange_strong(expected, 1, std::memory_order_acquire,
                                        std::memory_order_relaxed)) [[unlikely]] {
      if (IsPassage()) {
        ++passages_;
        return;
      }
      LockSlow();
    }
    owner_.store(ThreadIdentity(), std::memory_order_relaxed);
  }

  bool TryLock() {
    uint32_t expected = 0;
    if (!state_.compare_exchange_strong(expected, 1, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
      return false;
    }
    owner_.store(ThreadIdentity(), std::memory_order_relaxed);
    return true;
  }

  void Unlock() {
    ASSERT(IsHeldByMe());
    if (passages_ != 0) [[unlikely]] {
      --passages_;
      return;
    }
    owner_.store(0, std::memory_order_relaxed);
    if (state_.exchange(0, std::memory_order_release) == 2) [[unlikely]] {
      WakeOne();
    }
  }

  bool IsHeldByMe() const {
    return owner_.load(std::memory_order_relaxed) == ThreadIdentity();
  }

  // Around fork. A thread that holds the lock already (a signal handler forks in the middle of a
  // slow path) keeps it as it is.
  void LockForFork() {
    if (IsHeldByMe()) {
      return;
    }
    Lock();
    taken_for_fork_ = true;
  }
  void UnlockAfterFork() {
    if (taken_for_fork_) {
      taken_for_fork_ = false;
      Unlock();
    }
  }

 private:
  bool IsPassage() const { return IsHeldByMe() && taken_for_fork_; }
  void LockSlow();
  void WakeOne();

  std::atomic<uint32_t> state_{0};
  uint32_t passages_ = 0;         // written by the holder
  bool taken_for_fork_ = false;   // written by the holder
  std::atomic<uintptr_t> owner_{0};
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
