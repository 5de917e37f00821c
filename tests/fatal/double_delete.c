// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// In C++'s clothes: what dies is called free all the same.
// Expect: free: double free: the block is already free

#define _GNU_SOURCE
#include <dlfcn.h>

#include "tests/fatal/crime.h"

int main(void) {
  void* (*new_by_name)(size_t) = (void* (*)(size_t))dlsym(RTLD_DEFAULT, "_Znwm");
  void (*delete_by_name)(void*) = (void (*)(void*))dlsym(RTLD_DEFAULT, "_ZdlPv");
  void* p = Name(new_by_name(72));
  delete_by_name(p);
  delete_by_name(Hidden(p));
  malloc_trim(0);
  return 0;
}
