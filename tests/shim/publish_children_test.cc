// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A child, however it was made, never writes its parent's published file, and has its own. Runs
// with TALLY_PUBLISH=1 and XDG_RUNTIME_DIR in a folder of its own.

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "allocator/stats_format.h"
#include "tests/shim/expect.h"

static char directory[400];

static void PathOf(pid_t process, char* path, size_t bytes) {
  snprintf(path, bytes, "%s/tally/%d", directory, process);
}

// The file's content; its length is returned, 0 where there is none.
static size_t ReadFile(pid_t process, char* to, size_t bytes) {
  char path[512];
  PathOf(process, path, sizeof(path));
  int file = open(path, O_RDONLY);
  if (file < 0) {
    return 0;
  }
  ssize_t got = read(file, to, bytes);
  close(file);
  return got > 0 ? static_cast<size_t>(got) : 0;
}

// Enough slow paths, for long enough, that a snapshot is due.
static void AllocateForAWhile() {
  for (int round = 0; round < 40; ++round) {
    void* blocks[2000];
    for (int i = 0; i < 2000; ++i) {
      blocks[i] = malloc(100 + i % 300);
    }
    for (int i = 0; i < 2000; ++i) {
      free(blocks[i]);
    }
    usleep(10000);
  }
}

// In the child: its own file exists, says so, and is renewed.
static int ChildIsPublished() {
  static char content[1 << 20];
  AllocateForAWhile();
  if (ReadFile(getpid(), content, sizeof(content)) < tally::kStatsLeavesAt) {
    return 1;
  }
  tally::StatsHeader header;
  memcpy(&header, content, sizeof(header));
  const bool is_own = header.process == static_cast<uint64_t>(getpid());
  return is_own && header.published >= 2 ? 0 : 2;
}

static int ChildIsNotPublished() {
  static char content[1 << 20];
  AllocateForAWhile();
  return ReadFile(getpid(), content, sizeof(content)) == 0 ? 0 : 1;
}

static pid_t ByFork() { return fork(); }
static pid_t ByUnderscoreFork() { return _Fork(); }
static pid_t ByClone() { return static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L)); }

// A child that shares our memory, as vfork's does, but on a stack of its own, so that it may run
// on.
static int SharedChild(void* /*unused*/) { return ChildIsNotPublished(); }

static void ExpectEndedWell(pid_t child) {
  int status = -1;
  EXPECT(waitpid(child, &status, 0) == child);
  EXPECT(WIFEXITED(status));
  EXPECT(WEXITSTATUS(status) == 0);
}

static void Check(const char* name, pid_t (*make_child)()) {
  static char before[1 << 20];
  static char after[1 << 20];
  fprintf(stderr, "%s\n", name);
  AllocateForAWhile();
  size_t bytes = ReadFile(getpid(), before, sizeof(before));
  EXPECT(bytes >= tally::kStatsLeavesAt);
  pid_t child = make_child();
  if (child == 0) {
    _exit(ChildIsPublished());
  }
  EXPECT(child > 0);
  ExpectEndedWell(child);
  EXPECT(ReadFile(getpid(), after, sizeof(after)) == bytes);
  EXPECT(memcmp(before, after, bytes) == 0);
}

static void CheckShared() {
  alignas(64) static char stack[256 * 1024];
  static char before[1 << 20];
  static char after[1 << 20];
  fprintf(stderr, "clone with shared memory\n");
  AllocateForAWhile();
  size_t bytes = ReadFile(getpid(), before, sizeof(before));
  pid_t child =
      clone(SharedChild, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr);
  EXPECT(child > 0);
  ExpectEndedWell(child);
  EXPECT(ReadFile(getpid(), after, sizeof(after)) == bytes);
  EXPECT(memcmp(before, after, bytes) == 0);
}

int main() {
  RequireTally();
  snprintf(directory, sizeof(directory), "%s", getenv("XDG_RUNTIME_DIR"));
  Check("fork", ByFork);
  Check("_Fork", ByUnderscoreFork);
  Check("clone", ByClone);
  CheckShared();
  return ExpectReport();
}
