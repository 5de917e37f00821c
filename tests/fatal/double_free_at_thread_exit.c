// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Nobody flushes by hand: the end of the thread does.
// Expect: free: double free: the block is already free

#include <pthread.h>

#include "tests/fatal/crime.h"

static void* Commit(void* unused) {
  void* p = Name(malloc(200));
  void* q = Hidden(malloc(200));
  free(p);
  free(q);
  free(Hidden(p));
  return unused;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, Commit, NULL);
  pthread_join(thread, NULL);
  return 0;
}
