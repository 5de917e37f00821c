#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Each public header compiles alone, as C++17, without a warning, and shows nothing of the core.

usage: headers_test.py COMPILER ROOT
"""

import pathlib
import re
import subprocess
import sys
import tempfile

COMPILER = sys.argv[1]
ROOT = pathlib.Path(sys.argv[2])
PUBLIC = ["refgc/refgc.h", "refgc/objgraph.h", "refgc/verify.h"]


def with_all_they_include(headers):
    found = []
    waiting = list(headers)
    while waiting:
        header = waiting.pop()
        if header not in found:
            found.append(header)
            waiting += re.findall(r'#include "([^"]+)"', (ROOT / header).read_text())
    return sorted(found)


failed = 0
with tempfile.TemporaryDirectory() as folder:
    source = pathlib.Path(folder, "alone.cc")
    for header in with_all_they_include(PUBLIC):
        if header.startswith("allocator/"):
            print(f"{header}: of the core, and included by a public header")
            failed += 1
            continue
        source.write_text(f'#include "{header}"\n#include "{header}"\n')
        command = [COMPILER, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                   f"-I{ROOT}", str(source)]
        result = subprocess.run(command, capture_output=True, text=True)
        print(f"{header}: {'fails' if result.returncode else 'compiles'}")
        if result.returncode:
            print(result.stderr)
            failed += 1
sys.exit(1 if failed else 0)
