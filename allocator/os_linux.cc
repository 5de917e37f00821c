// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "allocator/check.h"
#include "allocator/os.h"

namespace tally::os {
namespace {

class ErrnoKeeper {
 public:
  ErrnoKeeper() : saved_(errno) {}
  ~ErrnoKeeper() { errno = saved_; }
  ErrnoKeeper(const ErrnoKeeper&) = delete;
  ErrnoKeeper& operator=(const ErrnoKeeper&) = delete;

 private:
  int saved_;
};

// The last reservation; the next one is asked for right below it, as mmap itself would go.
constinit std::atomic<uintptr_t> last_reservation{0};

// ENOMEM also says "too many mappings"; EAGAIN says "over RLIMIT_MEMLOCK" under mlockall.
bool IsNoMemory(int error) { return error == ENOMEM || error == EAGAIN; }

void* MapOrNull(void* hint, size_t bytes, int protection, int flags) {
  void* start = mmap(hint, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  if (start != MAP_FAILED) {
    return start;
  }
  if (!IsNoMemory(errno) && errno != EEXIST && errno != EPERM) {
    FatalOs("mmap", errno);
  }
  return nullptr;
}

// Exactly there, where nothing is mapped yet, or null.
void* MapInGap(void* start, size_t bytes, int protection) {
  void* mapped = MapOrNull(start, bytes, protection, MAP_NORESERVE | MAP_FIXED_NOREPLACE);
  if (mapped != nullptr && mapped != start) {  // a kernel before 4.17 takes the flag for a hint
    munmap(mapped, bytes);
    return nullptr;
  }
  return mapped;
}

void* ReserveAtHint(size_t bytes, size_t alignment) {
  const uintptr_t last = last_reservation.load(std::memory_order_relaxed);
  const size_t span = (bytes + alignment - 1) & ~(alignment - 1);
  if (last < span + alignment) {
    return nullptr;
  }
  return MapInGap(reinterpret_cast<void*>((last - span) & ~(alignment - 1)), bytes, PROT_NONE);
}

// Takes too much and gives the ends back.
void* ReserveAndTrim(size_t bytes, size_t alignment) {
  char* start = static_cast<char*>(MapOrNull(nullptr, bytes + alignment, PROT_NONE, MAP_NORESERVE));
  if (start == nullptr) {
    return nullptr;
  }
  const uintptr_t address = reinterpret_cast<uintptr_t>(start);
  const size_t head = ((address + alignment - 1) & ~(alignment - 1)) - address;
  if (head != 0) {
    munmap(start, head);
  }
  munmap(start + head + bytes, alignment - head);
  return start + head;
}

}  // namespace

void* Reserve(size_t bytes, size_t alignment) {
  const ErrnoKeeper keeper;
  if (bytes + alignment < bytes) {
    return nullptr;
  }
  void* start = ReserveAtHint(bytes, alignment);
  if (start == nullptr) {
    start = ReserveAndTrim(bytes, alignment);
  }
  if (start != nullptr) {
    last_reservation.store(reinterpret_cast<uintptr_t>(start), std::memory_order_relaxed);
  }
  return start;
}

bool Commit(void* start, size_t bytes) {
  const ErrnoKeeper keeper;
  // mmap rather than mprotect: sandboxes allow the first where they forbid the second.
  return MapOrNull(start, bytes, PROT_READ | PROT_WRITE, MAP_FIXED) != nullptr;
}

bool Decommit(void* start, size_t bytes) {
  const ErrnoKeeper keeper;
  return MapOrNull(start, bytes, PROT_NONE, MAP_NORESERVE | MAP_FIXED) != nullptr;
}

void* Map(size_t bytes) {
  const ErrnoKeeper keeper;
  return MapOrNull(nullptr, bytes, PROT_READ | PROT_WRITE, 0);
}

bool MapZeroReadOnly(void* start, size_t bytes) {
  const ErrnoKeeper keeper;
  return MapOrNull(start, bytes, PROT_READ, MAP_NORESERVE | MAP_FIXED) != nullptr;
}

bool PlaceZeroReadOnly(void* start, size_t bytes) {
  const ErrnoKeeper keeper;
  if (MapInGap(start, bytes, PROT_READ) == nullptr) {
    return false;
  }
  madvise(start, bytes, MADV_DONTDUMP);  // gcore writes every page that can be read
  return true;
}

bool Unmap(void* start, size_t bytes) {
  const ErrnoKeeper keeper;
  if (munmap(start, bytes) == 0) {
    return true;
  }
  if (!IsNoMemory(errno) && errno != EPERM) {
    FatalOs("munmap", errno);
  }
  return false;
}

bool Purge(void* start, size_t bytes) {
  const ErrnoKeeper keeper;
  return madvise(start, bytes, MADV_DONTNEED) == 0;
}

bool GrowInPlace(void* start, size_t bytes, size_t new_bytes) {
  const ErrnoKeeper keeper;
  return mremap(start, bytes, new_bytes, 0) != MAP_FAILED;
}

bool Move(void* from, size_t bytes, void* to, size_t new_bytes) {
  const ErrnoKeeper keeper;
  return mremap(from, bytes, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED;
}

bool MapPages(void* start, size_t bytes) {
  const ErrnoKeeper keeper;
  return madvise(start, bytes, MADV_POPULATE_WRITE) == 0;  // since Linux 5.14
}

void AdviseHugePages(void* start, size_t bytes) {
  const ErrnoKeeper keeper;
  madvise(start, bytes, MADV_HUGEPAGE);
}

size_t PageBytes() { return getauxval(AT_PAGESZ); }

uint64_t AddressSpaceMax() {
  const ErrnoKeeper keeper;
  rlimit limit{};
  return getrlimit(RLIMIT_AS, &limit) == 0 ? limit.rlim_cur : ~uint64_t{0};
}

unsigned CpuCount() {
  const ErrnoKeeper keeper;
  cpu_set_t set;
  CPU_ZERO(&set);
  // More CPUs than the set holds is an error; that machine has "many".
  if (sched_getaffinity(0, sizeof(set), &set) != 0) {
    return 64;
  }
  const int count = CPU_COUNT(&set);
  return count > 0 ? static_cast<unsigned>(count) : 1;
}

uint64_t NowMs() {
  const ErrnoKeeper keeper;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

uint64_t NowNs() {
  const ErrnoKeeper keeper;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t ThreadId() { return static_cast<uint64_t>(gettid()); }

bool ResidentPages(const void* start, size_t bytes, unsigned char* states) {
  const ErrnoKeeper keeper;
  return mincore(const_cast<void*>(start), bytes, states) == 0;
}

uint64_t ResidentBytes(const void* start, size_t bytes) {
  constexpr size_t kStepPages = 2048;
  unsigned char states[kStepPages];
  const size_t page_bytes = PageBytes();
  uint64_t resident = 0;
  const char* at = static_cast<const char*>(start);
  for (const char* end = at + bytes; at < end;) {
    size_t step = kStepPages * page_bytes;
    if (step > static_cast<size_t>(end - at)) {
      step = static_cast<size_t>(end - at);
    }
    if (ResidentPages(at, step, states)) {
      for (size_t i = 0; i < step / page_bytes; ++i) {
        resident += (states[i] & 1) * page_bytes;
      }
    }
    at += step;
  }
  return resident;
}

void WaitOnWord(std::atomic<uint32_t>* word, uint32_t expected) {
  const ErrnoKeeper keeper;
  if (syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0) != 0 &&
      errno != EAGAIN && errno != EINTR) {
    sched_yield();  // futex is forbidden here: poll
  }
}

void WakeWord(std::atomic<uint32_t>* word) {
  const ErrnoKeeper keeper;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void SpinPause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace tally::os
