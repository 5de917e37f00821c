// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "allocator/report.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "allocator/books.h"
#include "allocator/options.h"
#include "allocator/text.h"

namespace tally {
namespace {

void WriteClasses(Text& out, const Books& books) {
  out << "\nsize classes with blocks (sizes and 'live bytes' in bytes, the rest in blocks)\n"
         "   size    allocated        freed         live     live bytes   cached  transit"
         "  free in pools     runs  refills  flushes\n";
  for (size_t c = 1; c < kClassCount; ++c) {
    const ClassBooks& entry = books.classes[c];
    if (entry.allocated == 0 && entry.runs == 0) {
      continue;
    }
    const uint64_t bytes = BlockBytes(static_cast<SizeClass>(c));
    out.Number(bytes, 7).Number(entry.allocated, 13).Number(entry.freed, 13).Number(entry.live, 13);
    out.Number(entry.live * bytes, 15).Number(entry.cached, 9).Number(entry.transit, 9);
    out.Number(entry.free_in_pools, 15).Number(entry.runs, 9).Number(entry.refills, 9);
    out.Number(entry.flushes, 9) << '\n';
  }
}

void WriteTier(Text& out, const char* name, const TierBooks& tier) {
  out << "  ";
  out.Column(name, 34).Number(tier.allocated, 12).Number(tier.freed, 12).Number(tier.live, 10);
  out.Number(tier.live_bytes, 16).Number(tier.requested_bytes, 16) << '\n';
}

void WriteTiers(Text& out, const Books& books) {
  out << "\nlarger blocks                          allocated       freed      live      live bytes"
         "       requested\n";
  WriteTier(out, "large (runs of pools)", books.large);
  WriteTier(out, "huge (mappings of their own)", books.huge);
}

void WriteTerm(Text& out, char sign, const char* name, uint64_t bytes, const char* meaning) {
  out << "  " << sign << ' ';
  out.Column(name, 16).Number(bytes, 16).Bytes(bytes, 14) << "   " << meaning << '\n';
}

void WriteIdentity(Text& out, const Books& books) {
  const IdentityBooks& terms = books.identity;
  out << "\nidentity (bytes)\n";
  WriteTerm(out, ' ', "mapped", books.mapped_bytes, "accessible memory that is ours");
  WriteTerm(out, '=', "live", terms.live, "blocks in the program's hands, rounding included");
  WriteTerm(out, '+', "cached", terms.cached, "free blocks in magazines and depots");
  WriteTerm(out, '+', "in transit", terms.transit, "free blocks on their way to their heap");
  WriteTerm(out, '+', "free in pools", terms.free_in_pools, "free blocks in pools in use");
  WriteTerm(out, '+', "tails", terms.tails, "behind the last block of a run");
  WriteTerm(out, '+', "dirty", terms.dirty, "free pools and mappings not yet given back");
  WriteTerm(out, '+', "purged", terms.purged, "free pools given back to the system");
  WriteTerm(out, '+', "never touched", terms.never_touched, "pools committed and not used so far");
  WriteTerm(out, '+', "metadata", terms.metadata,
            "descriptors, region map (8 MiB of zero page), caches");
  WriteTerm(out, '+', "guards", terms.guards, "none in this version");
  out << "  identity holds: " << (terms.sum() == books.mapped_bytes ? "yes" : "NO") << '\n';
}

void WriteKernel(Text& out, const KernelBooks& kernel) {
  if (!kernel.is_known) {
    out << "\nkernel: /proc/self/maps cannot be read\n";
    return;
  }
  const uint64_t ours = kernel.resident_pools + kernel.resident_huge + kernel.resident_metadata;
  out << "\nkernel: Size of our accessible mappings";
  out.Number(kernel.accessible_bytes, 16).Bytes(kernel.accessible_bytes, 14) << '\n';
  out << "kernel: resident (bytes)\n";
  WriteTerm(out, ' ', "process RSS", kernel.process_rss, "of the whole process");
  WriteTerm(out, '=', "pools", kernel.resident_pools, "blocks of all classes and large blocks");
  WriteTerm(out, '+', "huge", kernel.resident_huge, "mappings of their own");
  WriteTerm(out, '+', "metadata", kernel.resident_metadata, "ours");
  WriteTerm(out, '+', "not ours", kernel.process_rss > ours ? kernel.process_rss - ours : 0,
            "code, stacks, files, other mappings");
}

void WriteThreads(Text& out, const Books& books) {
  out << "\nthreads: " << books.live_threads << " with a cache now, " << books.peak_threads
      << " at most, " << books.threads_started << " started; " << books.heaps << " heaps; "
      << books.regions << " regions (";
  out.Bytes(books.reserved_bytes, 0) << " of address space)\n";
  out << "purged: ";
  out.Bytes(books.purged_bytes, 0) << " in " << books.purge_calls << " calls\n";
  out << "sized deletes that did not match: " << books.mismatched_sizes << '\n';
}

// Expands %p to the process id and %t to the time. False when the result does not fit.
bool ExpandPath(const char* pattern, Text& path) {
  for (const char* at = pattern; *at != '\0'; ++at) {
    if (at[0] == '%' && at[1] == 'p') {
      path << int64_t{getpid()};
      ++at;
    } else if (at[0] == '%' && at[1] == 't') {
      path << int64_t{time(nullptr)};
      ++at;
    } else {
      path << *at;
    }
  }
  return path.size() < Text::kTextBytes;
}

}  // namespace

bool WriteReport(int descriptor) {
  const MutexLock lock(shared_books.mutex);
  const Books& books = shared_books.books;
  TakeBooks(&shared_books.books);
  KernelBooks kernel;
  TakeKernelBooks(&kernel);
  Text out(descriptor);
  out << "tally: report of process " << int64_t{getpid()} << ": " << books.live_blocks()
      << " live blocks, " << books.allocated_blocks() << " allocated\n";
  WriteClasses(out, books);
  WriteTiers(out, books);
  WriteThreads(out, books);
  WriteIdentity(out, books);
  WriteKernel(out, kernel);
  return out.Flush();
}

void WriteReportAsConfigured(int descriptor) {
  if (*options.stats_file == '\0') {
    WriteReport(descriptor);
    return;
  }
  const int saved_errno = errno;
  Text path;
  int file = -1;
  if (ExpandPath(options.stats_file, path)) {
    file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  }
  const bool is_written = file >= 0 && WriteReport(file);
  if (file >= 0) {
    close(file);
  }
  if (!is_written) {
    Text line(descriptor);
    line << "tally: warning: TALLY_STATS_FILE=" << options.stats_file
         << ": the report could not be written there\n";
    line.Flush();
  }
  errno = saved_errno;
}

}  // namespace tally
