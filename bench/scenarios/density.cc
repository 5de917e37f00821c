// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A million blocks of one size: the RSS beyond what was asked for, in bytes for each block, for
// a list of sizes. Each size has a process of its own, so that none serves from another's memory.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "bench/scenarios/memory.h"

namespace {

constexpr size_t kBlocks = 1000000;
constexpr size_t kSizes[] = {8,   16,  24,  32,  48,  64,  80,  100,
                             128, 200, 256, 320, 400, 512, 640, 1000};

void Measure(size_t size) {
  const long before_kb = bench::ResidentKb();
  for (size_t i = 0; i < kBlocks; ++i) {
    char* block = static_cast<char*>(malloc(size));
    if (block == nullptr) abort();
    block[0] = 1;
    block[size - 1] = 1;
  }
  const double grown_bytes = 1024.0 * static_cast<double>(bench::ResidentKb() - before_kb);
  printf("density_%zu_bytes=%.1f\n", size, grown_bytes / kBlocks - static_cast<double>(size));
}

}  // namespace

int main() {
  for (const size_t size : kSizes) {
    fflush(stdout);
    const pid_t child = fork();
    if (child < 0) abort();
    if (child == 0) {
      Measure(size);
      fflush(stdout);
      _exit(0);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0) return 1;
  }
}
