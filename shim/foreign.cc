// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Pointers that are not ours: blocks of the C library's own malloc, which reach us when a library
// bypasses interposition (RTLD_DEEPBIND, __libc_malloc). They are handed back to it.
//
// Telling them is a heuristic: the brk range, chunks that say they are mapped, chunks of secondary
// arenas. A header is read only through the kernel, so that no wild pointer is followed. Where the
// heuristic does not hold, ours is the fatal line.
//
// The archive replaces the C library's malloc altogether: there nothing is foreign and live.
// Threads: any.

#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>

#include "allocator/allocator.h"
#include "allocator/os.h"
#include "allocator/process.h"
#include "allocator/region_map.h"
#include "shim/shim.h"

extern "C" {
[[gnu::weak]] void __libc_free(void* p);
[[gnu::weak]] void* __libc_realloc(void* p, size_t bytes);
}

namespace tally::shim {
namespace {

// glibc's chunk header (malloc.c, malloc_chunk): previous size, then size with flags in the low
// three bits.
struct ChunkHeader {
  size_t previous_bytes;
  size_t bytes_and_flags;
};
constexpr size_t kIsMapped = 2;
constexpr size_t kIsSecondary = 4;
constexpr size_t kFlags = 7;
// HEAP_MAX_SIZE: secondary heaps are aligned to it.
constexpr uintptr_t kSecondaryHeapBytes = 64 << 20;

// Where the break was when we were loaded; in a program that loads us late, it has grown before.
constinit uintptr_t break_at_load = 0;

// The start of the break. Where that cannot be read, the break at load.
uintptr_t BreakStart() {
  ProcessStatus status;
  ReadProcessStatus(&status);
  return status.start_brk != 0 && status.start_brk < break_at_load ? status.start_brk
                                                                   : break_at_load;
}

// Copies from an address that may be anything.
bool ReadSafely(uintptr_t address, void* to, size_t bytes) {
  const int saved_errno = errno;
  const iovec local{to, bytes};
  const iovec remote{reinterpret_cast<void*>(address), bytes};
  const bool is_read =
      process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes);
  errno = saved_errno;
  return is_read;
}

// A secondary heap begins with the address of its arena, which lies behind some such heap's header.
bool IsSecondaryChunk(uintptr_t address) {
  constexpr uintptr_t kInHeap = kSecondaryHeapBytes - 1;
  constexpr uintptr_t kHeaderBytesMax = 256;
  uintptr_t arena = 0;
  return ReadSafely(address & ~kInHeap, &arena, sizeof(arena)) && arena % 16 == 0 &&
         arena > kInHeap && (arena & kInHeap) < kHeaderBytesMax;
}

// The usable bytes of what looks like a live block of the C library, 0 if it does not.
size_t LibraryBlockBytes(const void* p) {
  const auto address = reinterpret_cast<uintptr_t>(p);
  ChunkHeader header;
  if (address % 16 != 0 || !RegionMap::IsInRange(address) || address < sizeof(header) ||
      !ReadSafely(address - sizeof(header), &header, sizeof(header))) {
    return 0;
  }
  const size_t bytes = header.bytes_and_flags & ~kFlags;
  if ((header.bytes_and_flags & kIsMapped) != 0) {
    const size_t page_bytes = os::PageBytes();
    const bool is_plausible =
        (address - sizeof(header) - header.previous_bytes) % page_bytes == 0 &&
        (bytes + header.previous_bytes) % page_bytes == 0 && bytes >= page_bytes;
    return is_plausible ? bytes - sizeof(header) : 0;
  }
  if (bytes < 32 || bytes % 16 != 0) {
    return 0;
  }
  const bool is_in_break = address + bytes <= reinterpret_cast<uintptr_t>(sbrk(0)) + 8 &&
                           (address >= break_at_load || address >= BreakStart());
  const bool is_secondary =
      (header.bytes_and_flags & kIsSecondary) != 0 && IsSecondaryChunk(address);
  return is_in_break || is_secondary ? bytes - sizeof(size_t) : 0;
}

void FreeForeign(void* p) {
  if (kIsStatic || __libc_free == nullptr || LibraryBlockBytes(p) == 0) {
    FatalBlock("free", p, kForeign);
  }
  __libc_free(p);
}

void* ReallocateForeign(void* p, size_t bytes) {
  if (kIsStatic || __libc_realloc == nullptr || LibraryBlockBytes(p) == 0) {
    FatalBlock("realloc", p, kForeign);
  }
  return __libc_realloc(p, bytes);
}

size_t UsableSizeForeign(const void* p) {
  const size_t bytes = kIsStatic ? 0 : LibraryBlockBytes(p);
  if (bytes == 0) {
    FatalBlock("malloc_usable_size", p, kForeign);
  }
  return bytes;
}

constexpr ForeignHandlers kHandlers{FreeForeign, ReallocateForeign, UsableSizeForeign};

}  // namespace

void StartForeign() {
  break_at_load = reinterpret_cast<uintptr_t>(sbrk(0));
  foreign_handlers = &kHandlers;
}

}  // namespace tally::shim
