// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// vfork, posix_spawn, system and popen while other threads allocate. A vfork child shares the
// parent's memory and thread pointer: what it allocates before exec must not confuse the parent.

#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

extern char** environ;
static atomic_int stop;

static void* Allocate(void* argument) {
  uint64_t random = (uint64_t)(uintptr_t)argument;
  void* held[64] = {0};
  while (!stop) {
    const uint64_t r = NextRandom(&random);
    free(held[r >> 58]);
    held[r >> 58] = malloc((r >> 8) % 5000);
  }
  for (int i = 0; i < 64; ++i) free(held[i]);
  return NULL;
}

static void ExpectExit(pid_t child, int code) {
  int status = -1;
  EXPECT(child > 0);
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

// The child's blocks live in the parent's heap; the parent frees them.
static void VforkAllocates(void) {
  static void* volatile from_child[100];
  const pid_t child = vfork();
  if (child == 0) {
    for (int i = 0; i < 100; ++i) from_child[i] = malloc(1 + (size_t)i * 37);
    for (int i = 0; i < 100; i += 2) free(from_child[i]);
    execl("/bin/sh", "sh", "-c", "exit 7", (char*)NULL);
    _exit(9);
  }
  ExpectExit(child, 7);
  for (int i = 1; i < 100; i += 2) {
    memset(from_child[i], 1, 1 + (size_t)i * 37);
    free(from_child[i]);
  }
}

int main(void) {
  RequireTally();
  alarm(60);
  pthread_t threads[2];
  for (uintptr_t i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, Allocate, (void*)(i + 1));
  for (int i = 0; i < 25; ++i) {
    VforkAllocates();
    pid_t child = 0;
    char* arguments[] = {"sh", "-c", "exit 3", NULL};
    EXPECT_EQ(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ), 0);
    ExpectExit(child, 3);
    EXPECT_EQ(WEXITSTATUS(system("exit 5")), 5);
    FILE* pipe = popen("echo hello", "r");
    char line[32] = "";
    EXPECT(pipe != NULL && fgets(line, sizeof line, pipe) != NULL);
    EXPECT(strcmp(line, "hello\n") == 0);
    EXPECT_EQ(pclose(pipe), 0);
  }
  stop = 1;
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  return ExpectReport();
}
