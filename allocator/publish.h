// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Publishing: a file of the layout in stats_format.h that says where this process's books lie, and
// holds a snapshot of them that is at most 10 ms older than the last slow path, or a hundred times
// what it takes to make one, and a little more where heaps were locked.
//
// Called by lifecycle (start, fork, end) and, through a hook, by the slow halves of pop and push.
//
// The file is mapped, and grows by fallocate, so that a full tmpfs is an answer and not a SIGBUS.
// It lies in TALLY_PUBLISH_DIR, else $XDG_RUNTIME_DIR/tally, else /dev/shm/tally-UID, named by the
// process id, readable by its user alone.
//
// Invariants:
//   1. A process writes its own file alone. The mapping is not inherited by fork, and what the
//      publisher knows lies in a page that fork wipes: a child made by any means (_Fork, raw clone)
//      finds it empty at its first snapshot and starts a file of its own. A child that shares our
//      memory (vfork) has another process id and writes nothing of its parent's.
//   2. The snapshot that the header names is whole: the other place is written meanwhile.
//   3. Snapshots take at most a hundredth of the time.
// Threads: any; one snapshot at a time, by try-lock.

#ifndef ALLOCATOR_PUBLISH_H_
#define ALLOCATOR_PUBLISH_H_

namespace tally {

// Begins if TALLY_PUBLISH says so. `runtime_directory` is $XDG_RUNTIME_DIR or null. One line on
// stderr where it cannot; the program goes on unpublished.
void StartPublishing(const char* runtime_directory);

// In the child of fork: its own file, at the first slow path after a moment.
void PublishInChild();

// The last snapshot now; then the file goes, unless TALLY_PUBLISH_KEEP says that it stays.
void EndPublishing();

}  // namespace tally

#endif  // ALLOCATOR_PUBLISH_H_
