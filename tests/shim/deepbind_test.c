// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// RTLD_DEEPBIND, the caller's run path under the interposed dlopen, and blocks of the C library.
//
// usage: deepbind_test PATH/libdeepbind_library.so

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/shim/preloaded.h"

static void* (*libc_malloc)(size_t);

static void UseForeign(void) {
  for (size_t bytes = 1; bytes < (4 << 20); bytes = bytes * 2 + 1) {
    char* p = libc_malloc(bytes);
    memset(p, 5, bytes);
    EXPECT(malloc_usable_size(p) >= bytes);
    p = realloc(p, bytes * 2);
    EXPECT(p[0] == 5 && p[bytes - 1] == 5);
    free(p);
  }
}

static void* UseForeignInThread(void* unused) {
  UseForeign();  // a secondary arena
  return unused;
}

int main(int argc, char** argv) {
  EXPECT(argc == 2);
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  EXPECT(library != NULL);
  char* (*copy)(const char*) = (char* (*)(const char*))dlsym(library, "DeepCopy");
  void (*release)(void*) = (void (*)(void*))dlsym(library, "DeepFree");
  void* (*grow)(void*, size_t) = (void* (*)(void*, size_t))dlsym(library, "DeepGrow");
  for (int i = 0; i < 1000; ++i) {
    char* p = copy("text");
    EXPECT(strcmp(p, "text") == 0);
    p = realloc(p, 100);
    p = grow(p, 5000);
    free(p);
    release(malloc(100));
  }
  // Found by this program's own run path alone.
  EXPECT(dlopen("libdeepbind_library.so", RTLD_NOW) != NULL);
  libc_malloc = (void* (*)(size_t))dlsym(RTLD_DEFAULT, "__libc_malloc");
  EXPECT(libc_malloc != NULL);
  UseForeign();
  pthread_t thread;
  pthread_create(&thread, NULL, UseForeignInThread, NULL);
  pthread_join(thread, NULL);
  return Finish();
}
