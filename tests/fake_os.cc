// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tests/fake_os.h"

#include <atomic>
#include <mutex>

#include "allocator/os.h"

// os_linux.cc is compiled with os renamed; so its header is read a second time, renamed too.
#undef ALLOCATOR_OS_H_
#define os linux_os
#include "allocator/os.h"  // NOLINT(readability-duplicate-include)
#undef os

namespace tally::testing {
namespace {

struct Range {
  uint64_t first = kNever;
  uint64_t last = 0;
  uint64_t count = 0;

  bool Next() {
    ++count;
    return count >= first && count <= last;
  }
};

struct State {
  Range all;
  Range kinds[kOsCalls];
  uint64_t calls[kOsCalls] = {};
  uint64_t refused = 0;
  uint64_t reservation_max = kNever;
  uint64_t address_max = kNever;
  uint64_t now_ms = kNever;
  uint64_t now_ns = 0;
  uint64_t duration_ns = kNever;
  unsigned cpu_count = 0;
  size_t page_bytes = 0;
};

std::mutex mutex;
State state;
uint64_t taken_bytes = 0;

// Whether to refuse a call of `kind` that takes `bytes` of new address space.
bool IsRefused(OsCall kind, uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex);
  const int index = static_cast<int>(kind);
  ++state.calls[index];
  bool is_refused = state.all.Next();
  is_refused |= state.kinds[index].Next();
  is_refused |= (kind == OsCall::kReserve || kind == OsCall::kPlaceZeroReadOnly) &&
                bytes > state.reservation_max;
  is_refused |=
      bytes != 0 && (bytes > state.address_max || taken_bytes > state.address_max - bytes);
  state.refused += is_refused ? 1 : 0;
  return is_refused;
}

void* CountAddresses(void* start, uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex);
  taken_bytes += start != nullptr ? bytes : 0;
  return start;
}

}  // namespace

void FakeOs::Reset() {
  const std::lock_guard<std::mutex> lock(mutex);
  state = State{};
}

void FakeOs::RefuseCalls(uint64_t first, uint64_t last) {
  const std::lock_guard<std::mutex> lock(mutex);
  state.all = {first, last, 0};
}

void FakeOs::RefuseKind(OsCall kind, uint64_t first, uint64_t last) {
  const std::lock_guard<std::mutex> lock(mutex);
  state.kinds[static_cast<int>(kind)] = {first, last, 0};
}

void FakeOs::LimitReservation(size_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex);
  state.reservation_max = bytes;
}

void FakeOs::LimitAddressSpace(uint64_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex);
  state.address_max = taken_bytes + bytes;
}

void FakeOs::SetClock(uint64_t now_ms) {
  const std::lock_guard<std::mutex> lock(mutex);
  state.now_ms = now_ms;
}

void FakeOs::SetDuration(uint64_t ns) {
  const std::lock_guard<std::mutex> lock(mutex);
  state.duration_ns = ns;
}

void FakeOs::SetCpuCount(unsigned count) {
  const std::lock_guard<std::mutex> lock(mutex);
  state.cpu_count = count;
}

void FakeOs::SetPageBytes(size_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex);
  state.page_bytes = bytes;
}

uint64_t FakeOs::CallsOf(OsCall kind) {
  const std::lock_guard<std::mutex> lock(mutex);
  return state.calls[static_cast<int>(kind)];
}

uint64_t FakeOs::refused() {
  const std::lock_guard<std::mutex> lock(mutex);
  return state.refused;
}

uint64_t FakeOs::address_bytes() {
  const std::lock_guard<std::mutex> lock(mutex);
  return taken_bytes;
}

}  // namespace tally::testing

