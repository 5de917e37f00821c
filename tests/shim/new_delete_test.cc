// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// All forms of new and delete, the handler loop, and bad_alloc.

#include <cstddef>
#include <cstdint>
#include <new>

#include "tests/shim/preloaded.h"

namespace {

constexpr size_t kTooLarge = size_t{1} << 62;
int handler_calls = 0;

void CountThenGiveUp() {
  if (++handler_calls == 3) {
    std::set_new_handler(nullptr);
  }
}

void Throw() { throw std::bad_alloc(); }

template <typename Call>
bool Throws(Call call) {
  try {
    Hidden(call());
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}

bool IsAligned(void* p, size_t alignment) {
  return reinterpret_cast<uintptr_t>(p) % alignment == 0;
}

void TestForms() {
  constexpr auto kLine = std::align_val_t{64};
  operator delete(Hidden(operator new(10)));
  operator delete[](Hidden(operator new[](10)));
  operator delete (Hidden(operator new(10)), size_t{10});
  operator delete[](Hidden(operator new[](10)), size_t{10});
  operator delete(Hidden(operator new(10, std::nothrow)), std::nothrow);
  operator delete[](Hidden(operator new[](10, std::nothrow)), std::nothrow);
  void* p = operator new(100, kLine);
  EXPECT(IsAligned(p, 64));
  operator delete(p, kLine);
  p = operator new[](100, kLine);
  EXPECT(IsAligned(p, 64));
  operator delete[](p, kLine);
  p = operator new(100, kLine, std::nothrow);
  EXPECT(IsAligned(p, 64));
  operator delete(p, kLine, std::nothrow);
  p = operator new[](100, kLine, std::nothrow);
  EXPECT(IsAligned(p, 64));
  operator delete[](p, kLine, std::nothrow);
  operator delete (Hidden(operator new(100, kLine)), size_t{100}, kLine);
  operator delete[](Hidden(operator new[](100, kLine)), size_t{100}, kLine);
  operator delete(nullptr);
  EXPECT(Hidden(operator new(0)) != nullptr);
}

void TestFailure() {
  EXPECT(Throws([] { return operator new(kTooLarge); }));
  EXPECT(Throws([] { return operator new[](kTooLarge); }));
  EXPECT(Throws([] { return operator new (kTooLarge, std::align_val_t{64}); }));
  EXPECT(Hidden(operator new(kTooLarge, std::nothrow)) == nullptr);
  EXPECT(Hidden(operator new (kTooLarge, std::align_val_t{64}, std::nothrow)) == nullptr);
  std::set_new_handler(CountThenGiveUp);
  EXPECT(Throws([] { return operator new(kTooLarge); }));
  EXPECT(handler_calls == 3);
  std::set_new_handler(Throw);
  EXPECT(Throws([] { return operator new(kTooLarge); }));
  EXPECT(Hidden(operator new(kTooLarge, std::nothrow)) == nullptr);
  std::set_new_handler(nullptr);
}

}  // namespace

int main() {
  TestForms();
  TestFailure();
  return Finish();
}
