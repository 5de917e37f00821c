#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Holds the fast paths to their budgets and to a golden listing of mnemonics.

usage: check.py [--update] LIBRARY TRACE_STEPS GOLDEN
What a warm malloc(64) and its free execute is found by single-stepping, so it is exact.
"""

import difflib
import os
import pathlib
import re
import subprocess
import sys

BUDGETS = {"malloc": (20, 5), "free": (24, 9)}  # instructions, loads
SKIPPED = 77


def traced_offsets(library, tracer):
    environment = {**os.environ, "LD_PRELOAD": library}
    result = subprocess.run([tracer, os.path.basename(os.path.realpath(library))], env=environment,
                            capture_output=True, text=True, check=False)
    if result.returncode == SKIPPED:
        print("single-stepping is forbidden here: skipped")
        sys.exit(SKIPPED)
    if result.returncode != 0:
        sys.exit(result.stderr)
    return {line.split()[0]: [int(offset, 16) for offset in line.split()[1:]]
            for line in result.stdout.splitlines()}


def disassembly(library):
    """Instruction text by offset."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", library], capture_output=True,
                          text=True, check=True).stdout
    return {int(match.group(1), 16): match.group(2).split("#")[0].strip()
            for match in re.finditer(r"^ *([0-9a-f]+):\t(.*)$", text, re.M)}


def is_load(instruction):
    """Whether it reads memory: a memory operand that is a source, or is modified, or is compared."""
    mnemonic, _, operands = instruction.partition(" ")
    operands = operands.strip()
    if "(" not in operands or mnemonic.startswith(("lea", "nop")):
        return False
    return not (operands.endswith(")") and mnemonic.startswith("mov") and "," in operands and
                operands.split(",")[0][0] in "%$")


def check_path(name, path):
    """What is wrong with one fast path."""
    most, most_loads = BUDGETS[name]
    loads = sum(is_load(instruction) for instruction in path)
    print(f"{name}: {len(path)} instructions (budget {most}), {loads} loads (budget {most_loads})")
    if not path or path[-1].split()[0] != "ret":
        yield f"{name}: the trace does not end in ret: {path[-3:]}"
    if len(path) > most or loads > most_loads:
        yield f"{name}: over budget"
    for instruction in path:
        if re.match(r"(call|push|pop|lock|xchg|leave)|(sub|add) .*%rsp", instruction):
            yield f"{name}: {instruction} on the fast path"


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--update"]
    if len(arguments) != 3:
        sys.exit(__doc__)
    library, tracer, golden_path = arguments
    instructions = disassembly(library)
    listing, wrong = [], []
    for name, offsets in traced_offsets(library, tracer).items():
        path = [instructions[offset] for offset in offsets if offset in instructions]
        wrong += check_path(name, path)
        listing += [name, *("  " + instruction.split()[0] for instruction in path)]
    golden = pathlib.Path(golden_path)
    if "--update" in sys.argv:
        golden.write_text("\n".join(listing) + "\n")
    before = golden.read_text().splitlines() if golden.exists() else []
    if before != listing:
        print("\n".join(difflib.unified_diff(before, listing, "golden", "now", lineterm="")))
        wrong.append("the listing changed: if it should have, run again with --update")
    if wrong:
        sys.exit("\n".join(wrong))


main()
