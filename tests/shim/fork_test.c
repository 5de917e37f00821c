// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// fork while other threads allocate and use stdio; fork in a signal handler that interrupts slow
// paths; children that free their parent's blocks.

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/shim/preloaded.h"

enum { kThreads = 3, kForks = 200, kBlocks = 300 };

static atomic_int stop;

static void Traffic(unsigned* seed) {
  void* blocks[kBlocks];
  for (int i = 0; i < kBlocks; ++i) {
    blocks[i] = malloc((size_t)(rand_r(seed) % 3000) + 1);
    memset(blocks[i], i, 1);
  }
  for (int i = 0; i < kBlocks; ++i) {
    free(blocks[i]);
  }
}

static void* Work(void* number) {
  unsigned seed = (unsigned)(size_t)number;
  while (!atomic_load(&stop)) {
    Traffic(&seed);
    FILE* file = fopen("/dev/null", "w");
    fprintf(file, "text");
    fclose(file);
  }
  return NULL;
}

static void ExpectChild(pid_t child) {
  int status = -1;
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
}

static void TestThreads(void) {
  pthread_t threads[kThreads];
  for (size_t i = 0; i < kThreads; ++i) {
    pthread_create(&threads[i], NULL, Work, (void*)i);
  }
  for (int i = 0; i < kForks; ++i) {
    char* mine = malloc(1000);
    const pid_t child = fork();
    if (child == 0) {
      unsigned seed = 1;
      free(mine);
      for (int round = 0; round < 5; ++round) {
        Traffic(&seed);
      }
      fclose(fopen("/dev/null", "w"));
      // A new thread in the child takes over what a dead one left.
      pthread_t thread;
      atomic_store(&stop, 1);
      _exit(pthread_create(&thread, NULL, Work, NULL) != 0 || pthread_join(thread, NULL) != 0);
    }
    free(mine);
    ExpectChild(child);
  }
  atomic_store(&stop, 1);
  for (int i = 0; i < kThreads; ++i) {
    pthread_join(threads[i], NULL);
  }
}

static atomic_int signal_forks;

static void ForkInHandler(int number) {
  (void)number;
  const pid_t child = fork();
  if (child == 0) {
    _exit(0);
  }
  waitpid(child, NULL, 0);
  atomic_fetch_add(&signal_forks, 1);
}

static void TestSignals(void) {
  signal(SIGUSR1, ForkInHandler);
  const pid_t parent = getpid();
  // No signal before our own fork is over: glibc's waits for itself if a handler forks inside it.
  int is_ready[2];
  EXPECT(pipe(is_ready) == 0);
  const pid_t sender = fork();
  if (sender == 0) {
    char byte;
    if (read(is_ready[0], &byte, 1) != 1) _exit(1);
    for (int i = 0; i < 3000 && kill(parent, SIGUSR1) == 0; ++i) {
      usleep(500);
    }
    _exit(0);
  }
  EXPECT(write(is_ready[1], "", 1) == 1);
  const time_t end = time(NULL) + 3;
  unsigned seed = 7;
  while (time(NULL) < end) {
    Traffic(&seed);
  }
  signal(SIGUSR1, SIG_IGN);
  kill(sender, SIGKILL);
  waitpid(sender, NULL, 0);
  EXPECT(atomic_load(&signal_forks) > 10);
}

int main(void) {
  TestThreads();
  TestSignals();
  return Finish();
}
