// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The operating system, as the allocator sees it: a dozen functions.
//
// Called by regions, runs, huge mappings, metadata and purge. os_linux.cc implements them; tests
// link another implementation that refuses the n-th call.
//
// Contract for all: sizes and addresses are multiples of the OS page. "No memory" (and, for
// Purge, any refusal) is an ordinary answer: null or false. Any other error ends the program.
// errno is left as it was. Nothing here allocates. Threads: any.

#ifndef ALLOCATOR_OS_H_
#define ALLOCATOR_OS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tally::os {

// Inaccessible address space of `bytes`, aligned to `alignment` (a power of two, at least 64 KiB).
// Prefers to lie right below the last one. Costs no memory and no commit charge.
void* Reserve(size_t bytes, size_t alignment);

// Makes reserved memory readable and writable. It reads as zero until written.
bool Commit(void* start, size_t bytes);

// Makes committed memory a reservation again; its content and its commit charge are gone.
bool Decommit(void* start, size_t bytes);

// Readable, writable, zero memory anywhere.
void* Map(size_t bytes);

// Replaces what is at `start` by zero pages that can only be read. No commit charge.
bool MapZeroReadOnly(void* start, size_t bytes);
// The same where nothing is mapped yet, and kept out of core dumps; false where something is.
bool PlaceZeroReadOnly(void* start, size_t bytes);

// Gives address space back. True when it is gone; a full map table may refuse.
bool Unmap(void* start, size_t bytes);

// Gives the physical pages back and keeps the addresses; they read as zero on success.
bool Purge(void* start, size_t bytes);

// Unmaps, or where the map table is full at least purges: the addresses stay lost then.
inline void UnmapOrPurge(void* start, size_t bytes) {
  if (!Unmap(start, bytes)) {
    Purge(start, bytes);
  }
}

// A reservation to move a block into that grows by `growth`, once it is proved that so much can be
// committed: whether a move that is refused leaves its reservation in place depends on the kernel.
inline void* ReserveForMove(size_t bytes, size_t alignment, size_t growth) {
  void* start = Reserve(bytes, alignment);
  if (start != nullptr && (!Commit(start, growth) || !Decommit(start, growth))) {
    Unmap(start, bytes);
    return nullptr;
  }
  return start;
}

// Lengthens committed memory where it is, if the addresses behind it are unused.
bool GrowInPlace(void* start, size_t bytes, size_t new_bytes);

// Moves `bytes` of committed memory at `from` to `to`, a reservation of `new_bytes` that it
// replaces, without copying. On success `from` is gone and the new bytes are zero.
bool Move(void* from, size_t bytes, void* to, size_t new_bytes);

// Gives committed memory its physical pages at once, as if each had been written. False where the
// system cannot, or has too little memory.
bool MapPages(void* start, size_t bytes);

// Asks for transparent huge pages. A hint.
void AdviseHugePages(void* start, size_t bytes);

size_t PageBytes();
// How much address space this process may take; all bits set where nothing limits it.
uint64_t AddressSpaceMax();
// CPUs that this process may run on, at least 1.
unsigned CpuCount();
// Milliseconds from an arbitrary origin; a few nanoseconds a call.
uint64_t NowMs();
// The same clock, finer and dearer.
uint64_t NowNs();
// The calling thread, as the kernel counts it; never zero.
uint64_t ThreadId();
// Sets states[i] to odd where the i-th page of the range is in physical memory, else to even. False
// when the system does not tell. REQUIRES: the range is mapped.
bool ResidentPages(const void* start, size_t bytes, unsigned char* states);
// How many bytes of the range are in physical memory. REQUIRES: as above.
uint64_t ResidentBytes(const void* start, size_t bytes);

// Sleeps while *word == expected; may wake for no reason.
void WaitOnWord(std::atomic<uint32_t>* word, uint32_t expected);
void WakeWord(std::atomic<uint32_t>* word);
void SpinPause();

}  // namespace tally::os

#endif  // ALLOCATOR_OS_H_
