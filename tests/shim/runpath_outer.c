// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A plugin that loads another by bare name, from the folder its own DT_RUNPATH ($ORIGIN/inner)
// says: dlopen looks at its caller's run path, so an interposed one must not become the caller.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

__attribute__((visibility("default"))) void* OuterLoad(const char* name, int flags) {
  return dlopen(name, flags);
}
