#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""`tally diff` on dumps made by hand, on bad files, and the command line itself.

usage: diff_test.py TOOL LIBRARY
"""

import json
import unittest

from dumps import KIB, MIB, ToolTest, dump, size_class

BEFORE = dump(0, [size_class(16, 100, 1000), size_class(64, 50), size_class(1024, 10)])
AFTER = dump(10, [size_class(16, 100, 3000), size_class(64, 20, 100), size_class(1024, 2058),
                  size_class(4096, 1)], large=96 * KIB)

TEXT = """\
A  DIR/1.json: server, process 4711, 2023-11-14 22:13:20 UTC
B  DIR/2.json: server, process 4711, 2023-11-14 22:13:30 UTC, 10.0 s later

in all
                             A        B    change                  rate
  RSS of the process   1.1 MiB  3.2 MiB  +2.1 MiB  +195 %  +214.6 KiB/s
  live bytes          14.7 KiB  2.1 MiB  +2.1 MiB    x147  +214.6 KiB/s
  live blocks              160    2,180    +2,020     x14        +202/s
  allocated blocks       1,060    5,160    +4,100  +387 %        +410/s
  freed blocks             900    2,980    +2,080  +231 %        +208/s
  threads                    2        2         0

live memory by size class, largest change first; allocated and freed are the blocks in between
  class    bytes A   bytes B     change  blocks B  change  allocated   freed  allocated/s
  1024 B  10.0 KiB   2.0 MiB   +2.0 MiB     2,058  +2,048     +2,048       0          205
  large        0 B  96.0 KiB  +96.0 KiB         1      +1         +1       0          0.1
  4096 B       0 B   4.0 KiB   +4.0 KiB         1      +1         +1       0          0.1
  64 B     3.1 KiB   1.2 KiB   -1.9 KiB        20     -30        +50     +80            5
  16 B     1.6 KiB   1.6 KiB        0 B       100       0     +2,000  +2,000          200
  all     14.7 KiB   2.1 MiB   +2.1 MiB     2,180  +2,020     +4,100  +2,080          410
  (1 more, 1 of them unchanged; --all shows them)

where every mapped byte is
                          A         B    change                rate
    mapped         78.7 KiB   2.2 MiB  +2.1 MiB   x28  +214.6 KiB/s
  = live           14.7 KiB   2.1 MiB  +2.1 MiB  x147  +214.6 KiB/s
  + cached              0 B       0 B       0 B
  + in transit          0 B       0 B       0 B
  + free in pools       0 B       0 B       0 B
  + tails               0 B       0 B       0 B
  + dirty               0 B       0 B       0 B
  + purged              0 B       0 B       0 B
  + never touched       0 B       0 B       0 B
  + metadata       64.0 KiB  64.0 KiB       0 B
  + guards              0 B       0 B       0 B
