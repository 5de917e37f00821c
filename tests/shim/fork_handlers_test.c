// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Handlers of the program's around fork: they may allocate, and wait for a thread that does. So the
// allocator's locks must be taken after all of theirs, whoever registered first. A thread that
// finds a lock taken hangs, and the alarm ends the test.
//
// usage: fork_handlers_test before|after: the program registers before or after its second thread

#include <malloc.h>
#include <pthread.h>
#include <pty.h>
#include <semaphore.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

enum { kForks = 20, kTimeLimitSeconds = 30 };

static sem_t wanted, done;
static int prepared, in_parent, in_child;

// Takes every lock there is, and gives it back.
static void* AllocateWhenWanted(void* argument) {
  for (;;) {
    sem_wait(&wanted);
    free(malloc(1000));
    malloc_trim(0);
    sem_post(&done);
  }
  return argument;
}

static void Prepare(void) {
  ++prepared;
  sem_post(&wanted);
  sem_wait(&done);
  free(malloc(300000));
}

static void InParent(void) {
  ++in_parent;
  free(malloc(300000));
}

static void InChild(void) {
  ++in_child;
  free(malloc(300000));
}

static int Child(int number) {
  EXPECT_EQ(in_child, 1);
  char* block = malloc(5000);
  FillPattern(block, 5000, (uint64_t)number);
  const pid_t grandchild = vfork();
  if (grandchild == 0) _exit(3);
  int status = 0;
  EXPECT_EQ(waitpid(grandchild, &status, 0), grandchild);
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT(HasPattern(block, 5000, (uint64_t)number));
  free(block);
  malloc_trim(0);
  return ExpectReport();
}

// forkpty does not call fork by its name. The first one comes while there is one thread.
static void TestForkpty(void) {
  int terminal = -1;
  char* mine = malloc(100);
  const pid_t child = forkpty(&terminal, NULL, NULL, NULL);
  if (child == 0) {
    free(mine);
    free(malloc(100000));
    malloc_trim(0);
    _exit(ExpectReport());
  }
  free(mine);
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  close(terminal);
}

static void Register(void) { EXPECT_EQ(pthread_atfork(Prepare, InParent, InChild), 0); }

static void StartThread(void) {
  pthread_t thread;
  EXPECT_EQ(pthread_create(&thread, NULL, AllocateWhenWanted, NULL), 0);
  sem_post(&wanted);  // it has a cache of its own when this returns
  sem_wait(&done);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  RequireTally();
  alarm(kTimeLimitSeconds);
  sem_init(&wanted, 0, 0);
  sem_init(&done, 0, 0);
  TestForkpty();
  if (strcmp(argv[1], "before") == 0) {
    Register();
    StartThread();
  } else {
    StartThread();
    Register();
  }
  for (int i = 0; i < kForks; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(Child(i));
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(prepared, kForks);
  EXPECT_EQ(in_parent, kForks);
  EXPECT_EQ(in_child, 0);
  return ExpectReport();
}
