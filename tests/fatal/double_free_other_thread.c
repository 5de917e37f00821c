// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Two threads that are not the owner free one block.
// Expect: free: double free: the block is already free

#include <pthread.h>

#include "tests/fatal/crime.h"

static void* FreeInThread(void* p) {
  free(Hidden(p));
  return NULL;
}

int main(void) {
  void* p = Name(malloc(100));
  pthread_t thread;
  for (int i = 0; i < 2; ++i) {
    pthread_create(&thread, NULL, FreeInThread, p);
    pthread_join(thread, NULL);
  }
  malloc_trim(0);
  return 0;
}
