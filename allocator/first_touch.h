// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// How fresh memory gets its physical pages: several small ones in one system call, or a huge page
// where that takes no longer.
//
// Called by regions, and where a block that will be filled gets fresh memory. A page fault costs
// 0.5 to 11 us, by the machine; most of it is not the page.
//
// Threads: any; TryHugePage under the regions' lock.

#ifndef ALLOCATOR_FIRST_TOUCH_H_
#define ALLOCATOR_FIRST_TOUCH_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocator/geometry.h"

namespace tally {

class FirstTouch {
 public:
  // Maps the small pages of memory that nobody used yet. A hint: what fails is left to page faults.
  void MapPages(void* start, size_t bytes);

  // Touches a page and notes the time, if it was a page fault's. REQUIRES: the caller holds the
  // page, which is zero.
  void TimePage(void* page);

  // Whether page faults take so long here that memory is better kept for a while than touched anew,
  // and huge pages are worth what they may leave unused under single blocks.
  bool ArePagesDear() const {
    return small_page_ns_.load(std::memory_order_relaxed) >= kDearPageNs;
  }

  // Whether a region's first 2 MiB, where its descriptors lie, shall be a huge page as well.
  bool WantsHugeHead(uint32_t region) const;

  // Fresh memory is about to be written from its start, all of it or most; the first `copied` bytes
  // at once.
  void PrepareToFill(void* start, size_t bytes, size_t copied);

  // Asks for a huge page under 2 MiB that nobody uses yet. Virtual machines may have given free
  // memory back to their host; it comes again in small pages, slowly. Then 512 small ones are
  // cheaper, of which the kernel keeps some. So first touches are timed, and slow ones followed by
  // pauses that double. `is_used_at_once`: the caller will touch it now, so it may be timed.
  void TryHugePage(char* start, bool is_used_at_once);

 private:
  bool IsSlow(uint64_t huge_page_ns) const;

  std::atomic<bool> cannot_map_{false};
  std::atomic<uint64_t> small_page_ns_{kDearPageNs / 3};  // a moving average
  // How many huge pages to pass over, now and after the next slow one; and how many to ask for
  // without timing them.
  uint32_t pause_ = 0;
  uint32_t trusted_ = 0;
  uint32_t next_pause_ = kHugePagePauseFirst;
};

extern constinit FirstTouch first_touch;

}  // namespace tally

#endif  // ALLOCATOR_FIRST_TOUCH_H_
