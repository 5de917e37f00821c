// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// fork in a program whose other threads allocate and use stdio without pause. A child that
// inherits any lock held by a thread it does not have hangs, and the alarm ends the test.
//
// stdio matters because its list lock and the allocator's locks are taken in both orders: opening a
// stream allocates under none, flushing all streams may allocate under the list's.

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

enum { kForks = 300, kShared = 512, kTimeLimitSeconds = 60 };

static atomic_int stop;
static void* shared_blocks[kShared];

static void* Allocate(void* argument) {
  uint64_t random = (uint64_t)(uintptr_t)argument;
  void* held[64] = {0};
  while (!stop) {
    const uint64_t r = NextRandom(&random);
    const size_t size = r % 16 == 0 ? (r >> 8) % 200000 : (r >> 8) % 1000;
    free(held[r >> 58]);
    held[r >> 58] = malloc(size);
  }
  for (int i = 0; i < 64; ++i) free(held[i]);
  return NULL;
}

static void* UseStdio(void* argument) {
  (void)argument;
  while (!stop) {
    FILE* file = fopen("/dev/null", "w");
    char* text;
    size_t length;
    FILE* memory = open_memstream(&text, &length);
    if (file == NULL || memory == NULL) {
      ExpectFailed(__FILE__, __LINE__, "fopen");
      return NULL;
    }
    for (int i = 0; i < 200; ++i) fprintf(memory, "%d ", i);
    fprintf(file, "%d", 1);
    fflush(NULL);
    fclose(file);
    fclose(memory);
    free(text);
  }
  return NULL;
}

static void* ChildThread(void* argument) {
  for (int i = 0; i < 1000; ++i) free(Opaque(malloc((size_t)i * 3)));
  return argument;
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
  if (number % 10 == 0) {
    pthread_t thread;
    EXPECT_EQ(pthread_create(&thread, NULL, ChildThread, NULL), 0);
    pthread_join(thread, NULL);
    const pid_t grandchild = fork();
    if (grandchild == 0) _exit(Opaque(malloc(100)) == NULL);
    int status;
    waitpid(grandchild, &status, 0);
    EXPECT_EQ(status, 0);
    malloc_trim(0);
  }
  return ExpectReport();
}

int main(void) {
  RequireTally();
  alarm(kTimeLimitSeconds);
  for (int i = 0; i < kShared; ++i) {
    shared_blocks[i] = malloc(100 + (size_t)i);
    FillPattern(shared_blocks[i], 100 + (size_t)i, (uint64_t)i);
  }
  pthread_t threads[4];
  for (uintptr_t i = 0; i < 4; ++i) {
    pthread_create(&threads[i], NULL, i < 2 ? Allocate : UseStdio, (void*)(i + 1));
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
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  for (int i = 0; i < kShared; ++i) {
    EXPECT(HasPattern(shared_blocks[i], 100 + (size_t)i, (uint64_t)i));
    free(shared_blocks[i]);
  }
  return ExpectReport();
}
