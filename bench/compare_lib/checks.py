# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Proves, in one unmeasured run, that a program really uses the allocator of its row.

The dynamic linker only warns of a library it cannot preload and goes on without. So the check run
lets it write down how it binds symbols (LD_DEBUG=bindings): in every process of the program, every
`malloc` must be bound to the allocator's library.
"""

import os
import re
import shutil

_BINDING = re.compile(r"binding file (\S+) \[\d+\] to (\S+) \[\d+\]: \w+ symbol `malloc'")


def _bindings(folder):
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            for line in file:
                match = _BINDING.search(line)
                if match:
                    yield match.groups()


def check(machine, program, allocator):
    """Returns the attempt and '' or what is wrong, in a few words."""
    folder = os.path.join(machine.scratch, "bindings")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    environment = ("LD_DEBUG=bindings", "LD_BIND_NOW=1",
                   "LD_DEBUG_OUTPUT=" + os.path.join(folder, "process"))
    attempt = machine.run_once(program, allocator, environment)
    problem = describe_status(attempt)
    expected = os.path.realpath(allocator.library)
    own_files = {os.path.basename(expected), os.path.basename(allocator.library)}
    own_files.update(allocator.family)
    bindings = set(_bindings(folder))
    through = {user for user, provider in bindings if os.path.realpath(provider) == expected}
    if not through:
        problem = problem or "nothing binds malloc to the library"
    for user, provider in sorted(bindings):
        # An allocator may ask for the C library's malloc by name. And where a program of fixed
        # address takes malloc's address, others are bound to its jump to the real one (node).
        if os.path.basename(user) in own_files or provider in through:
            continue
        if os.path.realpath(provider) != expected:
            problem = problem or (f"malloc of {os.path.basename(user)} is bound to "
                                  f"{os.path.basename(provider)}")
    shutil.rmtree(folder, ignore_errors=True)
    return attempt, problem


def describe_status(attempt):
    if attempt.status == 0:
        return ""
    how = (f"signal {attempt.status - 128}" if attempt.status > 128
           else f"exit status {attempt.status}")
    return how + (": " + attempt.error if attempt.error else "")
