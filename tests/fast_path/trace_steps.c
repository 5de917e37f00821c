// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Steps through one warm malloc(64) and one free, instruction by instruction, and prints the
// addresses executed inside the library, as offsets from where it is loaded:
//   malloc OFFSET...
//   free OFFSET...
// usage: trace_steps LIBRARY_NAME      (run with the library preloaded)
// Exit status 77 where ptrace is forbidden.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kWarmUps = 100, kBytes = 64, kStepsMax = 100000 };

static void Child(void) {
  void* blocks[kWarmUps];
  for (int i = 0; i < kWarmUps; ++i) blocks[i] = malloc(kBytes);
  for (int i = 0; i < kWarmUps; ++i) free(blocks[i]);
  // Once more each, so that the linker has bound both names.
  free(malloc(kBytes));
  if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(77);
  raise(SIGSTOP);
  void* p = malloc(kBytes);
  raise(SIGSTOP);
  free(p);
  raise(SIGSTOP);
  _exit(0);
}

static void FindLibrary(const char* name, unsigned long* start, unsigned long* end) {
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[1024];
  while (fgets(line, sizeof(line), maps) != NULL) {
    unsigned long low = 0;
    unsigned long high = 0;
    if (strstr(line, name) != NULL && sscanf(line, "%lx-%lx", &low, &high) == 2) {
      if (*start == 0) *start = low;
      *end = high;
    }
  }
  fclose(maps);
}

// Steps until the next SIGSTOP; prints what lay in the library.
static void Trace(pid_t child, const char* title, unsigned long start, unsigned long end) {
  printf("%s", title);
  for (int step = 0; step < kStepsMax; ++step) {
    int status = 0;
    ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) == SIGSTOP) break;
    struct user_regs_struct registers;
    ptrace(PTRACE_GETREGS, child, NULL, &registers);
    if (registers.rip >= start && registers.rip < end) printf(" %llx", registers.rip - start);
  }
  printf("\n");
}

int main(int argc, char** argv) {
  unsigned long start = 0;
  unsigned long end = 0;
  if (argc != 2) return 2;
  FindLibrary(argv[1], &start, &end);
  if (start == 0) {
    fprintf(stderr, "%s is not loaded\n", argv[1]);
    return 1;
  }
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) Child();
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  Trace(child, "malloc", start, end);
  Trace(child, "free", start, end);
  kill(child, SIGKILL);
  return 0;
}
