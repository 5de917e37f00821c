// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The C entry points: a line or two each, with glibc's edge semantics. Out of memory becomes errno
// in the shim alone.
//
// Called by programs. Threads: any. No symbol version: the dynamic linker matches unversioned
// definitions to malloc@GLIBC_2.2.5.

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <bit>

#include "allocator/allocator.h"
#include "allocator/os.h"
#include "shim/shim.h"

namespace {

// std::has_single_bit counts bits, by a call where the machine may lack the instruction.
bool IsPowerOfTwo(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

// The rest of posix_memalign, which leaves errno alone.
[[gnu::noinline]] int AllocateAlignedKeepingErrno(void** result, size_t alignment, size_t bytes) {
  const int saved_errno = errno;
  void* block = tally::AllocateAlignedSlow(bytes, alignment);
  if (block == nullptr) {
    errno = saved_errno;
    return ENOMEM;
  }
  *result = block;
  return 0;
}

[[gnu::used]] void (*const kKeepLifecycle)(int, char**, char**) = tally::shim::StartLifecycle;
}  // namespace

extern "C" {

TALLY_EXPORT void* malloc(size_t bytes) noexcept { return tally::Allocate(bytes); }

TALLY_EXPORT void free(void* p) noexcept { tally::Free(p); }

TALLY_EXPORT void* calloc(size_t count, size_t each) noexcept {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, each, &bytes)) {
    return tally::shim::NoMemory();
  }
  return tally::AllocateZeroed(bytes);
}

TALLY_EXPORT void* realloc(void* p, size_t bytes) noexcept {
  if (p == nullptr) {
    return malloc(bytes);
  }
  if (bytes == 0) {  // as glibc: frees and says so by null
    free(p);
    return nullptr;
  }
  return tally::Reallocate(p, bytes);
}

TALLY_EXPORT void* reallocarray(void* p, size_t count, size_t each) noexcept {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, each, &bytes)) {
    return tally::shim::NoMemory();
  }
  return realloc(p, bytes);
}

TALLY_EXPORT int posix_memalign(void** result, size_t alignment, size_t bytes) noexcept {
  if (!IsPowerOfTwo(alignment) || alignment % sizeof(void*) != 0) {
    return EINVAL;
  }
  void* block = tally::TryAllocateAligned(bytes, alignment);
  if (block == nullptr) [[unlikely]] {
    return AllocateAlignedKeepingErrno(result, alignment, bytes);
  }
  *result = block;
  return 0;
}

TALLY_EXPORT void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
  if (!IsPowerOfTwo(alignment)) {  // as glibc from 2.38 on
    errno = EINVAL;
    return nullptr;
  }
  return tally::AllocateAligned(bytes, alignment);
}

TALLY_EXPORT void* memalign(size_t alignment, size_t bytes) noexcept {
  if (alignment > PTRDIFF_MAX / size_t{2}) {
    errno = EINVAL;
    return nullptr;
  }
  return tally::AllocateAligned(bytes, std::bit_ceil(alignment));
}

TALLY_EXPORT void* valloc(size_t bytes) noexcept {
  return tally::AllocateAligned(bytes, tally::os::PageBytes());
}

TALLY_EXPORT void* pvalloc(size_t bytes) noexcept {
  const size_t page_bytes = tally::os::PageBytes();
  size_t rounded = 0;
  if (__builtin_add_overflow(bytes, page_bytes - 1, &rounded)) {
    return tally::shim::NoMemory();
  }
  rounded &= ~(page_bytes - 1);
  return tally::AllocateAligned(rounded == 0 ? page_bytes : rounded, page_bytes);
}

TALLY_EXPORT size_t malloc_usable_size(void* p) noexcept { return tally::UsableSize(p); }

TALLY_EXPORT void cfree(void* p) noexcept { tally::Free(p); }

// After realloc, which leaves blocks where they are and gives them room, the size may be of another
// class.
TALLY_EXPORT void free_sized(void* p, size_t /*bytes*/) noexcept { tally::Free(p); }

TALLY_EXPORT void free_aligned_sized(void* p, size_t /*alignment*/, size_t /*bytes*/) noexcept {
  tally::Free(p);
}

// jemalloc's: what an allocation of `bytes` could hold. Redis asks for it.
TALLY_EXPORT size_t nallocx(size_t bytes, int /*flags*/) noexcept { return tally::GoodSize(bytes); }

}  // extern "C"
