// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Under seccomp: after start, of the memory calls only mmap, munmap, mremap and madvise.

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/shim/preloaded.h"

#define ALLOW(name)                                      \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), \
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int Enter(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      ALLOW(mmap),
      ALLOW(munmap),
      ALLOW(mremap),
      ALLOW(madvise),
      ALLOW(write),
      ALLOW(exit_group),
      ALLOW(newfstatat),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
  };
  struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

int main(void) {
  free(Hidden(malloc(1)));
  if (!Enter()) {
    puts("seccomp is not to be had here");
    return 77;
  }
  for (int round = 0; round < 3; ++round) {
    void* blocks[200];
    for (int i = 0; i < 200; ++i) {
      const size_t bytes = (size_t)1 << (i % 25);
      blocks[i] = malloc(bytes);
      EXPECT(blocks[i] != NULL);
      memset(blocks[i], 1, bytes);
      blocks[i] = realloc(blocks[i], bytes * 2);
      EXPECT(blocks[i] != NULL);
    }
    for (int i = 0; i < 200; ++i) {
      free(blocks[i]);
    }
    malloc_trim(0);
  }
  return Finish();
}
