// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

/* Tally's own interface, beside malloc and its kin. C and C++.
 *
 * All functions: thread-safe. A program that must also run without Tally can declare them weak.
 */

#ifndef TALLY_H_
#define TALLY_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "MAJOR.MINOR.PATCH". */
const char* tally_version(void);

/* At least `bytes` bytes, aligned to 8 where malloc aligns to 16: 24 bytes take 24. Null and ENOMEM
 * when memory is out. Freed by free(). O(1). */
void* tally_malloc8(size_t bytes);

/* Bytes that the caller of malloc may use at `block`; 0 for null. Ends the program if `block` is
 * not a live block. O(1). */
size_t tally_usable_size(const void* block);

/* Gives free memory back to the system: the calling thread's magazines, all heaps' reserves, all
 * free pools. Returns 1 if any was given back, else 0. O(mapped memory). */
int tally_trim(void);

/* Writes the report to the file descriptor. Returns 0, or -1 if it could not be written. */
int tally_stats_dump(int descriptor);

/* Writes the report to the file `pattern`, in which %p is the process id, %t the time in seconds
 * and %n the report's number. `format` is "text", "json", "openmetrics" or "prometheus"; null is
 * "text". The file is there whole or not at all. Returns 0, or -1 if it could not be written, or
 * with EINVAL if there is no such format. */
int tally_dump(const char* pattern, const char* format);

/* The value in force of an option, named as its environment variable, as text in `buffer`, cut at
 * `bytes` (the null included). Returns 0, or -1 if there is no such option. */
int tally_option(const char* name, char* buffer, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif /* TALLY_H_ */
