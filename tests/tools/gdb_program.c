// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Blocks in every state, for gdb_test.py: prints lines of a name and addresses, then "ready", and
// waits to be looked at.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

__attribute__((weak)) void* tally_malloc8(size_t bytes);

enum { kMany = 1500, kRemote = 100, kTiny = 400 };

static void* many[kMany];
static void* remote[kRemote];
static void* tiny[kTiny];

static void* Allocate(size_t bytes) {
  void* block = malloc(bytes);
  if (block == NULL) {
    abort();
  }
  return block;
}

static void Print(const char* name, void* const* addresses, size_t count) {
  printf("%s", name);
  for (size_t i = 0; i < count; ++i) {
    printf(" %p", addresses[i]);
  }
  printf("\n");
}

static void PrintOne(const char* name, void* address) { Print(name, &address, 1); }

// More than a batch: one goes to the inbox of the heap that owns the blocks, one is begun.
static void* FreeRemoteBlocks(void* is_done) {
  for (size_t i = 0; i < kRemote; ++i) {
    free(remote[i]);
  }
  printf("freer %d\n", gettid());
  pthread_barrier_wait(is_done);
  pause();
  return NULL;
}

static void* AllocateAndEnd(void* block) {
  *(void**)block = Allocate(40);
  return NULL;
}

static void AllocateInMain(void) {
  for (size_t i = 0; i < kMany; ++i) {
    many[i] = Allocate(1000);
  }
  for (size_t i = 0; i < kRemote; ++i) {
    remote[i] = Allocate(300);
  }
  for (size_t i = 0; i < kTiny; ++i) {
    tiny[i] = tally_malloc8 != NULL ? tally_malloc8(8) : NULL;
  }
  // More than a magazine takes: some go to the depot, some to their pools.
  for (size_t i = 0; i < kMany; ++i) {
    free(many[i]);
  }
  for (size_t i = 0; i < kTiny; i += 3) {
    free(tiny[i]);
  }
  Print("many", many, kMany);
  Print("remote", remote, kRemote);
  Print("tiny", tiny, kTiny);
}

int main(void) {
  static char buffer[1 << 16];
  static void* from_thread;
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);  // gdb is no parent of ours
  setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
  AllocateInMain();
  PrintOne("live", Allocate(48));
  PrintOne("lines", Allocate(128));
  PrintOne("large", Allocate(100000));
  PrintOne("huge", Allocate(20 << 20));
  void* spare = NULL;
  for (int i = 0; i < 4; ++i) {  // kept once it was wanted again
    spare = Allocate(12 << 20);
    free(spare);
  }
  PrintOne("spare", spare);
  char* freed = Allocate(200000);
  free(freed);
  PrintOne("pool", freed + 190000);  // its first pools are soon taken again
  PrintOne("stack", &spare);
  PrintOne("static", many);
  pthread_t threads[2];
  pthread_barrier_t is_done;
  if (pthread_barrier_init(&is_done, NULL, 2) != 0 ||
      pthread_create(&threads[0], NULL, FreeRemoteBlocks, &is_done) != 0) {
    return 1;
  }
  pthread_barrier_wait(&is_done);
  if (pthread_create(&threads[1], NULL, AllocateAndEnd, &from_thread) != 0 ||
      pthread_join(threads[1], NULL) != 0) {
    return 1;
  }
  PrintOne("other", from_thread);
  printf("ready %d\n", getpid());
  fflush(stdout);
  pause();
  return 0;
}
