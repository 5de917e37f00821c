// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// Three sized deletes that contradict the class, and some that do not.

#include <cstddef>
#include <new>

#include "tests/shim/preloaded.h"

int main() {
  operator delete (Hidden(operator new(100)), std::size_t{10});
  operator delete (Hidden(operator new(10)), std::size_t{100});
  operator delete[](Hidden(operator new[](20)), std::size_t{400});
  operator delete (Hidden(operator new(97)), std::size_t{112});
  operator delete (Hidden(operator new(500)), std::size_t{500});
  return 0;
}
