// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Freed by a thread that does not own it: seen when the batch comes home.
// Expect: free: not the start of a block (interior or unaligned pointer)

#include <pthread.h>

#include "tests/fatal/crime.h"

static void* FreeInThread(void* p) {
  free(Hidden(p));
  return NULL;
}

int main(void) {
  char* p = Hidden(malloc(256));
  pthread_t thread;
  pthread_create(&thread, NULL, FreeInThread, Name(p + 16));
  pthread_join(thread, NULL);
  malloc_trim(0);
  return 0;
}
