// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// libfloor.so: the floor under a malloc and free that do nothing. Preloaded into bench/micro it
// shows what the loop, the calls and the jumps through the PLT cost alone; no allocator can be
// faster. It is for the benchmark Pair with one thread and for nothing else.
//
// Google Benchmark itself must allocate. So malloc serves from memory that only grows until micro
// says, around its timed loop, that one fixed block will do (bench_floor, which micro calls only
// if it is there). While it will, malloc is a load, a branch that is always predicted, and a
// return; free is a return, always. That load and branch are in the floor: real allocators pay for
// their first branch too.
//
// Threads: bench_floor is called while one thread runs; the growing memory is taken by an atomic
// addition.

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { kAlignment = 16, kFixedBlockBytes = 1 << 16 };

// Enough for every filter of micro but runs of many million repetitions; pages come when touched.
static const size_t kGrowingBytes = (size_t)1 << 30;

static _Alignas(4096) char growing[(size_t)1 << 30];
static _Alignas(4096) char fixed_block[kFixedBlockBytes];
static atomic_size_t used = kAlignment;
static int fixed;

EXPORT void bench_floor(int on) { fixed = on; }

static void Exhausted(void) {
  static const char message[] = "libfloor: out of memory; use it with --benchmark_filter=Pair\n";
  if (write(2, message, sizeof message - 1) < 0) _exit(126);
  _exit(125);
}

// The size lies in the 16 bytes before the block.
static void* Grow(size_t size, size_t alignment) {
  if (size > kGrowingBytes || alignment > kGrowingBytes) Exhausted();
  const size_t padded = size + alignment + 2 * kAlignment;
  const size_t end = atomic_fetch_add_explicit(&used, padded, memory_order_relaxed) + padded;
  if (end > kGrowingBytes) Exhausted();
  const uintptr_t start = (uintptr_t)growing + end - padded + kAlignment;
  char* block = (char*)((start + alignment - 1) & ~(uintptr_t)(alignment - 1));
  memcpy(block - sizeof size, &size, sizeof size);
  return block;
}

static size_t SizeOf(const void* block) {
  size_t size;
  if (block == fixed_block) return kFixedBlockBytes;
  memcpy(&size, (const char*)block - sizeof size, sizeof size);
  return size;
}

EXPORT void* malloc(size_t size) {
  if (__builtin_expect(fixed, 1)) return fixed_block;
  return Grow(size, kAlignment);
}

EXPORT void free(void* block) { (void)block; }

EXPORT void* calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) Exhausted();
  return Grow(bytes, kAlignment);  // Never used before, so it is zero.
}

EXPORT void* realloc(void* block, size_t size) {
  void* grown = Grow(size, kAlignment);
  if (block != NULL) {
    const size_t old_size = SizeOf(block);
    memcpy(grown, block, old_size < size ? old_size : size);
  }
  return grown;
}

static size_t AtLeastDefault(size_t alignment) {
  return alignment < kAlignment ? kAlignment : alignment;
}

EXPORT void* aligned_alloc(size_t alignment, size_t size) {
  return Grow(size, AtLeastDefault(alignment));
}

EXPORT void* memalign(size_t alignment, size_t size) {
  return Grow(size, AtLeastDefault(alignment));
}

EXPORT int posix_memalign(void** block, size_t alignment, size_t size) {
  if (alignment < sizeof(void*) || (alignment & (alignment - 1)) != 0) return EINVAL;
  *block = Grow(size, AtLeastDefault(alignment));
  return 0;
}

EXPORT size_t malloc_usable_size(void* block) { return block == NULL ? 0 : SizeOf(block); }
