// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/mutex.h"

#include "allocator/os.h"

namespace tally {
namespace {

// Long enough for a short slow path on another core to end (about a microsecond), short enough
// not to matter where the holder was preempted.
constexpr int kSpins = 64;

[[gnu::tls_model("initial-exec")]] constinit thread_local char thread_mark = 0;

}  // namespace

uintptr_t ThreadIdentity() { return reinterpret_cast<uintptr_t>(&thread_mark); }

void Mutex::LockSlow() {
  for (int i = 0; i < kSpins; ++i) {
    uint32_t expected = 0;
    if (state_.load(std::memory_order_relaxed) == 0 &&
        state_.compare_exchange_weak(expected, 1, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      return;
    }
    os::SpinPause();
  }
  while (state_.exchange(2, std::memory_order_acquire) != 0) {
    os::WaitOnWord(&state_, 2);
  }
}

void Mutex::WakeOne() { os::WakeWord(&state_); }

}  // namespace tally
