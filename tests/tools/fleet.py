# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Programs that publish, and the exporter on them: for the tests beside."""

import os
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

TOOL, LIBRARY, FLEET = sys.argv[1:4]
del sys.argv[1:4]

PYTHON = "/usr/bin/python3"
OPENMETRICS = "application/openmetrics-text"
MIB = 1 << 20

# Holds blocks that it asked malloc for: how many of how many bytes, in pairs.
HOLD = """\
import ctypes, sys, time
malloc = ctypes.CDLL(None).malloc
malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
wanted = [int(word) for word in sys.argv[1:]]
held = [malloc(size) for count, size in zip(wanted[::2], wanted[1::2]) for _ in range(count)]
print("up", flush=True)
time.sleep(120)
"""
# Allocates and frees.
CHURN = """\
import time
print("up", flush=True)
while True:
    blocks = [bytearray(700) for _ in range(1000)]
    time.sleep(0.02)
"""


def wait_for(condition, seconds=15):
    """What the condition returns, as soon as that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {condition}")


def get(url, **options):
    """Status, headers and text."""
    request = urllib.request.Request(url, **options)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


class FleetCase(unittest.TestCase):
    """A private place to publish in."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.chmod(self.folder, 0o700)
        self.environment = {**os.environ, "TALLY_PUBLISH_DIR": f"{self.folder}/tally"}

    def end(self, process):
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()

    def start(self, *command, **options):
        process = subprocess.Popen(command, text=True, **options)
        self.addCleanup(self.end, process)
        return process

    def start_program(self, *command):
        """A program on Tally that is published."""
        process = self.start(*command, stdout=subprocess.PIPE,
                             env={**self.environment, "LD_PRELOAD": LIBRARY, "TALLY_PUBLISH": "1"})
        wait_for(lambda: self.is_published(process))
        return process

    def is_published(self, process):
        try:
            with open(self.path(process), "rb") as file:
                return file.read(8) == b"TLYBOOKS"
        except FileNotFoundError:
            return False

    def start_python(self, code, *arguments):
        process = self.start_program(PYTHON, "-c", code, *map(str, arguments))
        self.assertEqual(process.stdout.readline(), "up\n")
        return process

    def path(self, process):
        return f"{self.folder}/tally/{process.pid}"

    def start_exporter(self, *arguments):
        """The exporter, and its address."""
        process = self.start(TOOL, "exporter", "--listen", "127.0.0.1:0", *arguments,
                             env=self.environment, stderr=subprocess.PIPE)
        line = process.stderr.readline()
        self.assertRegex(line, r"^tally: exporter: http://127\.0\.0\.1:\d+/metrics$")
        return process, line.split()[-1].removesuffix("/metrics")
