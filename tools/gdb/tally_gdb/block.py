# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Whose memory an address is: the block that it lies in, its place, its heap and its state.

usage: print(describe(Process(), address))

A block whose bit is set is free in its pool. One whose bit is clear is the program's, unless a
magazine, a depot or a batch holds it: the bit alone does not say that a block is live.

Imported by tally-gdb.py.
"""

import struct

from tally_gdb.process import WORD_BITS

# Bits in a descriptor; the 8-byte class, the first, has its bits elsewhere.
DESCRIPTOR_BITS, WIDE_BITS = 256, 512


def describe(process, address):
    """Lines for people; the first one is the state."""
    region = process.region_at(address)
    state, rows = (of_mappings(process, address) if region is None else
                   of_region(process, region, address))
    return "\n".join([f"{address:#x}: {state}"] +
                     [f"  {name:<8}{text}" for name, text in rows.items()])


def place(address, start, size, more):
    """The row of a block, and how far into it the address lies."""
    row = {"block": f"{start:#x}, {size} bytes{more}"}
    if address != start:
        row["offset"] = f"{address - start} bytes into the block"
    return row


def of_mappings(process, address):
    for block in process.huge_blocks():
        if block.start <= address < block.start + block.bytes:
            return "huge block, live", place(address, block.start, block.bytes,
                                             f" ({block.request_bytes} requested)")
    for spare in process.spares():
        if spare.start <= address < spare.start + spare.bytes:
            return "free: a huge block's mapping, kept for the next", {}
    if any(mapping.start <= address < mapping.start + mapping.bytes
           for mapping in process.metadata()):
        return "metadata", {}
    return "not Tally's", {}


def of_region(process, region, address):
    d = process.directory
    index = (address - region.start) // d.pool_bytes
    arena = index // WORD_BITS
    rows = {"region": f"{region.start:#x}, arena {arena}"}
    if index == 0:
        return "metadata: the head of a region", rows
    if index < d.region_first_pool:
        pool = (address - region.start) // d.descriptor_bytes
        return f"metadata: descriptor of the pool {region.start + pool * d.pool_bytes:#x}", rows
    if arena >= region.arenas:
        return "address space for pools, not accessible yet", rows
    run = next(run for run in process.runs(region) if index < run.index + run.pools)
    start = region.start + run.index * d.pool_bytes
    if run.kind == "large":
        block = place(address, start, run.pools * d.pool_bytes, f" ({run.request_bytes} requested)")
        return "large block, live", {**block, **rows}
    if run.kind == "blocks":
        state, block = of_run(process, region, run, address)
        rows["heap"] = heap_of(process, run)
        return state, {**block, **rows}
    rows = {"pool": f"{start:#x}", **rows}
    if run.kind == "in transit":
        return "in a pool that is being handed over", rows
    return f"in a free pool ({run.kind})", rows


def of_run(process, region, run, address):
    """State and rows of an address in a run of blocks."""
    shape = process.shapes[run.size_class]
    start = region.start + run.index * process.directory.pool_bytes
    first = start + shape.first_block
    number = (address - first) // shape.block_bytes
    pools = f"{start:#x}, {run.pools} pool{'s' if run.pools > 1 else ''}"
    if not 0 <= number < shape.capacity:
        where = "before the first" if number < 0 else "behind the last"
        return f"{where} block of a run", {"run": pools}
    block = first + number * shape.block_bytes
    if is_free(process, region, run, number):
        state = "free, in its pool"
    else:
        state = holder(process, block, run.size_class) or "live"
    pool = address - address % process.directory.pool_bytes
    return state, {**place(address, block, shape.block_bytes, f" (class {run.size_class})"),
                   "pool": f"{pool:#x}", "run": f"{pools}, block {number} of {shape.capacity}"}


def is_free(process, region, run, number):
    d = process.directory
    bits = region.start + run.index * d.descriptor_bytes + d.pool_bitmap
    most = DESCRIPTOR_BITS
    if run.size_class == 1:
        bits, most = process.word(bits), WIDE_BITS
    process.bounded(number, most - 1, "blocks of a run")
    return process.word(bits + number // 64 * 8) >> number % 64 & 1 != 0


def holder(process, block, size_class):
    """Who holds a block that is not in its pool; None: the program."""
    d = process.directory
    for heap in process.heaps():
        if block in process.depot(heap, size_class):
            return f"free, cached in the depot of heap {heap.index}"
        if block in process.batched(heap.inbox):
            return f"free, in transit in the inbox of heap {heap.index}"
    for cache in process.caches():
        thread = cache.number(d.cache_thread)
        name = f"thread {thread}" if thread else "a thread that ended"
        first, count = process.magazine(cache, size_class)
        if block in struct.unpack(f"<{count}Q", process.read(first, count * 8)):
            return f"free, cached in the magazine of {name}"
        if block in process.outgoing(cache):
            return f"free, in transit in an outgoing batch of {name}"
    return None


def heap_of(process, run):
    for heap in process.heaps():
        if heap.address == run.owner:
            return str(heap.index)
    return f"unknown, at {run.owner:#x}"
