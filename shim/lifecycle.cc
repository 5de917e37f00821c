// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The process's life: options at start, thread starts and ends, dlopen, the report at exit.
//
// Called by the loader, by pthreads and by exit. The allocator works before any of it.
//
// Threads: the constructor runs while there is one thread; the rest says so at its place.

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <atomic>

#include "allocator/allocator.h"
#include "allocator/directory.h"
#include "allocator/options.h"
#include "allocator/process.h"
#include "allocator/publish.h"
#include "allocator/registry.h"
#include "allocator/report.h"
#include "shim/shim.h"

namespace tally::shim {
namespace {

// Rounds of TLS destructors that we sit out, so that other keys' destructors still find the
// thread's cache. glibc makes PTHREAD_DESTRUCTOR_ITERATIONS (4).
constexpr uintptr_t kRoundsToWait = 2;

constinit pthread_key_t thread_key = 0;
constinit bool has_thread_key = false;
constinit std::atomic<bool> has_thread{false};  // some thread has a cache
constinit int report_descriptor = -1;

void ThreadEnds(void* rounds) {
  const auto round = reinterpret_cast<uintptr_t>(rounds);
  if (round <= kRoundsToWait) {
    pthread_setspecific(thread_key, reinterpret_cast<void*>(round + 1));
    return;
  }
  ThreadExit();
}

void ThreadStarts() {
  if (has_thread_key) {
    pthread_setspecific(thread_key, reinterpret_cast<void*>(uintptr_t{1}));
  }
  if (has_thread.exchange(true)) {
    RegisterForkHandlers();
  }
}

// Programs close stderr before the last destructors run (coreutils do, to find write errors).
void KeepStderr() { report_descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 200); }

bool IsReportWantedAtExit() { return strcmp(options.stats, "exit") == 0; }

bool IsReportWanted() {
  return IsReportWantedAtExit() || options.stats_interval != 0 || *options.stats_signal != '\0';
}

void StartOptions(const char* const* environment) {
  if (getauxval(AT_SECURE) != 0) {
    return;
  }
  options.Parse(environment);
  if (options.help) {
    options.PrintHelp(STDERR_FILENO);
  }
  if (IsReportWanted() && *options.stats_file == '\0') {
    KeepStderr();
  }
  if (!IsReportWantedAtExit() && *options.stats != '\0') {
    Warn("tally: warning: TALLY_STATS: only \"exit\" is known; no report will be printed\n");
  }
  ReportFormat format = ReportFormat::kText;
  if (!ParseReportFormat(options.stats_format, &format)) {
    Warn(
        "tally: warning: TALLY_STATS_FORMAT: not text, json, openmetrics or prometheus; "
        "using text\n");
  }
}

int ReportDescriptor() { return report_descriptor >= 0 ? report_descriptor : STDERR_FILENO; }

[[gnu::destructor(101)]] void End() {
  if (IsReportWantedAtExit()) {
    WriteReportAsConfigured(ReportDescriptor());
  }
  EndPublishing();
}

}  // namespace

// 101 is the earliest a program may ask for: before its own constructors.
[[gnu::constructor(101)]] void StartLifecycle(int /*argc*/, char** /*argv*/, char** environment) {
  out_of_memory_hook = [] { errno = ENOMEM; };
  StartForeign();
  StartOptions(environment);
  FillDirectory();
  if (options.publish) {  // asked here as well: getenv's page is seldom there
    StartPublishing(getenv("XDG_RUNTIME_DIR"));
  }
  has_thread_key = pthread_key_create(&thread_key, ThreadEnds) == 0;
  has_thread = thread_cache != &empty_cache;
  thread_start_hook = ThreadStarts;
  // A child by daemon() or forkpty(), which do not call fork by name, has books of its own.
  if (!SeesForks() || IsReportWanted() || options.publish) {
    RegisterForkHandlers();
  }
  StartReporter(ReportDescriptor());
}

}  // namespace tally::shim

#ifndef TALLY_STATIC

// A library loaded with RTLD_DEEPBIND would call the C library's malloc where the program calls
// ours, and free blocks across. The flag goes; the call is a tail call, so that the C library still
// sees the caller and its run path.
extern "C" TALLY_EXPORT void* dlopen(const char* file, int mode) noexcept {
  using Dlopen = void*(const char*, int);
  static constinit Dlopen* next = nullptr;
  return tally::shim::Next(&next, "dlopen")(file, mode & ~RTLD_DEEPBIND);
}

#endif
