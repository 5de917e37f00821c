// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Forks while another thread reads the books: the child must be able to read them too.

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/shim/expect.h"

enum { kForks = 300, kSecondsMax = 20 };

static atomic_int is_done;

static void* ReadBooks(void* argument) {
  while (!atomic_load(&is_done)) {
    EXPECT(mallinfo2().uordblks > 0);
  }
  return argument;
}

int main(void) {
  RequireTally();
  alarm(kSecondsMax);  // a child that waits for a lock nobody holds would wait for ever
  pthread_t reader;
  pthread_create(&reader, NULL, ReadBooks, NULL);
  for (int i = 0; i < kForks; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(kSecondsMax);
      _exit(mallinfo2().uordblks > 0 ? 0 : 1);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  atomic_store(&is_done, 1);
  pthread_join(reader, NULL);
  return ExpectReport();
}
