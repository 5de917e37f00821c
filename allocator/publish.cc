// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <new>

#include "allocator/books.h"
#include "allocator/directory.h"
#include "allocator/options.h"
#include "allocator/os.h"
#include "allocator/process.h"
#include "allocator/registry.h"
#include "allocator/text.h"
#include "allocator/thread_cache.h"

namespace tally {
namespace {

constexpr uint64_t kPeriodMs = 10;
constexpr uint64_t kTimeShare = 100;  // a snapshot of 1 ms is followed by 100 ms without
// Most children end or execute another program sooner: they make no file.
constexpr uint64_t kChildPauseMs = 20;
constexpr uint64_t kNever = ~uint64_t{0};
constexpr size_t kLeavesFirst = 3;  // a region, heaps, threads

// All zero in a child of fork.
struct State {
  std::atomic<bool> is_busy;
  std::atomic<uint64_t> due_ms;
  int64_t process;  // zero: no file yet
  char* file;
  size_t file_bytes;  // mapped, and allocated in the file system
  dev_t device;
  ino_t inode;
  char path[512];
};
static_assert(sizeof(State) <= 4096, "the state fits a page");

constinit State* state = nullptr;
constinit char directory[448] = {};

// Unlike open and close, not cancellation points.
int Open(const char* path, int flags) {
  return static_cast<int>(
      syscall(SYS_openat, AT_FDCWD, path, flags | O_NOFOLLOW | O_CLOEXEC, 0600));
}
void Close(int file) { syscall(SYS_close, file); }

// At the start alone: later, what is the standard error by number may be anything.
constinit bool is_starting = false;

void WarnOfPath(const char* path, const char* what) {
  if (is_starting) {
    Text line;
    line << "tally: warning: TALLY_PUBLISH: " << path << ": " << what
         << "; this process is not published\n";
    Warn(line.c_str());
  }
}

// A directory that is ours alone, made if need be.
bool ChooseDirectory(const char* parent, const char* name, bool with_user) {
  Text path;
  path << parent << name;
  if (with_user) {
    path << '-' << uint64_t{getuid()};
  }
  if (path.size() >= sizeof(directory)) {
    return false;
  }
  memcpy(directory, path.c_str(), path.size() + 1);
  struct stat known {};
  return (mkdir(directory, 0700) == 0 || errno == EEXIST) && lstat(directory, &known) == 0 &&
         S_ISDIR(known.st_mode) && known.st_uid == getuid() && (known.st_mode & 022) == 0;
}

bool ChooseAnyDirectory(const char* runtime_directory) {
  if (*options.publish_dir != '\0') {
    return *options.publish_dir == '/' && ChooseDirectory(options.publish_dir, "", false);
  }
  return (runtime_directory != nullptr && *runtime_directory == '/' &&
          ChooseDirectory(runtime_directory, "/tally", false)) ||
         ChooseDirectory("/dev/shm", "/tally", true);
}

StatsHeader* HeaderOf(const State& own) { return reinterpret_cast<StatsHeader*>(own.file); }

StatsSnapshot* SnapshotAt(const State& own, uint64_t sequence) {
  return reinterpret_cast<StatsSnapshot*>(own.file + kStatsHeaderBytes +
                                          sequence % 2 * kStatsSnapshotBytes);
}

size_t FileBytes(size_t leaves) {
  const size_t bytes = kStatsLeavesAt + leaves * kStatsLeafBytes;
  return (bytes + os::PageBytes() - 1) & ~(os::PageBytes() - 1);
}

// Makes the open file `bytes` long and maps it. False when the file system is full, or files of
// this process may not become so long: to try would be a SIGXFSZ.
bool MapFile(State& own, int file, size_t bytes) {
  rlimit limit{};
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || bytes > limit.rlim_cur ||
      syscall(SYS_fallocate, file, 0, off_t{0}, static_cast<off_t>(bytes)) != 0) {
    return false;
  }
  void* start = own.file == nullptr
                    ? mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
                    : mremap(own.file, own.file_bytes, bytes, MREMAP_MAYMOVE);
  if (start == MAP_FAILED) {
    return false;
  }
  own.file = static_cast<char*>(start);
  own.file_bytes = bytes;
  return madvise(start, bytes, MADV_DONTFORK) == 0;
}

void FillHeader(const State& own) {
  ProcessStatus status;
  ReadProcessStatus(&status);
  StatsHeader* header = HeaderOf(own);
  header->version = kStatsVersion;
  header->header_bytes = sizeof(*header);
  header->process = static_cast<uint64_t>(own.process);
  header->start_ticks = status.start_ticks;
  header->created_ms = NowSinceEpochMs();
  header->state = static_cast<uint64_t>(StatsState::kRunning);
  header->directory_address = reinterpret_cast<uintptr_t>(&tally_stats_directory);
  ReadCommand(header->command, sizeof(header->command));
  strncpy(header->library, TALLY_VERSION, sizeof(header->library) - 1);
  header->directory = tally_stats_directory;
}

// A file for this process. False, and none, when it cannot be. It is made aside, so that readers
// find it with its header, and then takes the place of one of our id: of a process that is no more,
// or that we were before exec.
bool Create(State& own) {
  Text path;
  path << directory << '/' << int64_t{getpid()};
  memcpy(own.path, path.c_str(), path.size() + 1);
  Text aside;
  aside << directory << "/." << int64_t{getpid()};
  unlink(aside.c_str());
  const int file = Open(aside.c_str(), O_RDWR | O_CREAT | O_EXCL);
  struct stat known {};
  if (file < 0 || fstat(file, &known) != 0 || !MapFile(own, file, FileBytes(kLeavesFirst))) {
    WarnOfPath(own.path, file < 0 ? "the file cannot be made" : "no room in the file system");
    if (file >= 0) {
      Close(file);
      unlink(aside.c_str());
    }
    return false;
  }
  Close(file);
  own.device = known.st_dev;
  own.inode = known.st_ino;
  own.process = getpid();
  FillHeader(own);
  if (rename(aside.c_str(), own.path) != 0) {
    unlink(aside.c_str());
    return false;
  }
  return true;
}

// Whether the path still names our file.
bool IsOurs(const State& own, const struct stat& known) {
  return known.st_dev == own.device && known.st_ino == own.inode;
}

// Room for `leaves`. When there is none in the file system, what fits has to do.
void Grow(State& own, size_t leaves) {
  struct stat known {};
  const int file = Open(own.path, O_RDWR);
  const bool is_ours = file >= 0 && fstat(file, &known) == 0 && IsOurs(own, known);
  if (!is_ours || !MapFile(own, file, FileBytes(leaves))) {
    HeaderOf(own)->state = static_cast<uint64_t>(StatsState::kFull);
  }
  if (file >= 0) {
    Close(file);
  }
}

// False, and nothing published, where a lock of the allocator is taken: a malloc must not wait for
// all heaps.
bool Write(State& own) {
  const uint64_t sequence = HeaderOf(own)->published + 1;
  StatsSnapshot* snapshot = nullptr;
  for (bool is_retry = false;; is_retry = true) {
    snapshot = SnapshotAt(own, sequence);
    StatsLeaves leaves(own.file + kStatsLeavesAt, own.file_bytes - kStatsLeavesAt, sequence);
    if (!TryTakeBooks(&snapshot->books, &leaves)) {
      return false;
    }
    snapshot->leaves = leaves.count();
    const bool is_full = HeaderOf(own)->state == static_cast<uint64_t>(StatsState::kFull);
    if (leaves.count() == leaves.wanted() || is_retry || is_full) {
      break;
    }
    Grow(own, leaves.wanted());
  }
  snapshot->sequence = sequence;
  snapshot->time_ms = NowSinceEpochMs();
  snapshot->checksum = StatsChecksum(*snapshot);
  StatsHeader* header = HeaderOf(own);
  __atomic_store_n(&header->published, sequence, __ATOMIC_RELEASE);
  // Last of all when it is new: a file with a magic number has a snapshot.
  __atomic_store_n(&header->magic, kStatsMagic, __ATOMIC_RELEASE);
  return true;
}

// REQUIRES: own.is_busy is held.
void WriteIfOurs(State& own) {
  if (own.process == 0 && !Create(own)) {
    own.process = -1;
  }
  if (own.process != getpid()) {
    own.due_ms.store(own.process < 0 ? kNever : 0, std::memory_order_relaxed);
    return;
  }
  const uint64_t before_ns = os::NowNs();
  const bool is_written = Write(own);
  const uint64_t rest_ms = (os::NowNs() - before_ns) * kTimeShare / 1000000;
  own.due_ms.store(os::NowMs() + (!is_written           ? 1
                                  : rest_ms > kPeriodMs ? rest_ms
                                                        : kPeriodMs),
                   std::memory_order_relaxed);
}

// With all signals blocked: a handler that forks would leave the child in the middle of a snapshot
// of a file that it does not have.
void WriteUndisturbed(State& own) {
  const int saved_errno = errno;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  WriteIfOurs(own);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = saved_errno;
}

// Runs in the middle of malloc: no lock of the allocator is held, but for those around fork.
void OnSlowPath() {
  State& own = *state;
  if (os::NowMs() < own.due_ms.load(std::memory_order_relaxed) || registry.IsLockedByMe() ||
      own.is_busy.exchange(true, std::memory_order_acquire)) {
    return;
  }
  WriteUndisturbed(own);
  own.is_busy.store(false, std::memory_order_release);
}

// Waits, but not for ever, until no other thread writes a snapshot.
void WaitForOthers(State& own) {
  constexpr int kYieldsMax = 10000;
  for (int i = 0; i < kYieldsMax && own.is_busy.exchange(true, std::memory_order_acquire); ++i) {
    sched_yield();
  }
}

}  // namespace

