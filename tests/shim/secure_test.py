#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Under AT_SECURE the library's variables are nobody's business: no report, no file, no help.

A statically linked program is made set-group-id and run by another user: the loader takes no part,
so what is ignored here is ignored by the library itself.

usage: secure_test.py STATIC_PROGRAM
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
NOBODY = 65534


def run(program, folder, is_secure):
    """The program's stderr and the files it left, as user nobody."""
    environment = {"TALLY_STATS": "exit", "TALLY_HELP": "1", "TALLY_DECAY_MS": "nonsense",
                   "TALLY_STATS_FILE": f"{folder}/report-%p.txt", "PATH": "/bin:/usr/bin"}
    result = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=60,
                            user=NOBODY, group=NOBODY, extra_groups=[], check=False)
    if result.returncode != 0:
        sys.exit(f"secure={is_secure}: exit status {result.returncode}: {result.stderr}")
    return result.stderr, [path.name for path in pathlib.Path(folder).glob("report-*")]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if os.geteuid() != 0:
        print("needs root to make a program set-group-id")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(prefix="tally-secure-") as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o777)
        program = folder / "program"
        shutil.copy(sys.argv[1], program)
        os.chmod(program, 0o755)
        stderr, files = run(program, folder, False)
        if "TALLY_DECAY_MS" not in stderr or len(files) != 1:
            sys.exit(f"without AT_SECURE the variables must work: {stderr!r}, {files}")
        for file in files:
            (folder / file).unlink()
        os.chmod(program, 0o2755)  # the group is root's, the user's is not
        if os.statvfs(folder).f_flag & os.ST_NOSUID:
            print(f"{folder} is mounted nosuid")
            sys.exit(SKIPPED)
        stderr, files = run(program, folder, True)
        if stderr or files:
            sys.exit(f"under AT_SECURE: stderr {stderr!r}, files {files}")
    print("ok")


main()
