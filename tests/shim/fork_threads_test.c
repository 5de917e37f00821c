// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// fork in a program whose other threads allocate and use stdio without pause. A child that
// inherits any lock held by a thread it does not have hangs, and the alarm ends the test.
//

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

enum { kForks = 300, kShared = 512, kThreads = 5, kTimeLimitSeconds = 60 };

static atomic_int stop;
static void* shared_blocks[kShared];

// Bursts of one size, so that most of the time goes to moving blocks to and from the heap: it is
// there that fork must not freeze a thread with its books half written.
static void* Allocate(void* argument) {
  uint64_t random = (uint64_t)(uintptr_t)argument;
  enum { kBurst = 300 };
  void* held[kBurst];
  while (!stop) {
    const uint64_t r = NextRandom(&random);
    const size_t size = r % 64 == 0 ? (r >> 8) % 200000 : 1 + (r >> 8) % 1000;
    const int count = size < 2000 ? kBurst : 5;
    for (int i = 0; i < count; ++i) held[i] = malloc(size);
    for (int i = 0; i < count; ++i) free(held[i]);
  }
  return NULL;
}

// One thread writes, which allocates a buffer under the stream's lock; another flushes all, which
// waits for that lock under the list's. With fork waiting for the list the circle would be closed.
static void* UseStdio(void* argument) {
  (void)argument;
  while (!stop) {
    FILE* file = fopen("/dev/null", "w");
    if (file == NULL) {
      ExpectFailed(__FILE__, __LINE__, "fopen");
      return NULL;
    }
    fprintf(file, "%d", 1);
    fflush(NULL);
    fclose(file);
  }
  return NULL;
}

// A thread of the child may inherit what a thread of the parent was frozen with. No block may be
// handed out twice for it.
static void* ChildThread(void* argument) {
  enum { kHeld = 2000 };
  const uint64_t seed = (uint64_t)(uintptr_t)argument;
  char** held = malloc(kHeld * sizeof *held);
  for (size_t i = 0; i < kHeld; ++i) {
    const size_t size = 1 + i * 7 % 1000;
    held[i] = malloc(size);
    FillPattern(held[i], size, seed + i);
  }
  for (size_t i = 0; i < kHeld; ++i) {
    EXPECT(HasPattern(held[i], 1 + i * 7 % 1000, seed + i));
    free(held[i]);
  }
  free(held);
  return NULL;
}

// What a child may do: everything. It is a process like any other.
static int Child(int number) {
  alarm(kTimeLimitSeconds / 3);
  for (int i = 0; i < kShared; ++i) {
    EXPECT(HasPattern(shared_blocks[i], 100 + (size_t)i, (uint64_t)i));
    free(shared_blocks[i]);
  }
  void* held[200];
  for (int i = 0; i < 200; ++i) held[i] = memset(malloc((size_t)i * 50), 1, (size_t)i * 50);
  for (int i = 0; i < 200; ++i) free(held[i]);
  FILE* file = fopen("/dev/null", "w");
  EXPECT(file != NULL && fprintf(file, "%d", number) > 0);
  fflush(NULL);
  if (file) fclose(file);
  if (number % 4 == 0) {
    pthread_t threads[4];
    for (uintptr_t i = 0; i < 4; ++i) {
      EXPECT_EQ(pthread_create(&threads[i], NULL, ChildThread, (void*)(i * 10000 + 1)), 0);
    }
    for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
    const pid_t grandchild = fork();
    if (grandchild == 0) _exit(Opaque(malloc(100)) == NULL);
    int status;
    waitpid(grandchild, &status, 0);
    EXPECT_EQ(status, 0);
  }
  malloc_trim(0);
  return ExpectReport();
}

int main(void) {
  RequireTally();
  alarm(kTimeLimitSeconds);
  for (int i = 0; i < kShared; ++i) {
    shared_blocks[i] = malloc(100 + (size_t)i);
    FillPattern(shared_blocks[i], 100 + (size_t)i, (uint64_t)i);
  }
  pthread_t threads[kThreads];
  for (uintptr_t i = 0; i < kThreads; ++i) {
    pthread_create(&threads[i], NULL, i < 3 ? Allocate : UseStdio, (void*)(i + 1));
  }
  for (int i = 0; i < kForks; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      const int failed = Child(i);
      if (i % 2) _exit(failed);
      exit(failed);
    }
    EXPECT(child > 0);
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    if (status != 0) break;
    free(Opaque(malloc((size_t)i * 100)));
  }
  stop = 1;
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  for (int i = 0; i < kShared; ++i) {
    EXPECT(HasPattern(shared_blocks[i], 100 + (size_t)i, (uint64_t)i));
    free(shared_blocks[i]);
  }
  return ExpectReport();
}
