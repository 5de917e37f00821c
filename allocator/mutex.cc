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

uint32_t ThreadMark() {
  // Thread-local words of two threads lie at least 64 bytes apart.
  const auto mark = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(&thread_mark) >> 6);
  return (mark & 0x7fffffff) == 0 ? 1 : mark & 0x7fffffff;
}

void Mutex::LockSlow() {
  if (IsHeldByMe() && taken_for_fork_) {
    ++passages_;
    return;
  }
  const uint32_t mine = ThreadMark() << 1;
  for (int i = 0; i < kSpins; ++i) {
    uint32_t expected = 0;
    if (word_.load(std::memory_order_relaxed) == 0 &&
        word_.compare_exchange_weak(expected, mine, std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
      return;
    }
    os::SpinPause();
  }
  for (;;) {
    uint32_t word = word_.load(std::memory_order_relaxed);
    if (word == 0) {
      // Others may sleep as well: whoever comes from here says so.
      if (word_.compare_exchange_weak(word, mine | kSleepers, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return;
      }
    } else if ((word & kSleepers) != 0 ||
               word_.compare_exchange_weak(word, word | kSleepers, std::memory_order_relaxed)) {
      os::WaitOnWord(&word_, word | kSleepers);
    }
  }
}

void Mutex::WakeOne() { os::WakeWord(&word_); }

}  // namespace tally
