// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The library loaded by dlopen into a program that runs on another malloc already: its
// thread-local storage must fit, and blocks of both sides must find their way home.
//
// usage: late_load_test PATH/libtally.so

#include <pthread.h>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

static void* (*tally_side_malloc)(size_t);
static void* (*tally_side_realloc)(void*, size_t);
static void (*tally_side_free)(void*);

static void Use(void) {
  for (size_t size = 1; size < 3000000; size = size * 2 + 1) {
    char* ours = malloc(size);  // The C library's: this program was bound to it at start.
    FillPattern(ours, size, size);
    char* theirs = tally_side_malloc(size);
    EXPECT(theirs != NULL);
    FillPattern(theirs, size, size + 1);
    EXPECT(HasPattern(ours, size, size));
    theirs = tally_side_realloc(theirs, size * 2);
    EXPECT(HasPattern(theirs, size, size + 1));
    tally_side_free(theirs);
    // A foreign block: grown and freed through Tally.
    ours = tally_side_realloc(ours, size * 2);
    EXPECT(HasPattern(ours, size, size));
    tally_side_free(ours);
  }
}

static void* InThread(void* argument) {
  Use();
  return argument;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  char* before = malloc(100);
  FillPattern(before, 100, 5);
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  EXPECT(library != NULL);
  if (library == NULL) return 1;
  EXPECT(HasPattern(before, 100, 5));
  free(before);
  *(void**)&tally_side_malloc = dlsym(library, "malloc");
  *(void**)&tally_side_realloc = dlsym(library, "realloc");
  *(void**)&tally_side_free = dlsym(library, "free");
  EXPECT((void*)tally_side_malloc != dlsym(RTLD_DEFAULT, "__libc_malloc"));
  Use();
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, InThread, NULL);
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  EXPECT_EQ(dlclose(library), 0);
  Use();  // Never unloaded: threads and blocks may still need it.
  return ExpectReport();
}
