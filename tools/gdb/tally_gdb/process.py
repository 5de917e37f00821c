# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The walk over the living books, by StatsDirectory of allocator/stats_format.h.

usage: process = Process()          reads the directory, the classes and the list of regions
example: for run in process.runs(region): ...

Imported by books.py and block.py. live_reader.h in tools/tally/ is the same walk in C++. Nothing is
called in the process, and nothing is trusted that is read: every length is held against a bound,
and what makes no sense raises Error.
"""

import collections
import struct

import gdb

# StatsDirectory's, in its order; each is a u64.
FIELDS = """
magic version directory_bytes
pool_bytes arena_bytes region_bytes descriptor_bytes class_count
classes class_stride class_block_bytes class_run_pools class_capacity
class_first_block
regions region_next region_committed region_arena_count region_first_pool
region_keys region_arenas
arena_stride arena_free arena_dirty arena_touched
pool_owner pool_kind pool_size_class pool_free_blocks pool_inner_index pool_run_pools
pool_request_bytes pool_bitmap region_map region_map_bytes
heaps heap_count heap_users heap_inbox heap_classes
heap_class_stride heap_class_depot heap_class_refills heap_class_flushes
batch_next batch_count batch_blocks batch_blocks_max
caches cache_next cache_heap cache_thread cache_bases cache_resets cache_magazine_bytes
cache_slow_calls cache_slow_ns cache_outgoing cache_outgoing_stride cache_outgoing_count
outgoing_batch cache_magazines
magazine_stride magazine_top magazine_limit magazine_countdown magazine_bottom
huge_table huge_capacity huge_stride huge_start huge_bytes huge_request_bytes
spares spare_count spare_stride spare_start spare_bytes
metadata_steps step_next step_bytes
large_allocated large_freed huge_allocated huge_freed metadata_bytes mapped_peak_bytes
live_threads peak_threads threads_started purged_bytes purge_calls mismatched_sizes
uncached_allocations samples sampled_bytes
""".split()
MAGIC = 0x534b4f4f42594c54
VERSION = 5
WORD_MAX = (1 << 64) - 1
# No process that means well has more or larger.
CLASSES_MAX = 176
SPARES_MAX = 1024
HUGE_MAX = 1 << 22
LIST_MAX = 1 << 20
STRUCTURE_BYTES_MAX = 1 << 16
READ_BYTES_MAX = 1 << 27
# Kinds of pools, and the geometry that the walk is made for.
BLOCKS, INNER, LARGE = 1, 2, 3
POOL_BYTES, WORD_BITS = 4096, 64
KEY_BYTES = 16384  # of a region's pools

Directory = collections.namedtuple("Directory", FIELDS)
Shape = collections.namedtuple("Shape", "block_bytes run_pools capacity first_block")
Region = collections.namedtuple("Region", "start arenas arenas_reserved keys")
# Pools of a region. `kind` is "blocks", "large", or the term of the identity that they belong to.
Run = collections.namedtuple("Run", "kind index pools size_class free request_bytes owner")
Heap = collections.namedtuple("Heap", "address index users inbox classes")
# Memory that is no region's: a huge block, a spare, or a mapping of metadata.
Mapping = collections.namedtuple("Mapping", "start bytes request_bytes")


class Error(Exception):
    """A sentence for people."""


class Copy(bytes):
    """A copy of a structure, out of which fields are taken by offset. Past its end all is zero."""

    def number(self, at, width=8):
        return int.from_bytes(self[at:at + width], "little")


class Process:
    """What lies in the process, by its directory."""

    def __init__(self):
        if gdb.selected_inferior().pid == 0:
            raise Error("there is no process and no core file")
        try:
            with gdb.with_parameter("language", "c"):
                address = int(gdb.parse_and_eval("&tally_stats_directory"))
        except gdb.error:
            raise Error("no symbol tally_stats_directory: Tally is not in this program, or gdb "
                        "does not know its files, or they were stripped") from None
        magic, version, size = struct.unpack("<3Q", self.read(address, 24))
        if magic == 0:
            raise Error("Tally has not started in this process")
        if magic != MAGIC:
            raise Error(f"what lies at {address:#x} is not Tally's directory")
        if version != VERSION:
            raise Error(f"its books have layout {version}, this script reads {VERSION}")
        if size != 8 * len(FIELDS):
            raise Error(f"its directory has {size} bytes, this script reads {8 * len(FIELDS)}")
        words = struct.unpack(f"<{len(FIELDS)}Q", self.read(address, size))
        self.directory = d = Directory._make(words)
        arena = POOL_BYTES * WORD_BITS
        if (d.pool_bytes, d.arena_bytes, d.region_bytes, d.descriptor_bytes) != (
                POOL_BYTES, arena, arena * WORD_BITS, 64):
            raise Error("its pools, arenas or regions have sizes that no Tally has")
        self.shapes = list(self.read_shapes())
        self.regions = {region.start: region for region in self.read_regions()}

    @staticmethod
    def bounded(number, most, what):
        if number > most:
            raise Error(f"its books make no sense: {what}: {number}, the most is {most}")
        return number

    @classmethod
    def read(cls, address, size):
        cls.bounded(size, READ_BYTES_MAX, "bytes of one table")
        if size == 0:
            return Copy()
        try:
            return Copy(gdb.selected_inferior().read_memory(address & WORD_MAX, size))
        except gdb.MemoryError:
            raise Error("its books make no sense, or are not in the core file: "
                        f"{size} bytes at {address & WORD_MAX:#x} cannot be read") from None

    def word(self, address, width=8):
        return self.read(address, width).number(0, width)

    def table(self, address, count, stride, count_max, what):
        """Copies of the entries of an array."""
        self.bounded(count, count_max, what)
        self.bounded(stride, STRUCTURE_BYTES_MAX, f"bytes between {what}")
        copy = self.read(address, count * stride)
        return [Copy(copy[i * stride:(i + 1) * stride]) for i in range(count)]

    def follow(self, address, next_at, what):
        """The addresses of a list's members."""
        seen = set()
        while address != 0:
            if address in seen:
                raise Error(f"its books make no sense: the list of {what} has no end")
            seen.add(address)
            self.bounded(len(seen), LIST_MAX, what)
            yield address
            address = self.word(address + next_at)

    def read_shapes(self):
        d = self.directory
        for entry in self.table(d.classes, d.class_count, d.class_stride, CLASSES_MAX,
                                "size classes"):
            shape = Shape(entry.number(d.class_block_bytes, 4), entry.number(d.class_run_pools, 2),
                          entry.number(d.class_capacity, 2),
                          entry.number(d.class_first_block, 1))
            if shape.capacity != 0 and not (
                    0 < shape.capacity * shape.block_bytes
                    <= shape.run_pools * POOL_BYTES - shape.first_block):
                raise Error(f"its books make no sense: a size class of {shape.block_bytes} bytes")
            yield shape

    # Regions.

    def read_regions(self):
        d = self.directory
        for start in self.follow(self.word(d.regions), d.region_next, "regions"):
            arenas = bin(self.word(start + d.region_committed)).count("1")
            reserved = self.word(start + d.region_arena_count, 4)
            self.bounded(reserved, WORD_BITS, "arenas of a region")
            if start % d.region_bytes != 0 or arenas == 0:
                raise Error(f"its books make no sense: there is no region at {start:#x}")
            yield Region(start, arenas, reserved, self.word(start + d.region_keys))

    def runs(self, region):
        """All pools of a region but those of metadata, in runs: allocator/pool_walk.h's walk."""
        d = self.directory
        copy = self.read(region.start, region.arenas * WORD_BITS * d.descriptor_bytes)
        end = region.arenas * WORD_BITS
        index = d.region_first_pool
        while index < end:
            arena = d.region_arenas + index // WORD_BITS * d.arena_stride
            free, dirty, touched = (copy.number(arena + field) >> index % WORD_BITS & 1
                                    for field in (d.arena_free, d.arena_dirty, d.arena_touched))
            if free:
                run = Run("dirty" if dirty else "purged" if touched else "never touched",
                               index, 1, 0, 0, 0, 0)
            else:
                at = index * d.descriptor_bytes
                pool = Copy(copy[at:at + d.descriptor_bytes])
                run = self.run_of(pool, index, end - index)
            yield run
            index += run.pools

    def run_of(self, pool, index, left):
        d = self.directory
        kind = pool.number(d.pool_kind, 1)
        size_class = pool.number(d.pool_size_class, 1)
        free = pool.number(d.pool_free_blocks, 2)
        pools = pool.number(d.pool_run_pools, 4)
        if kind == BLOCKS and size_class < len(self.shapes):
            shape = self.shapes[size_class]
            if free <= shape.capacity != 0 and shape.run_pools <= left:
                return Run("blocks", index, shape.run_pools, size_class, free, 0,
                                pool.number(d.pool_owner))
        if kind == LARGE and pools != 0:
            return Run("large", index, min(pools, left), 0, 0,
                            pool.number(d.pool_request_bytes), 0)
        return Run("in transit", index, 1, 0, 0, 0, 0)

    def region_at(self, address):
        return self.regions.get(address - address % self.directory.region_bytes)

    def class_at(self, block):
        """The class of a block; 0 where there is none."""
        d = self.directory
        region = self.region_at(block)
        index = block % d.region_bytes // d.pool_bytes
        if region is None or index >= region.arenas * WORD_BITS:
            return 0
        pool = self.read(region.start + index * d.descriptor_bytes, d.descriptor_bytes)
        if pool.number(d.pool_kind, 1) == INNER:
            index -= min(index, pool.number(d.pool_inner_index, 1))
            pool = self.read(region.start + index * d.descriptor_bytes, d.descriptor_bytes)
        size_class = pool.number(d.pool_size_class, 1)
        is_class = pool.number(d.pool_kind, 1) == BLOCKS and size_class < len(self.shapes)
        return size_class if is_class else 0

    # Other mappings.

    def huge_blocks(self):
        d = self.directory
        table = self.table(self.word(d.huge_table), self.word(d.huge_capacity), d.huge_stride,
                           HUGE_MAX, "entries for huge blocks")
        return self.mappings(table, d.huge_start, d.huge_bytes, d.huge_request_bytes)

    def spares(self):
        d = self.directory
        table = self.table(d.spares, self.word(d.spare_count), d.spare_stride, SPARES_MAX, "spares")
        return self.mappings(table, d.spare_start, d.spare_bytes, d.spare_bytes)

    @staticmethod
    def mappings(table, start, size, request):
        return [Mapping(entry.number(start), entry.number(size), entry.number(request))
                for entry in table if entry.number(start) != 0]

    def metadata(self):
        d = self.directory
        return [Mapping(d.region_map, d.region_map_bytes, 0)] + [
            Mapping(region.keys, KEY_BYTES, 0) for region in self.regions.values()] + [
            Mapping(step, self.word(step + d.step_bytes), 0)
            for step in self.follow(self.word(d.metadata_steps), d.step_next, "metadata mappings")]

    # Who holds blocks back.

    def heaps(self):
        d = self.directory
        count = self.word(d.heap_count, 4)
        for index, entry in enumerate(self.table(d.heaps, count, 8, STRUCTURE_BYTES_MAX, "heaps")):
            heap = entry.number(0)
            classes = self.table(heap + d.heap_classes, d.class_count, d.heap_class_stride,
                                 CLASSES_MAX, "size classes")
            yield Heap(heap, index, self.word(heap + d.heap_users, 4),
                            self.word(heap + d.heap_inbox), classes)

    def batched(self, first):
        """The blocks in a list of batches."""
        d = self.directory
        most = min(d.batch_blocks_max, STRUCTURE_BYTES_MAX)
        blocks = []
        for batch in self.follow(first, d.batch_next, "batches"):
            count = self.bounded(self.word(batch + d.batch_count, 4), most, "blocks in a batch")
            blocks += struct.unpack(f"<{count}Q", self.read(batch + d.batch_blocks, count * 8))
        return blocks

    def depot(self, heap, size_class):
        return self.batched(heap.classes[size_class].number(self.directory.heap_class_depot))

    def caches(self):
        """Copies of the thread caches, up to the last of the fields."""
        d = self.directory
        fields = (d.cache_next, d.cache_heap, d.cache_thread, d.cache_resets,
                  d.cache_magazine_bytes, d.cache_slow_calls, d.cache_slow_ns)
        size = max(max(fields) + 8, d.cache_bases + d.class_count * 8,
                   d.cache_outgoing + d.cache_outgoing_count * d.cache_outgoing_stride,
                   d.cache_magazines + d.class_count * d.magazine_stride)
        self.bounded(d.cache_outgoing_count, STRUCTURE_BYTES_MAX, "outgoing batches of a thread")
        self.bounded(size, 16 * STRUCTURE_BYTES_MAX, "bytes of a thread cache")
        for cache in self.follow(self.word(d.caches), d.cache_next, "thread caches"):
            yield self.read(cache, size)

    def magazine(self, cache, size_class):
        """The address of a magazine's first block, and how many there are."""
        d = self.directory
        at = d.cache_magazines + size_class * d.magazine_stride
        top, limit, bottom = (cache.number(at + field)
                              for field in (d.magazine_top, d.magazine_limit, d.magazine_bottom))
        is_settled = bottom <= top <= limit <= bottom + STRUCTURE_BYTES_MAX
        return bottom + 8, (top - bottom) // 8 if is_settled else 0

    def outgoing(self, cache):
        d = self.directory
        batches = [cache.number(d.cache_outgoing + i * d.cache_outgoing_stride + d.outgoing_batch)
                   for i in range(d.cache_outgoing_count)]
        return [block for batch in batches for block in self.batched(batch)]