"""


class DiffTest(ToolTest):

    def test_text(self):
        text = self.output("diff", self.write(BEFORE), self.write(AFTER))
        self.assertEqual(text.replace(self.folder, "DIR"), TEXT)

    def test_all_shows_what_did_not_change(self):
        paths = self.write(BEFORE), self.write(dump(10, BEFORE["classes"]))
        self.assertNotIn("1024 B", self.output("diff", *paths))
        self.assertIn("1024 B", self.output("diff", "--all", *paths))

    def test_twenty_rows_without_all(self):
        paths = (self.write(dump(0)),
                 self.write(dump(1, [size_class(16 * i, i) for i in range(1, 41)])))
        text = self.output("diff", *paths)
        self.assertIn("\n  640 B ", text)
        self.assertNotIn("\n  16 B ", text)
        self.assertIn("(22 more, 2 of them unchanged; --all", text)

    def test_json(self):
        text = self.output("diff", "--format", "json", self.write(BEFORE), self.write(AFTER))
        diff = json.loads(text)
        self.assertTrue(diff["same_process"])
        self.assertEqual(diff["seconds"], 10)
        self.assertEqual([entry["class"] for entry in diff["classes"]],
                         [1024, "large", 4096, 64, 16])
        self.assertEqual(diff["classes"][0]["live_bytes"],
                         {"before": 10 * KIB, "after": 2 * MIB + 10 * KIB, "change": 2 * MIB})
        self.assertEqual(diff["classes"][4]["allocated_per_second"], 200)
        self.assertEqual(diff["all"]["live_blocks"]["change"], 2048 - 30 + 2)
        self.assertEqual(sum(term["after"] for term in diff["terms"].values()),
                         diff["mapped_bytes"]["after"])

    def test_another_process_gets_a_warning_and_no_rates(self):
        for change, why in (({"process__id": 12}, "it is of process 12 (server), the other of 4711"),
                            ({"process__command": "cat"}, "it is of process 4711 (cat)"),
                            ({"process__time_ms": 5}, "it was written before the other"),
                            ({"process__threads_started": 1}, "its counters start anew")):
            paths = self.write(BEFORE), self.write({**dump(10, AFTER["classes"], **change)})
            text = self.output("diff", *paths)
            self.assertIn(f"warning: B is not a later dump of A's process: {why}", text)
            self.assertNotIn("/s", text)
            diff = json.loads(self.output("diff", "--format=json", *paths))
            self.assertFalse(diff["same_process"])
            self.assertNotIn("seconds", diff)

    def test_terms_and_keys_to_come(self):
        after = dump(1, terms={"quarantine": 4096}, novelty=[{}], process__user="me")
        text = self.output("diff", self.write(dump()), self.write(after))
        self.assertRegex(text, r"\+ quarantine +0 B +4.0 KiB +\+4.0 KiB")

    def test_terms_of_another_version(self):
        older = dump()
        del older["identity"]["terms"]["guards"]
        text = self.output("diff", self.write(older), self.write(dump(1)))
        self.assertRegex(text, r"\+ guards +0 B +0 B +0 B")

    def test_a_report_without_kernel(self):
        text = self.output("diff", self.write(dump(kernel=None)), self.write(dump(1)))
        self.assertNotIn("RSS", text)

    def test_no_escape_sequence_reaches_the_terminal(self):
        hostile = self.write(dump(process__command="\x1b[2J\u009b\n" + "x" * 10_000))
        text = self.output("diff", hostile, hostile)
        self.assertIn(": ?[2J???xxx", text)
        self.assertLess(len(text), 5000)
        self.assertNotIn("\x1b", self.refusal("diff", hostile, "\x1b[2J"))

    def test_bad_files(self):
        good = self.write(dump())
        self.check_bad_files(lambda path: self.refusal("diff", good, path))

    def test_truncated(self):
        good = self.write(dump())
        self.check_truncated(lambda path: self.refusal("diff", good, path))

    def test_a_real_dump_and_itself(self):
        real = self.real_dump()
        self.assertIn("\nin all\n", self.output("diff", real, real))


class CommandLineTest(ToolTest):

    def usage(self, *arguments):
        result = self.tool(*arguments)
        self.assertEqual((result.returncode, result.stdout), (2, b""))
        complaint, usage = result.stderr.decode().splitlines()
        self.assertTrue(usage.startswith("Usage: tally"), usage)
        return complaint

    def test_usage(self):
        self.assertEqual(self.usage("frobnicate"), "tally: no such command: frobnicate")
        self.assertTrue(self.usage().startswith("tally: "))
        self.assertTrue(self.usage("--frobnicate").startswith("tally: "))
        self.assertEqual(self.usage("diff", "one"), "tally: diff: B is required")
        self.assertIn("--format: xml not in ", self.usage("diff", "a", "b", "--format", "xml"))
        self.assertIn("c", self.usage("diff", "a", "b", "c"))

    def test_help_and_version(self):
        self.assertRegex(self.output("--version"), r"^tally \d+\.\d+\.\d+\n$")
        self.assertIn("diff", self.output("--help"))
        for command in "diff", "report":
            self.assertIn("--help", self.output(command, "--help"))

    def test_a_full_disk(self):
        good = self.write(dump())
        with open("/dev/full", "wb") as full:
            result = self.tool("diff", good, good, stdout=full)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, b"tally: standard output: No space left on device\n")


if __name__ == "__main__":
    unittest.main()
