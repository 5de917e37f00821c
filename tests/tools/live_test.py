#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Reading processes from outside: run, ps, stat, map, and files that mean harm.

usage: live_test.py TOOL LIBRARY LEDGER_PROGRAM HOSTILE_PROGRAM SCHEMA [ROUNDS]
ROUNDS is how many damaged files are tried.
"""

import json
import os
import pathlib
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

import jsonschema

TOOL, LIBRARY, LEDGER, HOSTILE, SCHEMA = sys.argv[1:6]
ROUNDS = int(sys.argv[6]) if len(sys.argv) > 6 else 300
PYTHON = "/usr/bin/python3"
HEADER_BYTES, SNAPSHOT_BYTES, LEAVES_AT = 4096, 20 * 1024, 44 * 1024
PUBLISHED_AT = 7 * 8  # of the header's field


class LiveCase(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        os.chmod(self.folder.name, 0o700)
        self.environment = {**os.environ, "TALLY_PUBLISH_DIR": f"{self.folder.name}/tally"}

    def tool(self, *arguments, status=0):
        result = subprocess.run([TOOL, *arguments], env=self.environment, capture_output=True,
                                text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, status, (arguments, result.stdout, result.stderr))
        return result

    def start(self, *command, **variables):
        environment = {**self.environment, "LD_PRELOAD": LIBRARY, "TALLY_PUBLISH": "1", **variables}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

        def end():
            process.kill()
            process.wait()
            process.stdout.close()

        self.addCleanup(end)
        return process

    def start_sleeper(self, code="x = [bytes(i) for i in range(2000)]"):
        process = self.start(PYTHON, "-c", f"{code}\nprint('up', flush=True)\nimport time\n"
                             "time.sleep(60)", PYTHONMALLOC="malloc")
        self.assertEqual(process.stdout.readline(), "up\n")
        return process

    def path(self, process):
        return f"{self.folder.name}/tally/{process}"

    def kept_file(self):
        """The file that a short program left behind."""
        result = self.tool("run", "--keep", "--", PYTHON, "-c", "print(1)")
        return re.search(r"books kept in (.*)", result.stderr).group(1)


class StatTest(LiveCase):

    def check_ledger(self, seed):
        baseline = f"{self.folder.name}/baseline"
        process = self.start(LEDGER, str(seed), baseline)
        ledger = {}
        for line in process.stdout:
            if line == "end\n":
                break
            size, allocated, freed = map(int, line.split())
            ledger[size] = (allocated, freed)
        while pathlib.Path(f"/proc/{process.pid}/stat").read_text().split()[2] != "T":
            time.sleep(0.01)
        report = json.loads(self.tool("stat", str(process.pid), "--format", "json").stdout)
        before = json.loads(pathlib.Path(baseline).read_text())
        self.assertEqual(sum(report["identity"]["terms"].values()),
                         report["identity"]["mapped_bytes"])

        def entries(books):
            by_size = {entry["size"]: entry for entry in books["classes"]}
            return {**by_size, 1: books["large"], 2: books["huge"]}

        old, new = entries(before), entries(report)
        nothing = {"allocated": 0, "freed": 0, "live": 0}
        for size, entry in new.items():
            start = old.get(size, nothing)
            allocated, freed = ledger.get(size, (0, 0))
            self.assertEqual(entry["allocated"] - start["allocated"], allocated, size)
            self.assertEqual(entry["freed"] - start["freed"], freed, size)
            self.assertEqual(entry["live"] - start["live"], allocated - freed, size)
        self.assertLessEqual(set(ledger), set(new))
        process.send_signal(signal.SIGCONT)

    def test_a_stopped_process_agrees_with_its_ledger(self):
        for seed in range(1, 6):
            with self.subTest(seed):
                self.check_ledger(seed)

    def test_the_kernel_agrees(self):
        process = self.start_sleeper()
        report = json.loads(self.tool("stat", str(process.pid), "--format", "json").stdout)
        jsonschema.validate(report, json.loads(pathlib.Path(SCHEMA).read_text()))
        kernel = report["kernel"]
        self.assertAlmostEqual(kernel["accessible_bytes"], report["identity"]["mapped_bytes"],
                               delta=report["identity"]["mapped_bytes"] / 100)
        self.assertLess(sum(kernel["resident"].values()), kernel["rss_bytes"] * 1.01)

    def test_killed_leaves_the_last_snapshot(self):
        process = self.start_sleeper("import time; x = [bytes(i) for i in range(2000)];"
                                     "time.sleep(0.05); y = [bytes(i) for i in range(2000)]")
        process.kill()
        process.wait()
        result = self.tool("stat", str(process.pid), "--format", "json")
        self.assertRegex(result.stderr, r"^tally: stat: \d+: last snapshot, \d+\.\d s old: "
                                        r"the process was killed\n$")
        report = json.loads(result.stdout)
        self.assertEqual(sum(report["identity"]["terms"].values()),
                         report["identity"]["mapped_bytes"])
        self.assertGreater(report["identity"]["terms"]["live"], 1 << 20)
        by_path = self.tool("stat", self.path(process.pid), "--format", "json")
        self.assertEqual(json.loads(by_path.stdout)["classes"], report["classes"])
        self.assertIn("ended", self.tool("ps").stdout)
        self.assertIn("removed", self.tool("ps", "--prune").stdout)
        self.assertEqual(os.listdir(f"{self.folder.name}/tally"), [])

    def test_after_exec_there_is_only_the_snapshot(self):
        process = self.start(PYTHON, "-c", "import os; os.environ.pop('LD_PRELOAD');"
                             "os.execv('/bin/sleep', ['sleep', '60'])")
        while pathlib.Path(f"/proc/{process.pid}/comm").read_text() != "sleep\n":
            time.sleep(0.01)
        self.assertRegex(self.tool("stat", str(process.pid)).stderr, "last snapshot, .* old: ")

    def test_formats_and_repetition(self):
        process = self.start_sleeper()
        result = self.tool("stat", str(process.pid), "--interval", "0.1", "--count", "3")
        self.assertEqual(result.stdout.count("identity holds: yes"), 3)
        metrics = self.tool("stat", str(process.pid), "--format", "openmetrics").stdout
        self.assertTrue(metrics.endswith("# EOF\n"))

    def test_who_is_not_there(self):
        self.assertRegex(self.tool("stat", "999999999", status=1).stderr,
                         "^tally: stat: there is no process 999999999\n$")
        self.assertIn("is not published; start it with `tally run`",
                      self.tool("stat", str(os.getpid()), status=1).stderr)
        self.assertIn("No such file", self.tool("stat", "/nonexistent/file", status=1).stderr)


class RunTest(LiveCase):

    def test_summary_and_status(self):
        result = self.tool("run", "--", "/bin/sh", "-c", "echo out; exit 7", status=7)
        self.assertEqual(result.stdout, "out\n")
        self.assertRegex(result.stderr, r"tally: /bin/sh \(process \d+\): .*peak RSS")
        self.assertIn("blocks allocated", result.stderr)
        self.assertEqual(os.listdir(f"{self.folder.name}/tally"), [])

    def test_a_signal_ends_it(self):
        result = self.tool("run", "--", PYTHON, "-c",
                           "import os; os.kill(os.getpid(), 9)", status=128 + 9)
        self.assertIn("blocks allocated", result.stderr)

    def test_reports_go_where_they_are_wanted(self):
        output = f"{self.folder.name}/report.json"
        self.tool("run", "--output", output, "--format", "json", "--", PYTHON, "-c", "1")
        self.assertTrue(json.loads(pathlib.Path(output).read_text())["identity"]["holds"])

    def test_what_cannot_run(self):
        self.assertIn("/nonexistent/program: No such file",
                      self.tool("run", "--", "/nonexistent/program", status=127).stderr)
        self.assertIn("no such library",
                      self.tool("run", "--library", "/nonexistent/l.so", "--", "true",
                                status=1).stderr)
        usage = self.tool("run", status=2).stderr.splitlines()
        self.assertEqual(len(usage), 2)
        self.assertRegex(usage[1], "Usage: tally run")


class MapTest(LiveCase):

    def test_pictures(self):
        process = self.start_sleeper("x = [bytes(96) for i in range(100000)]; x = x[::9]")
        svg, png = f"{self.folder.name}/map.svg", f"{self.folder.name}/map.png"
        self.tool("map", str(process.pid), "-o", svg)
        self.tool("map", str(process.pid), "--output", png)
        root = xml.etree.ElementTree.parse(svg).getroot()
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
        self.assertGreater(os.path.getsize(svg), 20000)
        self.assertEqual(pathlib.Path(png).read_bytes()[:8], b"\x89PNG\r\n\x1a\n")

    def test_what_cannot_be_drawn(self):
        self.assertRegex(self.tool("map", "1", "-o", "map.gif", status=2).stderr,
                         "^tally: map: map.gif: neither .svg nor .png")
        path = self.kept_file()
        self.assertIn("cannot be written",
                      self.tool("map", path, "-o", "/nonexistent/map.svg", status=1).stderr)


class DamageTest(LiveCase):
    """Whatever is in a file: one clear line and exit 2, or a report."""

    def check(self, content):
        path = f"{self.folder.name}/damaged"
        pathlib.Path(path).write_bytes(content)
        for command in (["stat", path, "--format", "json"],
                        ["map", path, "-o", f"{self.folder.name}/map.png"]):
            result = subprocess.run([TOOL, *command], env=self.environment, capture_output=True,
                                    text=True, timeout=60, check=False)
            self.assertIn(result.returncode, (0, 2), (command, result))
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertRegex(result.stderr, f"^tally: {command[0]}: ")
        return result

    def test_truncated(self):
        content = pathlib.Path(self.kept_file()).read_bytes()
        for length in [0, 1, 7, 8, 100, 1000, 4095, 4096, 30000, LEAVES_AT - 1, LEAVES_AT,
                       LEAVES_AT + 4096, len(content) // 2]:
            result = self.check(content[:length])
            self.assertEqual(result.returncode, 2, length)
            self.assertRegex(result.stderr, "truncated|not a file that Tally published")

    def test_bytes_at_random(self):
        content = pathlib.Path(self.kept_file()).read_bytes()
        source = random.Random(20261121)
        for _ in range(ROUNDS):
            damaged = bytearray(content)
            for _ in range(source.choice([1, 1, 3, 50])):
                place = source.choice([source.randrange(len(content)), source.randrange(700),
                                       LEAVES_AT + source.randrange(12288)])
                damaged[place] = source.choice([0, 255, source.randrange(256)])
            self.check(bytes(damaged))

    def test_foreign(self):
        for content in (b"#!/bin/sh\n" * 10000, b"\0" * 100000, b"\x7fELF" + os.urandom(90000)):
            self.assertEqual(self.check(content).returncode, 2)

    def test_another_version(self):
        content = bytearray(pathlib.Path(self.kept_file()).read_bytes())
        content[8:16] = struct.pack("<Q", 99)
        self.assertIn("layout 99", self.check(bytes(content)).stderr)

    def with_checksum(self, content):
        published = struct.unpack_from("<Q", content, PUBLISHED_AT)[0]
        start = HEADER_BYTES + published % 2 * SNAPSHOT_BYTES
        # The checksum is the last word of the snapshot: find it by what it is now.
        words = struct.unpack_from(f"<{SNAPSHOT_BYTES // 8}Q", self.original, start)
        total, at = 0xcbf29ce484222325, 0
        while words[at] != total or at < 100:
            total = (total ^ words[at]) * 0x100000001b3 % (1 << 64)
            at += 1
        total = 0xcbf29ce484222325
        for word in struct.unpack_from(f"<{at}Q", content, start):
            total = (total ^ word) * 0x100000001b3 % (1 << 64)
        struct.pack_into("<Q", content, start + at * 8, total)
        return start, at

    def test_lies_with_a_right_checksum(self):
        self.original = pathlib.Path(self.kept_file()).read_bytes()
        start, words = self.with_checksum(bytearray(self.original))
        source = random.Random(7)
        for round_number in range(ROUNDS // 3):
            content = bytearray(self.original)
            for _ in range(source.choice([1, 5, 100])):
                word = 2 if round_number % 4 == 0 else source.randrange(2, words)
                value = source.choice([0, 1, (1 << 64) - 1, 1 << 63, source.randrange(1 << 64)])
                struct.pack_into("<Q", content, start + word * 8, value)
            self.with_checksum(content)
            self.check(bytes(content))

    def test_no_file_at_all(self):
        fifo = f"{self.folder.name}/fifo"
        os.mkfifo(fifo)
        self.assertIn("not a file", self.tool("stat", fifo, status=2).stderr)
        self.assertIn("not a file", self.tool("stat", self.folder.name, status=2).stderr)

    def test_a_process_that_means_harm(self):
        process = self.start(HOSTILE)
        while not os.path.exists(self.path(process.pid)):
            time.sleep(0.01)
        for _ in range(ROUNDS // 2):
            result = subprocess.run([TOOL, "stat", str(process.pid)], env=self.environment,
                                    capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(result.returncode, 0, result)
            self.assertLess(len(result.stderr.splitlines()), 2)


unittest.main(argv=sys.argv[:1])
