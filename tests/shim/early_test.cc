// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Before main and after it: constructors of every priority, thread_local and static objects,
// atexit handlers, and a thread that goes on allocating while the process ends.

#include <pthread.h>

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "tests/shim/blocks.h"
#include "tests/shim/expect.h"

namespace {

void* from_first_constructor;
void* from_late_constructor;
size_t constructors_run;

// 101 is the earliest priority a program may ask for.
__attribute__((constructor(101))) void FirstConstructor() {
  from_first_constructor = malloc(1000);
  FillPattern(from_first_constructor, 1000, 1);
  void* large = calloc(1, 30 << 20);
  EXPECT(large != nullptr && IsZero(large, 100000));
  free(realloc(large, 40 << 20));
  ++constructors_run;
}

__attribute__((constructor)) void LateConstructor() {
  EXPECT(HasPattern(from_first_constructor, 1000, 1));
  from_late_constructor = aligned_alloc(4096, 100);
  ++constructors_run;
}

// Constructed before main, destroyed after it; both allocate.
struct Registry {
  std::map<std::string, std::vector<int>> table;
  Registry() {
    for (int i = 0; i < 1000; ++i) table["a rather long key " + std::to_string(i)].assign(i, i);
  }
  ~Registry() {
    table["one more, which does not fit the small string buffer"].assign(100, 1);
    EXPECT(table.size() == 1001);
    table.clear();
    EXPECT(HasPattern(from_first_constructor, 1000, 1));
    free(from_first_constructor);
    if (expect_failures != 0) _exit(1);
  }
};
Registry registry;

// Main's thread_local objects are gone when handlers run; a plain static made earlier is not.
std::vector<std::string> of_exit(10);

thread_local std::vector<std::string> of_thread(100, std::string(50, 'x'));

void AtExit() {
  of_exit.emplace_back(200, 'y');
  free(from_late_constructor);
  free(malloc(100));
}

// The last code to run in the process, after every C++ destructor.
__attribute__((destructor(101))) void LastDestructor() {
  void* p = malloc(300);
  FillPattern(p, 300, 3);
  EXPECT(HasPattern(p, 300, 3));
  free(p);
  if (expect_failures != 0) _exit(1);
}

std::atomic<int> rounds{0};

void* NeverEnds(void* argument) {
  uint64_t random = reinterpret_cast<uintptr_t>(argument);
  void* held[64] = {};
  for (;;) {
    const uint64_t r = NextRandom(&random);
    free(held[r >> 58]);
    held[r >> 58] = malloc((r >> 8) % 3000);
    ++rounds;
  }
}

// Ends the process once main's thread is gone.
void* EndsProcess(void* main_thread) {
  pthread_join(*static_cast<pthread_t*>(main_thread), nullptr);
  EXPECT(of_thread.size() == 100);
  for (int i = 0; i < 1000; ++i) free(Opaque(malloc(static_cast<size_t>(i) * 7)));
  exit(ExpectReport());
}

pthread_t main_thread;

}  // namespace

// With an argument main leaves by pthread_exit, and another thread ends the process.
int main(int argc, char**) {
  RequireTally();
  atexit(AtExit);
  EXPECT_EQ(constructors_run, 2);
  EXPECT(registry.table.size() == 1000);
  EXPECT(of_thread.size() == 100);
  pthread_t thread;
  for (uintptr_t i = 1; i <= 2; ++i) {
    pthread_create(&thread, nullptr, NeverEnds, reinterpret_cast<void*>(i));
    pthread_detach(thread);
  }
  while (rounds < 10000) usleep(100);
  if (argc == 1) return ExpectReport();
  main_thread = pthread_self();
  pthread_create(&thread, nullptr, EndsProcess, &main_thread);
  pthread_exit(nullptr);
}
