// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// What the crimes share. A crime names the address that the last line must name, commits itself,
// and flushes the thread's magazines, at the latest when it must have been seen.

#ifndef TESTS_FATAL_CRIME_H_
#define TESTS_FATAL_CRIME_H_

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Out of the compiler's sight, so that it neither warns nor removes anything.
static inline void* Hidden(void* p) {
  __asm__ volatile("" : "+r"(p));
  return p;
}

// "0x..." on stdout, for the runner to put in place of ADDRESS.
static inline void* Name(void* p) {
  printf("0x%lx\n", (unsigned long)(uintptr_t)p);
  fflush(stdout);
  return Hidden(p);
}

#endif  // TESTS_FATAL_CRIME_H_
