# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The books: sums over what process.py reads, and the report's text.

usage: books = Books(Process()); print(report(books, pid)); print(heap_table(books))

Imported by tally-gdb.py. The sums are BooksSum's of allocator/pool_walk.h, the text is
allocator/report_text.cc's without what only the kernel knows: to the last character, which
tests/tools/gdb_test.py holds against `tally stat`.
"""

import collections
import types

from tally_gdb.process import KEY_BYTES, WORD_MAX

# The terms of the identity.
TERMS = {
    "live": "blocks in the program's hands, rounding included",
    "cached": "free blocks in magazines and depots",
    "in transit": "free blocks on their way to their heap",
    "free in pools": "free blocks in pools in use",
    "tails": "outside the blocks of a run",
    "dirty": "free pools and mappings not yet given back",
    "purged": "free pools given back to the system",
    "never touched": "pools committed and not used so far",
    "metadata": "descriptors, keys, region map (8 MiB of zero page), caches",
    "guards": "none in this version"}
CLASS_COUNTS = "allocated freed live cached transit free_in_pools runs refills flushes".split()
THREADS_SHOWN = 32

HeapRow = collections.namedtuple(
    "HeapRow", "heap address threads refills flushes depot_blocks inbox_blocks")
ThreadRow = collections.namedtuple(
    "ThreadRow", "thread heap allocated cached cached_bytes transit magazine_bytes slow_ns")


class Books:
    """All of it, as of the moment at which the process stands."""

    def __init__(self, process):
        self.process = process
        self.classes = [types.SimpleNamespace(**dict.fromkeys(CLASS_COUNTS, 0))
                        for _ in process.shapes]
        self.terms = dict.fromkeys(TERMS, 0)
        self.mapped_bytes = self.reserved_bytes = self.slow_calls = self.slow_ns = 0
        self.large, self.huge = (types.SimpleNamespace(live=0, live_bytes=0, requested_bytes=0)
                                 for _ in range(2))
        self.count_regions()
        self.count_mappings()
        self.heaps = [self.count_heap(heap) for heap in process.heaps()]
        self.heap_indexes = {row.address: row.heap for row in self.heaps}
        threads = [self.count_cache(cache) for cache in process.caches()]
        self.threads = [row for row in threads if row.thread != 0 or row.allocated != 0]
        self.read_totals()
        self.finish()

    def count_regions(self):
        d = self.process.directory
        for region in self.process.regions.values():
            self.mapped_bytes += region.arenas * d.arena_bytes + KEY_BYTES
            self.reserved_bytes += region.arenas_reserved * d.arena_bytes
            self.terms["metadata"] += d.region_first_pool * d.pool_bytes  # descriptors
            self.terms["metadata"] += KEY_BYTES
            for run in self.process.runs(region):
                run_bytes = run.pools * d.pool_bytes
                if run.kind == "blocks":
                    shape, entry = self.process.shapes[run.size_class], self.classes[run.size_class]
                    entry.runs += 1
                    entry.free_in_pools += run.free
                    entry.live += shape.capacity - run.free  # those held back go off later
                    self.terms["tails"] += run_bytes - shape.capacity * shape.block_bytes
                elif run.kind == "large":
                    self.count_block(self.large, run_bytes, run.request_bytes)
                else:
                    self.terms[run.kind] += run_bytes

    @staticmethod
    def count_block(tier, live_bytes, requested_bytes):
        tier.live += 1
        tier.live_bytes += live_bytes
        tier.requested_bytes += requested_bytes

    def count_mappings(self):
        process = self.process
        for block in process.huge_blocks():
            self.count_block(self.huge, block.bytes, block.request_bytes)
        spares = sum(spare.bytes for spare in process.spares())
        metadata = (process.word(process.directory.metadata_bytes) +
                    process.directory.region_map_bytes)
        self.terms["dirty"] += spares
        self.terms["metadata"] += metadata
        self.mapped_bytes += spares + metadata + self.huge.live_bytes

    def count_transit(self, blocks):
        for block in blocks:
            size_class = self.process.class_at(block)
            if size_class != 0:
                self.classes[size_class].transit += 1
        return len(blocks)

    def count_heap(self, heap):
        d = self.process.directory
        refills = flushes = depot_blocks = 0
        for size_class, entry in list(enumerate(self.classes))[1:]:
            state = heap.classes[size_class]
            cached = len(self.process.depot(heap, size_class))
            entry.cached += cached
            entry.refills += state.number(d.heap_class_refills)
            entry.flushes += state.number(d.heap_class_flushes)
            depot_blocks += cached
            refills += state.number(d.heap_class_refills)
            flushes += state.number(d.heap_class_flushes)
        return HeapRow(heap.index, heap.address, heap.users, refills, flushes, depot_blocks,
                       self.count_transit(self.process.batched(heap.inbox)))

    def count_cache(self, cache):
        d = self.process.directory
        own_allocated = own_cached = cached_bytes = 0
        for size_class, entry in list(enumerate(self.classes))[1:]:
            countdown = cache.number(d.cache_magazines + size_class * d.magazine_stride +
                                     d.magazine_countdown)
            allocated = (cache.number(d.cache_bases + size_class * 8) - countdown) & WORD_MAX
            cached = self.process.magazine(cache, size_class)[1]
            entry.allocated += allocated
            entry.cached += cached
            own_allocated += allocated
            own_cached += cached
            cached_bytes += cached * self.process.shapes[size_class].block_bytes
        transit = self.count_transit(self.process.outgoing(cache))
        slow_ns = cache.number(d.cache_slow_ns)
        self.slow_calls += cache.number(d.cache_slow_calls)
        self.slow_ns += slow_ns
        return ThreadRow(cache.number(d.cache_thread),
                         self.heap_indexes.get(cache.number(d.cache_heap), 0),
                         own_allocated & WORD_MAX, own_cached, cached_bytes, transit,
                         cache.number(d.cache_magazine_bytes), slow_ns)

    def read_totals(self):
        process, d = self.process, self.process.directory
        for tier, allocated, freed in ((self.large, d.large_allocated, d.large_freed),
                                       (self.huge, d.huge_allocated, d.huge_freed)):
            tier.allocated, tier.freed = process.word(allocated), process.word(freed)
        self.mapped_peak_bytes = max(self.mapped_bytes, process.word(d.mapped_peak_bytes))
        self.live_threads = process.word(d.live_threads, 4)
        self.peak_threads = process.word(d.peak_threads, 4)
        self.threads_started = process.word(d.threads_started)
        self.purged_bytes = process.word(d.purged_bytes)
        self.purge_calls = process.word(d.purge_calls)
        self.mismatched_sizes = process.word(d.mismatched_sizes)
        uncached, samples, sampled_bytes = (process.read(table, d.class_count * 8) for table in
                                            (d.uncached_allocations, d.samples, d.sampled_bytes))
        for size_class, entry in enumerate(self.classes):
            entry.allocated = (entry.allocated + uncached.number(size_class * 8)) & WORD_MAX
            entry.samples = samples.number(size_class * 8)
            entry.sampled_bytes = sampled_bytes.number(size_class * 8)

    def fold_classes_of_one_size(self):
        """Classes that differ in alignment alone count as the one that has their size."""
        first_of_size = {}
        for entry, shape in zip(self.classes, self.process.shapes):
            first = first_of_size.setdefault(shape.block_bytes, entry)
            if first is not entry:
                for count, value in vars(entry).items():
                    setattr(first, count, getattr(first, count) + value)
                    setattr(entry, count, 0)

    def finish(self):
        terms = self.terms
        self.fold_classes_of_one_size()
        for entry, shape in zip(self.classes, self.process.shapes):
            # Blocks that move may be seen twice: no term may go below zero for it.
            entry.transit = min(entry.transit, entry.live)
            entry.cached = min(entry.cached, entry.live - entry.transit)
            entry.live -= entry.cached + entry.transit
            entry.freed = entry.allocated - min(entry.live, entry.allocated)
            terms["live"] += entry.live * shape.block_bytes
            terms["cached"] += entry.cached * shape.block_bytes
            terms["in transit"] += entry.transit * shape.block_bytes
            terms["free in pools"] += entry.free_in_pools * shape.block_bytes
        terms["live"] += self.large.live_bytes + self.huge.live_bytes

    def total(self, count):
        return sum(getattr(entry, count) for entry in (*self.classes, self.large, self.huge))


def in_units(size, width=0):
    scaled, unit = size * 10, 0  # tenths
    while scaled >= 10000 and unit < 6:
        scaled, unit = (scaled + 512) // 1024, unit + 1
    number = f"{scaled // 10}.{scaled % 10}" if unit else str(size)
    return f"{number:>{max(width - 4, 0)}}" + (" B  ", " KiB", " MiB", " GiB", " TiB", " PiB",
                                               " EiB")[unit]


def class_lines(books):
    yield ("\nsize classes with blocks (sizes and 'live bytes' in bytes, the rest in blocks;\n"
           "'~request': mean of the sampled requests, bytes)")
    yield ("   size    allocated        freed         live     live bytes   cached  transit"
           "  free in pools     runs  refills  flushes  ~request")
    for entry, shape in zip(books.classes, books.process.shapes):
        if entry.allocated or entry.runs:
            request = f"{entry.sampled_bytes // entry.samples:10}" if entry.samples else ""
            yield (f"{shape.block_bytes:7}{entry.allocated:13}{entry.freed:13}{entry.live:13}"
                   f"{entry.live * shape.block_bytes:15}{entry.cached:9}{entry.transit:9}"
                   f"{entry.free_in_pools:15}{entry.runs:9}{entry.refills:9}{entry.flushes:9}"
                   f"{request}")


def tier_lines(books):
    yield ("\nlarger blocks                          allocated       freed      live      "
           "live bytes       requested")
    for name, tier in (("large (runs of pools)", books.large),
                       ("huge (mappings of their own)", books.huge)):
        yield (f"  {name:34}{tier.allocated:12}{tier.freed:12}{tier.live:10}"
               f"{tier.live_bytes:16}{tier.requested_bytes:16}")


def thread_lines(books):
    yield (f"\nthreads: {books.live_threads} with a cache now, {books.peak_threads} at most, "
           f"{books.threads_started} started; {len(books.heaps)} heaps; "
           f"{len(books.process.regions)} regions ({in_units(books.reserved_bytes)} of address "
           "space)")
    yield f"mapped: at most {in_units(books.mapped_peak_bytes)}"
    yield f"purged: {in_units(books.purged_bytes)} in {books.purge_calls} calls"
    yield (f"slow paths: {books.slow_calls} refills and flushes, about "
           f"{books.slow_ns // 1000} us in them (every 16th timed)")
    yield f"sized deletes that did not match: {books.mismatched_sizes}"
    if books.threads:
        yield "     thread    heap    allocated   cached   cached bytes  transit   slow ms"
    for row in books.threads[:THREADS_SHOWN]:
        yield (f"{row.thread or 'ended':>11}{row.heap:8}{row.allocated:13}{row.cached:9}"
               f"{row.cached_bytes:15}{row.transit:9}{row.slow_ns // 1000000:10}")
    if len(books.threads) > THREADS_SHOWN:
        yield f"  ... and {len(books.threads) - THREADS_SHOWN} more"


def identity_lines(books):
    rows = [("mapped", books.mapped_bytes, "accessible memory that is ours")] + [
        (term, books.terms[term], meaning) for term, meaning in TERMS.items()]
    yield "\nidentity (bytes)"
    for sign, (name, size, meaning) in zip(" =+++++++++", rows):
        yield f"  {sign} {name:16}{size:16}{in_units(size, 14)}   {meaning}"
    holds = sum(books.terms.values()) == books.mapped_bytes
    yield f"  identity holds: {'yes' if holds else 'NO'}"


def report(books, pid):
    title = (f"tally: report of process {pid}: {books.total('live')} live blocks, "
             f"{books.total('allocated')} allocated")
    return "\n".join((title, *class_lines(books), *tier_lines(books), *thread_lines(books),
                      *identity_lines(books)))


def table(rows, names):
    """Numbers under their names."""
    lines = ["".join(f"{name:>16}" for name in names)]
    return "\n".join(lines + ["".join(f"{number:>16}" for number in row) for row in rows])


def heap_table(books):
    names = ("heap", "address", "threads", "refills", "flushes", "depot blocks", "inbox blocks")
    return table((row._replace(address=f"{row.address:#x}") for row in books.heaps), names)


def thread_table(books):
    names = ("thread", "heap", "allocated", "cached", "cached bytes", "transit", "magazine bytes",
             "slow ns")
    return table((row._replace(thread=row.thread or "ended") for row in books.threads), names)
