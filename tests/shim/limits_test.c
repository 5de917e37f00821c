// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Memory runs out: in all threads at once, under RLIMIT_DATA, and while a block grows. Null and
// ENOMEM, nothing lost or damaged, and on it goes.
//
// usage: limits_test threads | data | grow

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

static void Limit(int resource, size_t mb) {
  const struct rlimit limit = {mb << 20, mb << 20};
  EXPECT_EQ(setrlimit((__rlimit_resource_t)resource, &limit), 0);
}

// A chain of blocks until null; returns its head and counts them.
static void** TakeAll(size_t size, size_t* count) {
  void** chain = NULL;
  for (*count = 0;; ++*count) {
    errno = 0;
    void** block = Opaque(malloc(size));
    if (block == NULL) {
      EXPECT_EQ(errno, ENOMEM);
      return chain;
    }
    EXPECT_EQ((uintptr_t)block % 16, 0);
    *block = chain;
    chain = block;
  }
}

static void FreeAll(void** chain, size_t count) {
  size_t seen = 0;
  for (; chain != NULL; ++seen) {
    void** next = *chain;
    free(chain);
    chain = next;
  }
  EXPECT_EQ(seen, count);
}

enum { kThreads = 6 };
static pthread_barrier_t barrier;

static void* ExhaustInThread(void* argument) {
  static const size_t kSizes[] = {64, 1000, 4096, 100000, 1 << 20, 8 << 20};
  const int number = (int)(uintptr_t)argument;
  for (int round = 0; round < 6; ++round) {
    pthread_barrier_wait(&barrier);
    size_t count = 0;
    void** chain = TakeAll(kSizes[(round + number) % 6], &count);
    pthread_barrier_wait(&barrier);  // All have met null; now all give back.
    FreeAll(chain, count);
  }
  return NULL;
}

static void InThreads(void) {
  Limit(RLIMIT_AS, 400);
  pthread_barrier_init(&barrier, NULL, kThreads);
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 256 << 10);
  pthread_t threads[kThreads];
  for (uintptr_t i = 0; i < kThreads; ++i) {
    EXPECT_EQ(pthread_create(&threads[i], &small, ExhaustInThread, (void*)i), 0);
  }
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  size_t count = 0;
  void** chain = TakeAll(100000, &count);
  FreeAll(chain, count);
  EXPECT_LE(200 << 20, count * 100000);
}

static void UnderDataLimit(void) {
  Limit(RLIMIT_DATA, 32);
  static const size_t kSizes[] = {24, 500, 5000, 40000, 300000, 2 << 20};
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < sizeof kSizes / sizeof *kSizes; ++i) {
      size_t count = 0;
      void** chain = TakeAll(kSizes[i], &count);
      FreeAll(chain, count);
      // Half the limit: what metadata and what others left behind may not exceed.
      EXPECT_LE(16 << 20, count * kSizes[i]);
    }
  }
}

// Doubles a block until it cannot grow; returns the last size, and frees it.
static size_t GrowToTheLimit(size_t size) {
  char* p = malloc(size);
  EXPECT(p != NULL);
  if (p == NULL) return 0;
  FillPattern(p, 100, 3);
  for (;;) {
    errno = 0;
    char* grown = Opaque(realloc(p, size * 2));
    if (grown == NULL) break;
    p = grown;
    size *= 2;
    EXPECT(HasPattern(p, 100, 3));
  }
  EXPECT_EQ(errno, ENOMEM);
  errno = 0;
  EXPECT(Opaque(calloc(OpaqueSize(300 << 20), 1)) == NULL);
  EXPECT_EQ(errno, ENOMEM);
  EXPECT(Opaque(reallocarray(Opaque(p), OpaqueSize(300 << 20), 1)) == NULL);
  EXPECT(HasPattern(p, 100, 3));
  free(p);
  return size;
}

// A growth that fails must leave nothing behind: the next one gets as far.
static void WhileGrowing(void) {
  Limit(RLIMIT_AS, 256);
  static const size_t kStarts[] = {100, 50000, 250000, 2 << 20, 12500000};
  for (size_t i = 0; i < sizeof kStarts / sizeof *kStarts; ++i) {
    const size_t first = GrowToTheLimit(kStarts[i]);
    EXPECT_LE(32 << 20, first);
    for (int round = 0; round < 4; ++round) EXPECT_EQ(GrowToTheLimit(kStarts[i]), first);
  }
}

int main(int argc, char** argv) {
  RequireTally();
  const char* what = argc > 1 ? argv[1] : "";
  if (!strcmp(what, "threads"))
    InThreads();
  else if (!strcmp(what, "data"))
    UnderDataLimit();
  else if (!strcmp(what, "grow"))
    WhileGrowing();
  else
    return 2;
  return ExpectReport();
}
