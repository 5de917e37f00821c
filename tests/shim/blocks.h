// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// Contents that prove a block is its owner's alone, random numbers, and the process's memory as
// the kernel sees it. Nothing here allocates.

#ifndef TESTS_SHIM_BLOCKS_H_
#define TESTS_SHIM_BLOCKS_H_

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// xorshift64*: the same sequence everywhere. *state must not be 0.
__attribute__((unused)) static inline uint64_t NextRandom(uint64_t* state) {
  uint64_t x = *state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return x * 0x2545F4914F6CDD1Du;
}

// Byte i of the pattern named seed.
__attribute__((unused)) static inline unsigned char PatternByte(uint64_t seed, size_t i) {
  return (unsigned char)((seed * 0x9E3779B97F4A7C15u >> 56) + i * 31 + (i >> 8));
}

__attribute__((unused)) static void FillPattern(void* block, size_t size, uint64_t seed) {
  unsigned char* bytes = (unsigned char*)block;
  for (size_t i = 0; i < size; ++i) bytes[i] = PatternByte(seed, i);
}

__attribute__((unused)) static int HasPattern(const void* block, size_t size, uint64_t seed) {
  const unsigned char* bytes = (const unsigned char*)block;
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] != PatternByte(seed, i)) return 0;
  }
  return 1;
}

__attribute__((unused)) static int IsZero(const void* block, size_t size) {
  const unsigned char* bytes = (const unsigned char*)block;
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] != 0) return 0;
  }
  return 1;
}

// Field of /proc/self/statm in bytes: 0 is the address space, 1 what is resident. -1 on failure.
__attribute__((unused)) static long StatmBytes(int field) {
  char text[128];
  const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return -1;
  text[length] = 0;
  char* at = text;
  long pages = 0;
  for (int i = 0; i <= field; ++i) pages = strtol(at, &at, 10);
  return pages * sysconf(_SC_PAGESIZE);
}

__attribute__((unused)) static long MappedBytes(void) { return StatmBytes(0); }
__attribute__((unused)) static long ResidentBytes(void) { return StatmBytes(1); }

#endif  // TESTS_SHIM_BLOCKS_H_
