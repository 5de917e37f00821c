// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A signal handler that forks while the thread it interrupts is anywhere inside malloc or free.
// fork is async-signal-safe by its older promise, and programs rely on it.
//
// The argument says what happens: "exit" (the child ends at once), "continue" (the child returns
// from the handler into the interrupted call and goes on), "threads" (as exit, with other threads
// allocating too).

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

enum { kForks = 1000, kTimeLimitSeconds = 50, kHeld = 256 };

static volatile sig_atomic_t forks, failed_children, in_child;
static atomic_int stop;
static int child_continues;

static void OnSignal(int number) {
  (void)number;
  const int saved_errno = errno;
  if (in_child || forks >= kForks) return;
  const pid_t child = fork();
  if (child == 0) {
    if (!child_continues) _exit(0);
    in_child = 1;
    alarm(kTimeLimitSeconds / 3);
    errno = saved_errno;
    return;
  }
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) ++failed_children;
  ++forks;
  errno = saved_errno;
}

// Sizes of every kind, so that the signal falls into fast and slow paths alike.
static void Churn(uint64_t* random, char** held, size_t* sizes) {
  const uint64_t r = NextRandom(random);
  const size_t i = r % kHeld;
  if (held[i] != NULL) {
    EXPECT(held[i][0] == (char)i && held[i][sizes[i] - 1] == (char)i);
    free(held[i]);
  }
  sizes[i] = r % 64 == 0 ? 1 + (r >> 20) % 300000 : 1 + (r >> 20) % 2000;
  held[i] = malloc(sizes[i]);
  if (held[i] == NULL) {
    ExpectFailed(__FILE__, __LINE__, "malloc");
    _exit(1);
  }
  held[i][0] = held[i][sizes[i] - 1] = (char)i;
}

static void* OtherThread(void* argument) {
  uint64_t random = (uint64_t)(uintptr_t)argument;
  char* held[kHeld] = {0};
  size_t sizes[kHeld];
  while (!stop) Churn(&random, held, sizes);
  for (int i = 0; i < kHeld; ++i) free(held[i]);
  return NULL;
}

// In a child: carry on with the heap that the parent had in its hands. No stdio, it may be locked.
static void ContinueInChild(uint64_t* random, char** held, size_t* sizes) {
  for (int i = 0; i < 20000; ++i) Churn(random, held, sizes);
  for (int i = 0; i < kHeld; ++i) free(held[i]);
  _exit(expect_failures != 0);
}

int main(int argc, char** argv) {
  RequireTally();
  const char* mode = argc > 1 ? argv[1] : "exit";
  child_continues = strcmp(mode, "continue") == 0;
  alarm(kTimeLimitSeconds);
  // Neither a starting thread nor our own fork below is to be interrupted: fork inside fork waits
  // for itself in any C library.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  pthread_t threads[2];
  const int thread_count = strcmp(mode, "threads") == 0 ? 2 : 0;
  for (int i = 0; i < thread_count; ++i) {
    pthread_create(&threads[i], NULL, OtherThread, (void*)(uintptr_t)(i + 2));
  }
  struct sigaction action = {.sa_handler = OnSignal, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  // A process of its own sends the signals, at moments unrelated to ours. The pauses are shorter
  // than a fork takes to leave little but allocation between two signals.
  const pid_t parent = getpid();
  const pid_t sender = fork();
  if (sender == 0) {
    while (getppid() == parent) {
      kill(parent, SIGUSR1);
      usleep(100);
    }
    _exit(0);
  }
  static char* held[kHeld];
  static size_t sizes[kHeld];
  uint64_t random = 1;
  pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
  while (forks < kForks && failed_children == 0) {
    Churn(&random, held, sizes);
    if (in_child) ContinueInChild(&random, held, sizes);
  }
  if (in_child) ContinueInChild(&random, held, sizes);
  kill(sender, SIGKILL);
  waitpid(sender, NULL, 0);
  stop = 1;
  for (int i = 0; i < thread_count; ++i) pthread_join(threads[i], NULL);
  for (int i = 0; i < kHeld; ++i) free(held[i]);
  EXPECT_EQ(failed_children, 0);
  EXPECT_EQ(forks, kForks);
  return ExpectReport();
}
