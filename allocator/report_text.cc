// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// For people.

#include "allocator/objects_books.h"
#include "allocator/report_formats.h"

namespace tally {
namespace {

void WriteClasses(Text& out, const Books& books) {
  out << "\nsize classes with blocks (sizes and 'live bytes' in bytes, the rest in blocks;"
         "\n'~request': mean of the sampled requests, bytes)\n"
         "   size    allocated        freed         live     live bytes   cached  transit"
         "  free in pools     runs  refills  flushes  ~request\n";
  for (size_t c = 1; c < kStatsClassesMax; ++c) {
    const ClassBooks& entry = books.classes[c];
    if (!entry.was_used()) {
      continue;
    }
    const uint64_t bytes = entry.block_bytes;
    out.Number(bytes, 7).Number(entry.allocated, 13).Number(entry.freed, 13).Number(entry.live, 13);
    out.Number(entry.live * bytes, 15).Number(entry.cached, 9).Number(entry.transit, 9);
    out.Number(entry.free_in_pools, 15).Number(entry.runs, 9).Number(entry.refills, 9);
    out.Number(entry.flushes, 9);
    if (entry.samples != 0) {
      out.Number(entry.sampled_bytes / entry.samples, 10);
    }
    out << '\n';
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
  out << "\nidentity (bytes)\n";
  WriteTerm(out, ' ', "mapped", books.mapped_bytes, "accessible memory that is ours");
  char sign = '=';
  for (const IdentityTerm& term : kIdentityTerms) {
    WriteTerm(out, sign, term.title, books.identity.*term.bytes, term.meaning);
    sign = '+';
  }
  out << "  identity holds: " << (books.identity.sum() == books.mapped_bytes ? "yes" : "NO")
      << '\n';
}

void WriteKernel(Text& out, const KernelBooks& kernel) {
  if (!kernel.is_known) {
    out << "\nkernel: what it says of this process is not known\n";
    return;
  }
  out << "\nkernel: Size of our accessible mappings";
  out.Number(kernel.accessible_bytes, 16).Bytes(kernel.accessible_bytes, 14) << '\n';
  out << "kernel: resident (bytes)\n";
  WriteTerm(out, ' ', "process RSS", kernel.process_rss, "of the whole process");
  WriteTerm(out, '=', "pools of blocks", kernel.resident_blocks,
            "live, cached, in transit, free in pools, tails");
  WriteTerm(out, '+', "large blocks", kernel.resident_large, "runs of pools");
  WriteTerm(out, '+', "free pools", kernel.resident_free, "dirty: will go back to the system");
  WriteTerm(out, '+', "huge", kernel.resident_huge, "mappings of their own");
  WriteTerm(out, '+', "metadata", kernel.resident_metadata, "ours");
  WriteTerm(out, '+', "not ours", kernel.not_ours(), "code, stacks, files, other mappings");
  out << "kernel: " << kernel.minor_faults << " minor page faults, " << kernel.major_faults
      << " major\n";
}

void WriteThreadList(Text& out, const Report& report) {
  constexpr int kThreadsShown = 32;
  int shown = 0;
  uint64_t hidden = 0;
  report.ForEachEntry<ThreadBooks>(LeafKind::kThreads, [&](const ThreadBooks& entry) {
    if (++shown > kThreadsShown) {
      ++hidden;
      return;
    }
    if (shown == 1) {
      out << "     thread    heap    allocated   cached   cached bytes  transit   slow ms\n";
    }
    if (entry.thread == 0) {
      out << "      ended";
    } else {
      out.Number(entry.thread, 11);
    }
    out.Number(entry.heap, 8).Number(entry.allocated, 13).Number(entry.cached, 9);
    out.Number(entry.cached_bytes, 15).Number(entry.transit, 9);
    out.Number(entry.slow_ns / 1000000, 10) << '\n';
  });
  if (hidden != 0) {
    out << "  ... and " << hidden << " more\n";
  }
}

void WriteThreads(Text& out, const Books& books) {
  out << "\nthreads: " << books.live_threads << " with a cache now, " << books.peak_threads
      << " at most, " << books.threads_started << " started; " << books.heaps << " heaps; "
      << books.regions << " regions (";
  out.Bytes(books.reserved_bytes, 0) << " of address space)\n";
  out << "mapped: at most ";
  out.Bytes(books.mapped_peak_bytes, 0) << '\n';
  out << "purged: ";
  out.Bytes(books.purged_bytes, 0) << " in " << books.purge_calls << " calls\n";
  out << "slow paths: " << books.slow_calls << " refills and flushes, about ";
  out << books.slow_ns / 1000 << " us in them (every 16th timed)\n";
  out << "sized deletes that did not match: " << books.mismatched_sizes << '\n';
}

void WriteObjects(Text& out) {
  ObjectTypeBooks types[kObjectTypesMax];
  const size_t count = objects_hook == nullptr ? 0 : objects_hook(types, kObjectTypesMax);
  if (count == 0) {
    return;
  }
  out << "\nobjects by type (bytes with their headers)\n      count          bytes   type\n";
  for (size_t i = 0; i < count; ++i) {
    out.Number(types[i].count, 11).Number(types[i].bytes, 15) << "   " << types[i].name << '\n';
  }
}

}  // namespace

void WriteText(Text& out, const Report& report) {
  const Books& books = report.books;
  out << "tally: report of process " << report.process << ": " << books.live_blocks()
      << " live blocks, " << books.allocated_blocks() << " allocated\n";
  WriteClasses(out, books);
  WriteTiers(out, books);
  WriteThreads(out, books);
  WriteThreadList(out, report);
  WriteObjects(out);
  WriteIdentity(out, books);
  WriteKernel(out, report.kernel);
}

}  // namespace tally
