// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/first_touch.h"

#include "allocator/options.h"
#include "allocator/os.h"

namespace tally {

constinit FirstTouch first_touch;

namespace {

// A touch that took less found the page there; one that took more was interrupted for long, or got
// a huge page. In between, one time alone says no more than the cap.
constexpr uint64_t kPageFaultNsMin = 200;
constexpr uint64_t kPageFaultNsMax = 30000;
constexpr uint64_t kPageFaultNsCap = 4 * kDearPageNs;
// A copy of fewer bytes leaves its page faults to themselves.
constexpr size_t kMapBytesMin = 4 * kPoolBytes;

// The moving average follows a new time by this part of the difference.
constexpr uint64_t kAverageOf = 8;

uint64_t TimeTouch(void* page) {
  const uint64_t before_ns = os::NowNs();
  *static_cast<volatile char*>(page) = 0;
  return os::NowNs() - before_ns;
}

}  // namespace

void FirstTouch::MapPages(void* start, size_t bytes) {
  if (!cannot_map_.load(std::memory_order_relaxed) && !os::MapPages(start, bytes)) {
    cannot_map_.store(true, std::memory_order_relaxed);
  }
}

void FirstTouch::TimePage(void* page) {
  const uint64_t ns = TimeTouch(page);
  if (ns < kPageFaultNsMin || ns > kPageFaultNsMax) {
    return;
  }
  const uint64_t capped = ns < kPageFaultNsCap ? ns : kPageFaultNsCap;
  const uint64_t average = small_page_ns_.load(std::memory_order_relaxed);
  small_page_ns_.store(average - average / kAverageOf + capped / kAverageOf,
                       std::memory_order_relaxed);
}

bool FirstTouch::WantsHugeHead(uint32_t region) const {
  return options.thp &&
         region >= (ArePagesDear() ? kHugePageRegionFirst : kHugePageHeadRegionFirst);
}

void FirstTouch::PrepareToFill(void* start, size_t bytes, size_t copied) {
  if (bytes >= kHugePageBlockBytesMin && options.thp && ArePagesDear()) {
    os::AdviseHugePages(start, bytes);
  } else {
    TimePage(start);
  }
  if (copied >= kMapBytesMin) {
    MapPages(start, copied);
  }
}

bool FirstTouch::IsSlow(uint64_t huge_page_ns) const {
  const uint64_t small_pages_ns =
      small_page_ns_.load(std::memory_order_relaxed) * kHugePageSmallPagesMax;
  return huge_page_ns > kHugePageNsMax && huge_page_ns > small_pages_ns;
}

void FirstTouch::TryHugePage(char* start, bool is_used_at_once) {
  if (pause_ != 0) {
    --pause_;
    return;
  }
  os::AdviseHugePages(start, kHugePageArenas * kArenaBytes);
  if (trusted_ != 0) {
    --trusted_;
    return;
  }
  if (!is_used_at_once) {
    return;
  }
  if (!IsSlow(TimeTouch(start))) {
    next_pause_ = kHugePagePauseFirst;
    trusted_ = kHugePagesTrusted;
    return;
  }
  pause_ = next_pause_;
  if (next_pause_ < kHugePagePauseMax) {
    next_pause_ *= 2;
  }
}

}  // namespace tally
