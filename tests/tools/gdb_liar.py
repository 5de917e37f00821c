# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Runs inside gdb, after tally-gdb.py: makes the process lie, and counts what comes of it.

Each field of the directory takes numbers that make no sense, one at a time; then TALLY_ROUNDS times
all that is read is damaged here and there. A command must answer, or refuse in one line.
"""

import collections
import random

import gdb

PROCESS = tally_gdb.process.Process
HONEST = PROCESS.read
COMMANDS = ("tally books", "tally heaps", "tally threads")
outcomes = collections.Counter()
process = PROCESS()
blocks = [region.start + region.start // 4096 % 7 + 0x40000 for region in process.regions.values()]
blocks += [block.start for block in process.huge_blocks()]


def ask(command):
    try:
        gdb.execute(command, to_string=True)
        outcomes["answers"] += 1
    except gdb.error as error:
        is_refusal = str(error).startswith("tally: ") and "\n" not in str(error)
        outcomes["refusals" if is_refusal else "others"] += 1
        if not is_refusal:
            print(command, error)


def ask_all():
    for command in (*COMMANDS, *(f"tally block {block:#x}" for block in blocks)):
        ask(command)


def lie_with(damage):
    def read(address, size):
        return tally_gdb.process.Copy(damage(address, bytearray(HONEST(address, size))))
    PROCESS.read = staticmethod(read)
    ask_all()
    PROCESS.read = HONEST


def field_lies(index, value):
    address = int(gdb.parse_and_eval("(long)&tally_stats_directory"))

    def damage(at, data):
        if at == address and len(data) > 8 * index:
            data[8 * index:8 * index + 8] = value.to_bytes(8, "little")
        return data
    lie_with(damage)


def all_lies(seed):
    dice = random.Random(seed)
    rate = 10 ** dice.uniform(-6, -1)

    def damage(at, data):
        for _ in range(int(len(data) * rate + dice.random())):
            data[dice.randrange(len(data))] = dice.choice((0, 1, 255, dice.randrange(256)))
        return data
    lie_with(damage)


for index in range(len(tally_gdb.process.FIELDS)):
    for value in (0, 1 << 16, (1 << 64) - 8, random.Random(index).getrandbits(64)):
        field_lies(index, value)
for seed in range(TALLY_ROUNDS):
    all_lies(seed)
print(", ".join(f"{outcomes[name]} {name}" for name in ("answers", "refusals", "others")))
