// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Memory runs out under RLIMIT_AS: null and ENOMEM, nothing lost, and on it goes.

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/shim/preloaded.h"

enum { kLimitMb = 256 };

// Takes blocks until null; returns the bytes got.
static size_t Exhaust(size_t bytes) {
  void* chain = NULL;
  size_t count = 0;
  errno = 0;
  for (;;) {
    void** block = Hidden(malloc(bytes));
    if (block == NULL) {
      break;
    }
    *block = chain;
    chain = block;
    ++count;
  }
  EXPECT(errno == ENOMEM);
  errno = 0;
  EXPECT(Hidden(calloc(bytes, 1)) == NULL && errno == ENOMEM);
  if (chain != NULL) {
    void* next = *(void**)chain;
    EXPECT(Hidden(realloc(chain, (size_t)1 << 40)) == NULL);
    EXPECT(*(void**)chain == next);
  }
  while (chain != NULL) {
    void* next = *(void**)chain;
    free(chain);
    chain = next;
  }
  return count * bytes;
}

int main(void) {
  const struct rlimit limit = {(rlim_t)kLimitMb << 20, (rlim_t)kLimitMb << 20};
  EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
  static const size_t kSizes[] = {16, 64, 4096, 100000, 1 << 20};
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < sizeof(kSizes) / sizeof(kSizes[0]); ++i) {
      // Half of the limit is what any request pattern must get.
      EXPECT(Exhaust(kSizes[i]) > ((size_t)kLimitMb << 20) / 2);
    }
  }
  void* p = Hidden(malloc(10 << 20));
  EXPECT(p != NULL);
  free(p);
  return Finish();
}
