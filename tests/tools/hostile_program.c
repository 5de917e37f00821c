// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A published process that means harm: what its directory says changes all the time, field by
// field, to numbers and addresses that make no sense. Readers must bear it.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t state = 88172645463325252u;

static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

int main(void) {
  uint64_t* directory = dlsym(RTLD_DEFAULT, "tally_stats_directory");
  if (directory == NULL) {
    return 1;
  }
  const uint64_t fields = directory[2] / sizeof(uint64_t);
  uint64_t good[256];
  for (uint64_t i = 0; i < fields; ++i) {
    good[i] = directory[i];
  }
  for (;;) {
    const uint64_t field = 3 + next() % (fields - 3);  // magic, version and length stay
    const uint64_t kinds[] = {
        0, 1, next() % 4096, next() % 100000, next(), good[next() % fields], good[field] + 8};
    directory[field] = kinds[next() % (sizeof(kinds) / sizeof(kinds[0]))];
    usleep(3000);
    directory[field] = good[field];
  }
}
