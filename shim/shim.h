// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// What the shim's files share.

#ifndef SHIM_SHIM_H_
#define SHIM_SHIM_H_

#include <dlfcn.h>
#include <errno.h>

#include <cstddef>

// Everything else is hidden by the compiler's flags.
#define TALLY_EXPORT [[gnu::visibility("default")]]

namespace tally::shim {

// True in the archive, which also defines the C library's private names.
#ifdef TALLY_STATIC
inline constexpr bool kIsStatic = true;
#else
inline constexpr bool kIsStatic = false;
#endif

inline void* NoMemory() {
  errno = ENOMEM;
  return nullptr;
}

// The definition of a name that comes after ours, looked up once.
template <typename Function>
Function* Next(Function** found, const char* name) {
  if (*found == nullptr) {
    *found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  }
  return *found;
}

// Installs the handlers for pointers of the C library's own malloc (foreign.cc).
void StartForeign();
// Starts the thread that writes reports now and then, if an option asks for it; and again in a
// forked child (reporter.cc). Reports go to `descriptor` where no file is named.
void StartReporter(int descriptor);
void RestartReporter();
// Makes fork take the allocator's locks, if it does not yet (fork.cc).
void RegisterForkHandlers();
// Whether the program's calls of fork come to us first.
bool SeesForks();
// Runs before the program's own constructors (lifecycle.cc). Named here so that malloc.cc can refer
// to it: in a static program nothing else pulls that file out of the archive.
void StartLifecycle(int argc, char** argv, char** environment);

}  // namespace tally::shim

#endif  // SHIM_SHIM_H_