void StartPublishing(const char* runtime_directory) {
  if (!options.publish) {
    return;
  }
  is_starting = true;
  void* page = nullptr;
  if (!ChooseAnyDirectory(runtime_directory)) {
    WarnOfPath(directory, "not a directory of this user alone");
  } else if ((page = os::Map(os::PageBytes())) == nullptr ||
             madvise(page, os::PageBytes(), MADV_WIPEONFORK) != 0) {
    WarnOfPath(directory, "the kernel cannot wipe memory on fork");
  } else {
    state = new (page) State{};
    OnSlowPath();
    slow_path_hook = OnSlowPath;
  }
  is_starting = false;
}

void PublishInChild() {
  if (state != nullptr) {
    state->due_ms.store(os::NowMs() + kChildPauseMs, std::memory_order_relaxed);
  }
}

void EndPublishing() {
  if (state == nullptr || state->process != getpid()) {
    return;
  }
  WaitForOthers(*state);
  struct stat known {};
  if (options.publish_keep == 1 || options.publish_keep == static_cast<uint64_t>(state->process)) {
    WriteUndisturbed(*state);
    HeaderOf(*state)->state = static_cast<uint64_t>(StatsState::kEnded);
  } else if (lstat(state->path, &known) == 0 && IsOurs(*state, known)) {
    unlink(state->path);
  }
  state->process = -1;
  state->due_ms.store(kNever, std::memory_order_relaxed);
}

}  // namespace tally
