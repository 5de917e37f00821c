// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Every entry point from several threads on one table of blocks, each with contents that its next
// owner checks; at the same time threads come and go, memory is trimmed and statistics are read.
//
// usage: storm_test [SECONDS [SEED]]

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

enum { kWorkers = 3, kSlots = 6000, kCheckedBytes = 600 };

// A block in the table: who takes it out owns it.
struct Entry {
  size_t size;  // What was asked for.
  uint64_t seed;
};
static _Atomic(struct Entry*) slots[kSlots];
static atomic_int stop;
static uint64_t first_seed = 1;

// Head and tail: enough to see an overlap, cheap enough for large blocks.
static size_t Checked(size_t size) { return size < kCheckedBytes ? size : kCheckedBytes; }

static void Write(struct Entry* entry, size_t size, uint64_t seed) {
  char* bytes = (char*)entry;
  const size_t part = Checked(size - sizeof *entry);
  FillPattern(bytes + size - part, part, seed);
  FillPattern(bytes + sizeof *entry, part, seed);
  entry->size = size;
  entry->seed = seed;
}

static void Verify(const struct Entry* entry) {
  const char* bytes = (const char*)entry;
  const size_t part = Checked(entry->size - sizeof *entry);
  EXPECT(HasPattern(bytes + sizeof *entry, part, entry->seed));
  EXPECT(part < kCheckedBytes || entry->size < 2 * kCheckedBytes + sizeof *entry ||
         HasPattern(bytes + entry->size - part, part, entry->seed));
  EXPECT(malloc_usable_size((void*)entry) >= entry->size);
}

static size_t RandomSize(uint64_t r) {
  const uint64_t value = r >> 16;
  switch (r & 63) {
    case 0:
      return sizeof(struct Entry) + value % 3000000;
    case 1:
    case 2:
      return sizeof(struct Entry) + value % 200000;
    case 3:
    case 4:
    case 5:
    case 6:
      return sizeof(struct Entry) + value % 20000;
    default:
      return sizeof(struct Entry) + value % 600;
  }
}

static struct Entry* Get(uint64_t r, size_t size) {
  const size_t alignment = (size_t)1 << (r >> 8 & 15);
  void* p = NULL;
  switch (r & 15) {
    case 0:
      p = aligned_alloc(alignment, size);
      break;
    case 1:
      p = memalign(alignment, size);
      break;
    case 2:
      if (posix_memalign(&p, alignment < 8 ? 8 : alignment, size) != 0) p = NULL;
      break;
    case 3:
    case 4:
      p = calloc(1, size);
      EXPECT(p != NULL && IsZero(p, Checked(size)) && ((char*)p)[size - 1] == 0);
      return p;
    case 5:
      p = realloc(NULL, size);
      break;
    default:
      return malloc(size);
  }
  EXPECT((r & 15) > 2 || (uintptr_t)p % alignment == 0);
  return p;
}

static void* Work(void* argument) {
  uint64_t random = (uint64_t)(uintptr_t)argument * 7919 + first_seed;
  const int is_short = (uintptr_t)argument > kWorkers;
  for (long i = 0; !stop && (!is_short || i < 3000); ++i) {
    const uint64_t r = NextRandom(&random);
    struct Entry* mine = atomic_exchange(&slots[(r >> 40) % kSlots], NULL);
    if (mine != NULL) {
      Verify(mine);
      if (r % 5 != 0) {
        free(mine);
        mine = NULL;
      }
    }
    const uint64_t s = NextRandom(&random);
    const size_t size = RandomSize(s);
    if (mine == NULL) {
      mine = Get(s >> 6 ^ r, size);
    } else {
      const struct Entry old = *mine;
      const size_t kept = Checked((old.size < size ? old.size : size) - sizeof old);
      mine = realloc(mine, size);
      EXPECT(mine != NULL && HasPattern(mine + 1, kept, old.seed));
    }
    if (mine == NULL) continue;
    Write(mine, size, r);
    free(atomic_exchange(&slots[(s >> 40) % kSlots], mine));
  }
  return NULL;
}

static void* Watch(void* argument) {
  while (!stop) {
    malloc_trim(0);
    const struct mallinfo2 info = mallinfo2();
    EXPECT(info.uordblks <= info.arena + info.hblkhd);
    usleep(3000);
  }
  return argument;
}

int main(int argc, char** argv) {
  RequireTally();
  const int seconds = argc > 1 ? atoi(argv[1]) : 4;
  if (argc > 2) first_seed = strtoull(argv[2], NULL, 10);
  pthread_t threads[kWorkers + 1];
  for (uintptr_t i = 0; i < kWorkers; ++i) pthread_create(&threads[i], NULL, Work, (void*)(i + 1));
  pthread_create(&threads[kWorkers], NULL, Watch, NULL);
  const time_t end = time(NULL) + seconds;
  for (uintptr_t i = kWorkers + 1; time(NULL) < end && expect_failures == 0; ++i) {
    pthread_t passing[3];
    for (int j = 0; j < 3; ++j)
      pthread_create(&passing[j], NULL, Work, (void*)(i * 3 + (uintptr_t)j));
    for (int j = 0; j < 3; ++j) pthread_join(passing[j], NULL);
  }
  stop = 1;
  for (int i = 0; i <= kWorkers; ++i) pthread_join(threads[i], NULL);
  for (int i = 0; i < kSlots; ++i) {
    if (slots[i] != NULL) Verify(slots[i]);
    free(slots[i]);
  }
  malloc_trim(0);
  return ExpectReport();
}
