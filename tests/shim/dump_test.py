#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Reports for machines, and reports while the program runs.

usage: dump_test.py LIBRARY SCHEMA
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import jsonschema
from prometheus_client.openmetrics import parser as openmetrics

LIBRARY, SCHEMA = sys.argv[1:3]
PYTHON = "/usr/bin/python3"


def environment(**variables):
    return {**os.environ, "LD_PRELOAD": LIBRARY, **variables}


def run(command, **variables):
    return subprocess.run(command, env=environment(**variables), capture_output=True, text=True,
                          timeout=60, check=False)


def python(code, **variables):
    return run([PYTHON, "-c", code], **variables)


def check_json(test, text):
    with open(SCHEMA, encoding="ascii") as file:
        schema = json.load(file)
    report = json.loads(text)
    jsonschema.validate(report, schema)
    identity = report["identity"]
    test.assertTrue(identity["holds"])
    test.assertEqual(sum(identity["terms"].values()), identity["mapped_bytes"])
    for entry in report["classes"]:
        test.assertEqual(entry["allocated"] - entry["freed"], entry["live"], entry)
    resident = report["kernel"]["resident"]
    test.assertLess(abs(sum(resident.values()) - report["kernel"]["rss_bytes"]),
                    report["kernel"]["rss_bytes"] / 20)
    return report


class FormatTest(unittest.TestCase):

    def test_json(self):
        result = run(["/bin/ls", "/"], TALLY_STATS="exit", TALLY_STATS_FORMAT="json")
        report = check_json(self, result.stderr)
        self.assertEqual(report["process"]["command"], "ls")
        self.assertGreater(len(report["classes"]), 3)

    def test_a_hostile_name_is_still_json(self):
        code = ("import ctypes; ctypes.CDLL(None).prctl(15, b'a\\\"b\\\\\\\\\\n\\xff\\x01', 0, 0, 0)")
        result = python(code, TALLY_STATS="exit", TALLY_STATS_FORMAT="json")
        self.assertEqual(check_json(self, result.stderr)["process"]["command"][:3], 'a"b')

    def test_openmetrics(self):
        result = run(["/bin/ls", "/"], TALLY_STATS="exit", TALLY_STATS_FORMAT="openmetrics")
        families = {family.name: family
                    for family in openmetrics.text_string_to_metric_families(result.stderr)}
        mapped = families["tally_mapped_bytes"].samples[0].value
        terms = families["tally_identity_bytes"].samples
        self.assertEqual(sum(sample.value for sample in terms), mapped)
        allocated = families["tally_class_allocated_blocks"]
        self.assertEqual(allocated.type, "counter")
        self.assertIn("16", [sample.labels["size"] for sample in allocated.samples])

    def test_prometheus(self):
        result = run(["/bin/ls", "/"], TALLY_STATS="exit", TALLY_STATS_FORMAT="prometheus")
        self.assertIn("# TYPE tally_class_allocated_blocks_total counter\n", result.stderr)
        self.assertIn('tally_class_allocated_blocks_total{size="16"} ', result.stderr)
        self.assertNotIn("# EOF", result.stderr)

    def test_an_unknown_format_is_one_warning(self):
        result = run(["/bin/true"], TALLY_STATS="exit", TALLY_STATS_FORMAT="xml")
        self.assertTrue(result.stderr.startswith("tally: warning: TALLY_STATS_FORMAT: "))
        self.assertIn("identity holds: yes", result.stderr)


class FileTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def names(self):
        return sorted(os.listdir(self.folder))

    def test_nothing_is_left_beside_the_file(self):
        run(["/bin/true"], TALLY_STATS="exit", TALLY_STATS_FILE=f"{self.folder}/report")
        self.assertEqual(self.names(), ["report"])

    def test_a_full_disk_leaves_the_old_file(self):
        os.symlink("/dev/full", f"{self.folder}/full")
        result = run(["/bin/true"], TALLY_STATS="exit", TALLY_STATS_FILE=f"{self.folder}/full")
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (0, 1))
        self.assertEqual(self.names(), ["full"])

    def test_a_pipe_without_reader_does_not_hold_up(self):
        os.mkfifo(f"{self.folder}/pipe")
        result = run(["/bin/true"], TALLY_STATS="exit", TALLY_STATS_FILE=f"{self.folder}/pipe")
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (0, 1))

    def test_devices_are_written_to(self):
        result = run(["/bin/true"], TALLY_STATS="exit", TALLY_STATS_FILE="/dev/stdout")
        self.assertIn("identity holds: yes", result.stdout)

    def test_interval_and_rotation(self):
        python("import time; time.sleep(3.5)", TALLY_STATS_INTERVAL="1", TALLY_STATS_KEEP="2",
               TALLY_STATS_FORMAT="json", TALLY_STATS_FILE=f"{self.folder}/%n.json")
        self.assertEqual(self.names(), ["0.json", "1.json"])
        for name in self.names():
            with open(f"{self.folder}/{name}", encoding="ascii") as file:
                check_json(self, file.read())

    def test_a_missing_folder_warns_once(self):
        result = python("import time; time.sleep(2.5)", TALLY_STATS_INTERVAL="1",
                        TALLY_STATS_FILE="/no/such/folder/x")
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (0, 1))

    def test_signal(self):
        for name in ("USR1", "SIGUSR1", str(int(signal.SIGUSR1))):
            code = "import sys, time; print('ready', flush=True); time.sleep(60)"
            with subprocess.Popen([PYTHON, "-c", code], stdout=subprocess.PIPE,
                                  env=environment(TALLY_STATS_SIGNAL=name,
                                                  TALLY_STATS_FILE=f"{self.folder}/{name}")) as program:
                program.stdout.readline()
                program.send_signal(signal.SIGUSR1)
                for _ in range(200):
                    if name in self.names():
                        break
                    time.sleep(0.05)
                program.kill()
            self.assertIn(name, self.names())

    def test_a_bad_signal_is_one_warning(self):
        for name in ("LUNCH", "0", "99", "9x"):
            result = run(["/bin/true"], TALLY_STATS_SIGNAL=name)
            self.assertEqual((result.returncode, len(result.stderr.splitlines())), (0, 1))

    def test_a_forked_child_reports_too(self):
        code = ("import os, time\n"
                "if os.fork() == 0:\n  time.sleep(1.6)\n  os._exit(0)\nos.wait()")
        python(code, TALLY_STATS_INTERVAL="1", TALLY_STATS_FILE=f"{self.folder}/%p")
        self.assertEqual(len(self.names()), 2)


class LifeTest(unittest.TestCase):

    def test_the_thread_does_not_keep_the_process_alive(self):
        # The main thread ends by pthread_exit, and no other is left.
        code = "import ctypes; ctypes.CDLL(None).pthread_exit(0)"
        start = time.monotonic()
        result = python(code, TALLY_STATS_INTERVAL="3600")
        self.assertEqual(result.returncode, 0)
        self.assertLess(time.monotonic() - start, 20)

    def test_the_end_does_not_wait_for_the_interval(self):
        start = time.monotonic()
        run(["/bin/true"], TALLY_STATS_INTERVAL="3600")
        self.assertLess(time.monotonic() - start, 10)

    def test_no_thread_without_an_option(self):
        code = "import os; print(len(os.listdir('/proc/self/task')))"
        self.assertEqual(python(code).stdout, "1\n")
        self.assertEqual(python(code, TALLY_STATS_INTERVAL="9").stdout, "2\n")


sys.argv[1:3] = []
unittest.main()
