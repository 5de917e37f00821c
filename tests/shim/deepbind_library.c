// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A library that allocates and frees, to be loaded with RTLD_DEEPBIND.

#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) char* DeepCopy(const char* text) { return strdup(text); }
__attribute__((visibility("default"))) void DeepFree(void* p) { free(p); }
__attribute__((visibility("default"))) void* DeepGrow(void* p, size_t bytes) {
  return realloc(p, bytes);
}
