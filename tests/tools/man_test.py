#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The man page and the completion know every command and option that the tool knows.

usage: man_test.py TOOL LIBRARY MAN COMPLETION
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

from dumps import ToolTest

MAN, COMPLETION = sys.argv[1:3]
del sys.argv[1:3]


def complete(*words, **variables):
    """What bash offers for the last of the words."""
    script = (f'. "{COMPLETION}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\n'
              '_tally tally "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"\n'
              'printf "%s\\n" "${COMPREPLY[@]}"')
    result = subprocess.run(["bash", "-c", script, "bash", "tally", *words], check=True, timeout=60,
                            stdout=subprocess.PIPE, env={**os.environ, **variables}, text=True)
    return result.stdout.split()


class ManTest(ToolTest):

    def commands(self):
        found = re.findall(r"^  (\w+) +[A-Z]", self.output("--help").partition("Subcommands:")[2],
                           re.M)
        self.assertIn("diff", found)
        return found

    def options(self, command):
        return set(re.findall(r"--[a-z]+", self.output(command, "--help").partition("Options:")[2]))

    def test_lint(self):
        if not shutil.which("mandoc"):
            self.skipTest("no mandoc")
        subprocess.run(["mandoc", "-T", "lint", "-W", "warning", MAN], check=True, timeout=60)

    def test_the_man_page_has_all(self):
        with open(MAN, encoding="ascii") as file:
            page = file.read()
        parts = dict(re.findall(r"^\.It Cm (\w+)$(.*?)(?=^\.It Cm \w+$|^\.Pp\n\.Nm Ar COMMAND)", page,
                                re.M | re.S))
        self.assertEqual(list(parts), self.commands())
        for command, text in parts.items():
            for option in self.options(command) - {"--help", "--output"}:
                self.assertIn(f"Fl Fl {option[2:]}", text, command)

    def test_completion_has_all(self):
        self.assertEqual(set(complete("")), {*self.commands(), "--help", "--version"})
        for command in self.commands():
            self.assertLessEqual(self.options(command), {*complete(command, "--")}, command)

    def test_completion(self):
        self.assertEqual(complete("re"), ["report"])
        self.assertEqual(complete("diff", "--format", ""), ["text", "json"])
        self.write({})
        self.assertEqual(complete("diff", f"{self.folder}/"), [f"{self.folder}/1.json"])
        os.makedirs(f"{self.folder}/tally")
        for name in (str(os.getpid()), "999999999", "x"):
            with open(f"{self.folder}/tally/{name}", "wb"):
                pass
        offered = complete("map", str(os.getpid()), XDG_RUNTIME_DIR=self.folder)
        self.assertEqual(offered, [str(os.getpid())])


if __name__ == "__main__":
    unittest.main()
