// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// dlopen in a library that has a run path of its own, plain and with RTLD_DEEPBIND; and what the
// interposed dlopen must leave as it was: errors, the program's own handle, flags.
//
// usage: runpath_test PATH/librunpath_outer.so

#include <malloc.h>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

static void InnerWorks(void* inner) {
  if (inner == NULL) fprintf(stderr, "%s\n", dlerror());
  EXPECT(inner != NULL);
  if (inner == NULL) return;
  void* (*allocate)(size_t) = NULL;
  *(void**)&allocate = dlsym(inner, "InnerAllocate");
  EXPECT(allocate != NULL);
  for (size_t size = 1; size < 2000000; size = size * 3 + 1) {
    char* p = allocate(size);
    FillPattern(p, size, size);
    p = realloc(p, size + 100);
    EXPECT(p != NULL && HasPattern(p, size, size));
    free(p);
  }
  dlclose(inner);
}

int main(int argc, char** argv) {
  RequireTally();
  if (argc != 2) return 2;
  void* outer = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  EXPECT(outer != NULL);
  if (outer == NULL) return 1;
  void* (*load)(const char*, int) = NULL;
  *(void**)&load = dlsym(outer, "OuterLoad");
  EXPECT(load != NULL);
  // From here the name leads nowhere: the run path is the library's.
  EXPECT(dlopen("librunpath_inner.so", RTLD_NOW) == NULL);
  EXPECT(dlerror() != NULL);
  InnerWorks(load("librunpath_inner.so", RTLD_NOW));
  InnerWorks(load("librunpath_inner.so", RTLD_LAZY | RTLD_DEEPBIND));

  void* program = dlopen(NULL, RTLD_NOW);
  EXPECT(program != NULL && dlsym(program, "malloc") == dlsym(RTLD_DEFAULT, "malloc"));
  EXPECT(dlopen("libtally-no-such-library.so", RTLD_NOW | RTLD_DEEPBIND) == NULL);
  const char* error = dlerror();
  EXPECT(error != NULL && strstr(error, "libtally-no-such-library.so") != NULL);
  EXPECT(dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) == outer);
  return ExpectReport();
}
