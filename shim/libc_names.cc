// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The C library's private names for its malloc, which a static program may link against. Only the
// archive defines them: in a shared library they would hide the functions that foreign blocks go
// to.

#include <cstddef>

#include "shim/shim.h"

#ifdef TALLY_STATIC

extern "C" {
void* malloc(size_t bytes) noexcept;
void free(void* p) noexcept;
void* calloc(size_t count, size_t each) noexcept;
void* realloc(void* p, size_t bytes) noexcept;
void* memalign(size_t alignment, size_t bytes) noexcept;
void* valloc(size_t bytes) noexcept;
void* pvalloc(size_t bytes) noexcept;
int posix_memalign(void** result, size_t alignment, size_t bytes) noexcept;

TALLY_EXPORT void* __libc_malloc(size_t bytes) noexcept { return malloc(bytes); }
TALLY_EXPORT void __libc_free(void* p) noexcept { free(p); }
TALLY_EXPORT void* __libc_calloc(size_t count, size_t each) noexcept { return calloc(count, each); }
TALLY_EXPORT void* __libc_realloc(void* p, size_t bytes) noexcept { return realloc(p, bytes); }
TALLY_EXPORT void* __libc_memalign(size_t alignment, size_t bytes) noexcept {
  return memalign(alignment, bytes);
}
TALLY_EXPORT void* __libc_valloc(size_t bytes) noexcept { return valloc(bytes); }
TALLY_EXPORT void* __libc_pvalloc(size_t bytes) noexcept { return pvalloc(bytes); }
TALLY_EXPORT int __posix_memalign(void** result, size_t alignment, size_t bytes) noexcept {
  return posix_memalign(result, alignment, bytes);
}
}  // extern "C"

#endif
