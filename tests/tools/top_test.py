#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""`tally top` in a real terminal (tmux): what it shows, keys, resize, end.

usage: top_test.py TOOL LIBRARY
"""

import os
import subprocess
import sys
import tempfile
import time
import unittest

TOOL, LIBRARY = sys.argv[1:3]
PYTHON = "/usr/bin/python3"


class TopTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.environment = {**os.environ, "TALLY_PUBLISH_DIR": f"{folder.name}/tally",
                            "LC_ALL": "C.UTF-8", "TMUX_TMPDIR": folder.name}
        self.tmux("new-session", "-d", "-x", "120", "-y", "40", "/bin/sh")
        self.addCleanup(self.tmux, "kill-server")

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-f", "/dev/null", *arguments], env=self.environment,
                              capture_output=True, text=True, timeout=20, check=True).stdout

    def start(self, code):
        process = subprocess.Popen(
            [PYTHON, "-c", f"{code}\nprint('up', flush=True)\nimport time; time.sleep(60)"],
            env={**self.environment, "LD_PRELOAD": LIBRARY, "TALLY_PUBLISH": "1",
                 "PYTHONMALLOC": "malloc"}, stdout=subprocess.PIPE, text=True)

        def end():
            process.kill()
            process.wait()
            process.stdout.close()

        self.addCleanup(end)
        self.assertEqual(process.stdout.readline(), "up\n")
        return process.pid

    def screen_with(self, *texts):
        """Waits until all of the texts are on the screen."""
        for _ in range(100):
            screen = self.tmux("capture-pane", "-p")
            if all(text in screen for text in texts):
                return screen
            time.sleep(0.1)
        self.fail(f"{texts} are not all in:\n{screen}")

    def keys(self, *names):
        self.tmux("send-keys", *names)

    def test_list_and_process(self):
        small = self.start("x = [bytes(i % 400) for i in range(3000)]")
        large = self.start("x = [bytes(200) for i in range(100000)]")
        self.keys(f"{TOOL} top --delay 0.2; echo status $?", "Enter")
        screen = self.screen_with("tally top: 2 processes, by live bytes", str(small), str(large))
        self.assertLess(screen.index(f" {large} "), screen.index(f" {small} "))
        self.keys("s", "s", "s", "s")
        screen = self.screen_with("by process id")
        self.assertLess(screen.index(f" {small} "), screen.index(f" {large} "))
        self.keys("s")
        self.screen_with("by live bytes")
        self.keys("Down", "Up", "Enter")
        self.screen_with(f"python3, process {large}", "free in pools", "not ours",
                         "LIVE BLOCKS", "240", "####")
        self.keys("Left")
        self.screen_with("2 processes")
        self.keys("Space")
        self.screen_with("PAUSED")
        self.keys("q")
        self.screen_with("status 0")

    def test_resize(self):
        process = self.start("x = [bytes(i % 400) for i in range(3000)]")
        self.keys(f"{TOOL} top {process} --delay 0.2", "Enter")
        self.screen_with(f"process {process}", "LIVE BLOCKS")
        for width, height in ((60, 12), (20, 3), (150, 50)):
            self.tmux("resize-window", "-x", str(width), "-y", str(height))
            self.screen_with("tally top: python3")
        self.screen_with("LIVE BLOCKS", "q: quit")

    def test_a_process_that_ends(self):
        process = self.start("pass")
        self.keys(f"{TOOL} top {process} --delay 0.2", "Enter")
        self.screen_with(f"python3, process {process}")
        os.kill(process, 15)
        self.screen_with(f"process {process}", "last snapshot")
        self.keys("Left")
        self.screen_with("(snapshot)")

    def test_no_terminal(self):
        result = subprocess.run([TOOL, "top"], env=self.environment, capture_output=True, text=True,
                                timeout=20, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, "^tally: top: .* is no terminal; use `tally stat --interval`")


unittest.main(argv=sys.argv[:1])
