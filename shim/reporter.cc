// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The reporter: a thread that writes reports every TALLY_STATS_INTERVAL seconds and when
// TALLY_STATS_SIGNAL comes. Opt-in; without either option there is no thread.
//
// The handler only posts a semaphore, so a signal may come at any time, in the middle of malloc
// too. The thread blocks every signal, is started anew in a forked child, and never keeps a process
// alive: where it is the last thread it does what the C library does for the last one, exit(0).
//
// Called by lifecycle.cc. Threads: Start before the program's own, or in a child with one thread.

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "allocator/options.h"
#include "allocator/process.h"
#include "allocator/report.h"
#include "shim/shim.h"

namespace tally::shim {
namespace {

constexpr size_t kStackBytes = 256 * 1024;

constinit sem_t requests{};
constinit int report_descriptor = -1;
constinit int signal_number = 0;

struct SignalName {
  const char* name;
  int number;
};
constexpr SignalName kSignalNames[] = {
    {"HUP", SIGHUP}, {"USR1", SIGUSR1},   {"USR2", SIGUSR2}, {"ALRM", SIGALRM},
    {"URG", SIGURG}, {"WINCH", SIGWINCH}, {"IO", SIGIO},     {"PWR", SIGPWR},
};

// "USR1", "SIGUSR1" or "10"; 0 for what is none.
int SignalNumber(const char* text) {
  for (const SignalName& known : kSignalNames) {
    if (strcmp(text, known.name) == 0 ||
        (strncmp(text, "SIG", 3) == 0 && strcmp(text + 3, known.name) == 0)) {
      return known.number;
    }
  }
  char* end = nullptr;
  const long number = strtol(text, &end, 10);
  const bool is_number = end != text && *end == '\0';
  return is_number && number > 0 && number <= SIGRTMAX ? static_cast<int>(number) : 0;
}

void OnSignal(int /*number*/) {
  const int saved_errno = errno;
  sem_post(&requests);
  errno = saved_errno;
}

// Whether every other thread has ended.
bool IsLastThread() {
  ProcessStatus status;
  const bool is_known = ReadProcessStatus(&status);
  return is_known && status.threads <= (status.state == 'Z' ? 2 : 1);
}

// Waits until a report is due. False when a second passed without.
bool WaitForRequest(timespec* next) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  timespec until{now.tv_sec + 1, now.tv_nsec};
  const bool has_interval = options.stats_interval != 0;
  if (has_interval && next->tv_sec <= now.tv_sec) {
    until = *next;
  }
  if (sem_timedwait(&requests, &until) == 0) {
    return true;
  }
  clock_gettime(CLOCK_REALTIME, &now);
  if (!has_interval || now.tv_sec < next->tv_sec ||
      (now.tv_sec == next->tv_sec && now.tv_nsec < next->tv_nsec)) {
    return false;
  }
  *next = {now.tv_sec + static_cast<time_t>(options.stats_interval), now.tv_nsec};
  return true;
}

void* Report(void* /*argument*/) {
  timespec next{};
  clock_gettime(CLOCK_REALTIME, &next);
  next.tv_sec += static_cast<time_t>(options.stats_interval);
  for (;;) {
    if (WaitForRequest(&next)) {
      WriteReportAsConfigured(report_descriptor);
    }
    if (IsLastThread()) {
      exit(0);
    }
  }
}

void InstallHandler() {
  signal_number = SignalNumber(options.stats_signal);
  struct sigaction known {};
  if (signal_number == 0 || sigaction(signal_number, nullptr, &known) != 0) {
    signal_number = 0;
    Warn("tally: warning: TALLY_STATS_SIGNAL: no such signal; none will be heard\n");
    return;
  }
  struct sigaction ours {};
  ours.sa_handler = OnSignal;
  ours.sa_flags = SA_RESTART;
  sigaction(signal_number, &ours, nullptr);
}

void StartThread() {
  sem_init(&requests, 0, 0);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread;
  if (pthread_create(&thread, &attributes, Report, nullptr) != 0) {
    Warn("tally: warning: the reporter's thread could not be started; no periodic reports\n");
  }
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

bool IsWanted() { return options.stats_interval != 0 || signal_number != 0; }

}  // namespace

void StartReporter(int descriptor) {
  report_descriptor = descriptor;
  if (*options.stats_signal != '\0') {
    InstallHandler();
  }
  if (IsWanted()) {
    StartThread();
  }
}

void RestartReporter() {
  if (IsWanted()) {
    StartThread();
  }
}

}  // namespace tally::shim
