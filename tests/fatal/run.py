#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Runs one crime under the library: it must die of SIGABRT with exactly its one line on stderr.

usage: run.py LIBRARY SOURCE PROGRAM
The source says "// Expect: CALL: MESSAGE"; the program prints the address on stdout.
"""

import os
import re
import signal
import subprocess
import sys


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    library, source, program = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        call, message = re.search(r"^// Expect: (\w+): (.*)$", file.read(), re.M).groups()
    environment = {**os.environ, "LD_PRELOAD": library}
    result = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=60,
                            check=False)
    expected = f"tally: {call}({result.stdout.strip()}): {message}\n"
    if result.returncode != -signal.SIGABRT:
        sys.exit(f"exit status {result.returncode}, not SIGABRT; stderr: {result.stderr!r}")
    if result.stderr != expected:
        sys.exit(f"stderr:   {result.stderr!r}\nexpected: {expected!r}")
    print(expected, end="")


main()
