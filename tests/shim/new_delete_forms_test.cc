// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// All 8 forms of operator new and all 12 of operator delete; the new_handler loop and bad_alloc.

#include <malloc.h>

#include <cstddef>
#include <new>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

namespace {

constexpr std::align_val_t kAlign{256};
const std::nothrow_t& kNothrow = std::nothrow;

// A pair of forms: how to get a block of n bytes, how to give it back.
struct Form {
  void* (*get)(size_t n);
  void (*give)(void* p, size_t n);
  size_t alignment;
};

// Every way to get, with every way to give that may follow it.
const Form kForms[] = {
    {[](size_t n) { return operator new(n); }, [](void* p, size_t) { operator delete(p); }, 16},
    {[](size_t n) { return operator new(n); }, [](void* p, size_t n) { operator delete(p, n); },
     16},
    {[](size_t n) { return operator new(n, kNothrow); },
     [](void* p, size_t) { operator delete(p, kNothrow); }, 16},
    {[](size_t n) { return operator new[](n); }, [](void* p, size_t) { operator delete[](p); }, 16},
    {[](size_t n) { return operator new[](n); }, [](void* p, size_t n) { operator delete[](p, n); },
     16},
    {[](size_t n) { return operator new[](n, kNothrow); },
     [](void* p, size_t) { operator delete[](p, kNothrow); }, 16},
    {[](size_t n) { return operator new(n, kAlign); },
     [](void* p, size_t) { operator delete(p, kAlign); }, 256},
    {[](size_t n) { return operator new(n, kAlign); },
     [](void* p, size_t n) { operator delete(p, n, kAlign); }, 256},
    {[](size_t n) { return operator new(n, kAlign, kNothrow); },
     [](void* p, size_t) { operator delete(p, kAlign, kNothrow); }, 256},
    {[](size_t n) { return operator new[](n, kAlign); },
     [](void* p, size_t) { operator delete[](p, kAlign); }, 256},
    {[](size_t n) { return operator new[](n, kAlign); },
     [](void* p, size_t n) { operator delete[](p, n, kAlign); }, 256},
    {[](size_t n) { return operator new[](n, kAlign, kNothrow); },
     [](void* p, size_t) { operator delete[](p, kAlign, kNothrow); }, 256},
};

void EveryFormRoundTrips() {
  for (const Form& form : kForms) {
    for (size_t n = 0; n < 3000000; n = n < 1100 ? n + 1 : n * 2 + 1) {
      void* p = Opaque(form.get(n));
      EXPECT(p != nullptr);
      EXPECT(n <= 8 || reinterpret_cast<uintptr_t>(p) % form.alignment == 0);
      EXPECT(malloc_usable_size(p) >= n);
      FillPattern(p, n, n);
      void* neighbour = Opaque(form.get(n));
      EXPECT(neighbour != p);
      FillPattern(neighbour, n, n + 1);
      EXPECT(HasPattern(p, n, n));
      form.give(neighbour, n);
      form.give(p, n);
    }
  }
  // Blocks given back this way are used again: nothing is lost.
  const long before = ResidentBytes();
  for (int round = 0; round < 100000; ++round) {
    for (const Form& form : kForms) form.give(memset(Opaque(form.get(400)), 1, 400), 400);
  }
  EXPECT_LE(ResidentBytes() - before, 10L << 20);
}

void DeleteNullAndErrno() {
  errno = 12345;
  operator delete(nullptr);
  operator delete (nullptr, size_t{8});
  operator delete(nullptr, kNothrow);
  operator delete(nullptr, kAlign);
  operator delete (nullptr, size_t{8}, kAlign);
  operator delete(nullptr, kAlign, kNothrow);
  operator delete[](nullptr);
  operator delete[](nullptr, size_t{8});
  operator delete[](nullptr, kNothrow);
  operator delete[](nullptr, kAlign);
  operator delete[](nullptr, size_t{8}, kAlign);
  operator delete[](nullptr, kAlign, kNothrow);
  EXPECT_EQ(errno, 12345);
}

void Alignments() {
  for (size_t alignment = 1; alignment <= size_t{1} << 22; alignment *= 2) {
    for (size_t n = 1; n < 200000; n = n * 3 + 1) {
      const std::align_val_t wanted{alignment};
      void* p = Opaque(operator new(n, wanted));
      EXPECT(reinterpret_cast<uintptr_t>(p) % alignment == 0);
      memset(p, 1, n);
      operator delete(p, n, wanted);
    }
  }
  struct alignas(128) Wide {
    char bytes[200];
  };
  Wide* one = static_cast<Wide*>(Opaque(new Wide));
  Wide* many = static_cast<Wide*>(Opaque(new Wide[7]));
  EXPECT(reinterpret_cast<uintptr_t>(one) % 128 == 0);
  EXPECT(reinterpret_cast<uintptr_t>(many) % 128 == 0);
  delete one;
  delete[] many;
}

int handler_calls;

// Calls `get` and says whether it threw bad_alloc.
template <typename Get>
bool ThrowsBadAlloc(Get get) {
  try {
    Opaque(get());
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}

void OutOfMemoryWithoutHandler() {
  const size_t n = OpaqueSize(size_t{1} << 60);
  EXPECT(ThrowsBadAlloc([=] { return operator new(n); }));
  EXPECT(ThrowsBadAlloc([=] { return operator new[](n); }));
  EXPECT(ThrowsBadAlloc([=] { return operator new(n, kAlign); }));
  EXPECT(ThrowsBadAlloc([=] { return operator new[](n, kAlign); }));
  EXPECT(Opaque(operator new(n, kNothrow)) == nullptr);
  EXPECT(Opaque(operator new[](n, kNothrow)) == nullptr);
  EXPECT(Opaque(operator new(n, kAlign, kNothrow)) == nullptr);
  EXPECT(Opaque(operator new[](n, kAlign, kNothrow)) == nullptr);
  EXPECT(ThrowsBadAlloc([=] { return operator new(OpaqueSize(SIZE_MAX)); }));
  EXPECT(Opaque(operator new(OpaqueSize(SIZE_MAX), kNothrow)) == nullptr);
  // The array length check is the compiler's, the exception derives from bad_alloc.
  EXPECT(ThrowsBadAlloc([] { return new long[OpaqueSize(SIZE_MAX / 4)]; }));
}

void HandlerRunsUntilItGivesUp() {
  const size_t n = OpaqueSize(size_t{1} << 60);
  const auto handler = [] {
    if (++handler_calls == 3) std::set_new_handler(nullptr);
  };
  const auto loops = [&](auto get) {
    handler_calls = 0;
    std::set_new_handler(handler);
    get();
    EXPECT_EQ(handler_calls, 3);
    EXPECT(std::get_new_handler() == nullptr);
  };
  loops([=] { EXPECT(ThrowsBadAlloc([=] { return operator new(n); })); });
  loops([=] { EXPECT(ThrowsBadAlloc([=] { return operator new[](n); })); });
  loops([=] { EXPECT(ThrowsBadAlloc([=] { return operator new(n, kAlign); })); });
  loops([=] { EXPECT(ThrowsBadAlloc([=] { return operator new[](n, kAlign); })); });
  loops([=] { EXPECT(Opaque(operator new(n, kNothrow)) == nullptr); });
  loops([=] { EXPECT(Opaque(operator new[](n, kNothrow)) == nullptr); });
  loops([=] { EXPECT(Opaque(operator new(n, kAlign, kNothrow)) == nullptr); });

  // A handler that throws: plain forms pass it on, nothrow forms turn it into null.
  std::set_new_handler([] { throw std::bad_alloc(); });
  EXPECT(ThrowsBadAlloc([=] { return operator new(n); }));
  EXPECT(Opaque(operator new(n, kNothrow)) == nullptr);
  EXPECT(Opaque(operator new[](n, kAlign, kNothrow)) == nullptr);
  std::set_new_handler(nullptr);

  // malloc is C: it asks no handler.
  handler_calls = 0;
  std::set_new_handler(handler);
  EXPECT(Opaque(malloc(n)) == nullptr);
  EXPECT_EQ(handler_calls, 0);
  std::set_new_handler(nullptr);
}

}  // namespace

int main() {
  RequireTally();
  EveryFormRoundTrips();
  DeleteNullAndErrno();
  Alignments();
  OutOfMemoryWithoutHandler();
  HandlerRunsUntilItGivesUp();
  return ExpectReport();
}
