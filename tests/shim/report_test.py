#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Options and the report at exit, as a user meets them.

usage: report_test.py LIBRARY MISMATCH_PROGRAM
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

LIBRARY, MISMATCH = sys.argv[1:3]
TRUE = "/bin/true"


def run(command, **variables):
    environment = {**os.environ, "LD_PRELOAD": LIBRARY, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60,
                          check=False)


class ReportTest(unittest.TestCase):

    def test_silent_by_default(self):
        result = run([TRUE])
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_report_on_stderr(self):
        result = run([TRUE], TALLY_STATS="exit")
        self.assertIn("tally: report of process", result.stderr)
        self.assertIn("identity holds: yes", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_report_though_the_program_closed_stderr(self):
        result = run(["/usr/bin/perl", "-e", "close(STDERR)"], TALLY_STATS="exit")
        self.assertIn("identity holds: yes", result.stderr)

    def test_file_pattern(self):
        with tempfile.TemporaryDirectory() as folder:
            result = run([TRUE], TALLY_STATS="exit", TALLY_STATS_FILE=f"{folder}/%p-%t.txt")
            self.assertEqual(result.stderr, "")
            (name,) = os.listdir(folder)
            self.assertRegex(name, r"^\d+-\d{9,}\.txt$")
            with open(f"{folder}/{name}", encoding="ascii") as file:
                text = file.read()
            self.assertIn(f"process {name.split('-')[0]}:", text)

    def test_missing_folder_is_one_warning(self):
        result = run([TRUE], TALLY_STATS="exit", TALLY_STATS_FILE="/no/such/folder/x")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertIn("warning: TALLY_STATS_FILE=/no/such/folder/x", result.stderr)

    def test_help(self):
        result = run([TRUE], TALLY_HELP="1")
        for name in ("TALLY_STATS", "TALLY_DECAY_MS", "TALLY_MAGAZINE_KB", "TALLY_HELP"):
            self.assertRegex(result.stderr, rf"(?m)^  {name} +\S")

    def test_bad_values(self):
        for name, value, default in (("TALLY_DECAY_MS", "soon", "1000"), ("TALLY_THP", "2", "1"),
                                     ("TALLY_MAGAZINE_KB", "-1", "2048")):
            result = run([TRUE], **{name: value})
            self.assertEqual(result.returncode, 0)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertRegex(result.stderr, rf"^tally: warning: {name}={value}: .* using {default}$")
        result = run([TRUE], TALLY_STATS="sometimes")
        self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertIn("TALLY_STATS", result.stderr)

    def test_child_that_ends_by_exit_says_nothing(self):
        code = "import os\nif os.fork() == 0: os._exit(0)\nos.wait()"
        result = run(["/usr/bin/python3", "-c", code], TALLY_STATS="exit")
        self.assertEqual(result.stderr.count("tally: report of process"), 1)

    def test_forked_child_that_exits_reports_its_own_pid(self):
        code = "import os, sys\nchild = os.fork()\nif child: os.wait()\nsys.exit(0)"
        result = run(["/usr/bin/python3", "-c", code], TALLY_STATS="exit")
        pids = re.findall(r"report of process (\d+)", result.stderr)
        self.assertEqual(len(set(pids)), 2)

    def test_sized_delete_mismatch_is_counted(self):
        result = run([MISMATCH], TALLY_STATS="exit")
        self.assertEqual(result.returncode, 0)
        self.assertIn("sized deletes that did not match: 3\n", result.stderr)

    def test_terms_add_up(self):
        result = run(["/usr/bin/python3", "-c", "x = [str(i) for i in range(100000)]"],
                     TALLY_STATS="exit", PYTHONMALLOC="malloc")
        block = result.stderr.split("identity (bytes)\n")[1].split("  identity holds")[0]
        terms = [(line[2], int(line[20:36])) for line in block.splitlines()]
        mapped = [value for sign, value in terms if sign == " "]
        self.assertEqual(mapped, [sum(value for sign, value in terms if sign in "=+")])
        kernel = int(re.search(r"accessible mappings +(\d+)", result.stderr).group(1))
        self.assertAlmostEqual(kernel / mapped[0], 1, delta=0.01)


unittest.main(argv=sys.argv[:1])