namespace tally::os {

using testing::CountAddresses;
using testing::IsRefused;
using testing::OsCall;

void* Reserve(size_t bytes, size_t alignment) {
  return IsRefused(OsCall::kReserve, bytes)
             ? nullptr
             : CountAddresses(linux_os::Reserve(bytes, alignment), bytes);
}

bool Decommit(void* start, size_t bytes) { return linux_os::Decommit(start, bytes); }

bool Commit(void* start, size_t bytes) {
  return !IsRefused(OsCall::kCommit, 0) && linux_os::Commit(start, bytes);
}

void* Map(size_t bytes) {
  return IsRefused(OsCall::kMap, bytes) ? nullptr : CountAddresses(linux_os::Map(bytes), bytes);
}

bool MapZeroReadOnly(void* start, size_t bytes) {
  return !IsRefused(OsCall::kMapZeroReadOnly, 0) && linux_os::MapZeroReadOnly(start, bytes);
}

bool PlaceZeroReadOnly(void* start, size_t bytes) {
  return !IsRefused(OsCall::kPlaceZeroReadOnly, bytes) &&
         linux_os::PlaceZeroReadOnly(start, bytes) && CountAddresses(start, bytes) != nullptr;
}

bool Unmap(void* start, size_t bytes) {
  if (IsRefused(OsCall::kUnmap, 0) || !linux_os::Unmap(start, bytes)) {
    return false;
  }
  CountAddresses(start, uint64_t{0} - bytes);
  return true;
}

bool Purge(void* start, size_t bytes) {
  return !IsRefused(OsCall::kPurge, 0) && linux_os::Purge(start, bytes);
}

bool GrowInPlace(void* start, size_t bytes, size_t new_bytes) {
  if (IsRefused(OsCall::kGrowInPlace, new_bytes - bytes) ||
      !linux_os::GrowInPlace(start, bytes, new_bytes)) {
    return false;
  }
  CountAddresses(start, new_bytes - bytes);
  return true;
}

bool Move(void* from, size_t bytes, void* to, size_t new_bytes) {
  if (IsRefused(OsCall::kMove, 0) || !linux_os::Move(from, bytes, to, new_bytes)) {
    return false;
  }
  CountAddresses(from, uint64_t{0} - bytes);
  return true;
}

bool MapPages(void* start, size_t bytes) {
  return !IsRefused(OsCall::kMapPages, 0) && linux_os::MapPages(start, bytes);
}
void AdviseHugePages(void* start, size_t bytes) {
  if (!IsRefused(OsCall::kAdviseHugePages, 0)) {
    linux_os::AdviseHugePages(start, bytes);
  }
}
size_t PageBytes() {
  return testing::state.page_bytes != 0 ? testing::state.page_bytes : linux_os::PageBytes();
}
uint64_t AddressSpaceMax() {
  const std::lock_guard<std::mutex> lock(testing::mutex);
  return testing::state.address_max;
}

unsigned CpuCount() {
  return testing::state.cpu_count != 0 ? testing::state.cpu_count : linux_os::CpuCount();
}

uint64_t NowMs() {
  const std::lock_guard<std::mutex> lock(testing::mutex);
  return testing::state.now_ms != testing::kNever ? testing::state.now_ms : linux_os::NowMs();
}

uint64_t NowNs() {
  const std::lock_guard<std::mutex> lock(testing::mutex);
  if (testing::state.duration_ns == testing::kNever) {
    return linux_os::NowNs();
  }
  return testing::state.now_ns += testing::state.duration_ns;
}

uint64_t ThreadId() { return linux_os::ThreadId(); }

bool ResidentPages(const void* start, size_t bytes, unsigned char* states) {
  return linux_os::ResidentPages(start, bytes, states);
}
uint64_t ResidentBytes(const void* start, size_t bytes) {
  return linux_os::ResidentBytes(start, bytes);
}
void WaitOnWord(std::atomic<uint32_t>* word, uint32_t expected) {
  linux_os::WaitOnWord(word, expected);
}
void WakeWord(std::atomic<uint32_t>* word) { linux_os::WakeWord(word); }
void SpinPause() { linux_os::SpinPause(); }

}  // namespace tally::os
