#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""tools/gdb: books and blocks of living processes and of core files, preloaded and linked in.

usage: gdb_test.py TOOL LIBRARY PROGRAM STATIC_PROGRAM ROOT
TALLY_GDB_LIES in the environment: how many rounds of lies the commands must bear.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TOOL, LIBRARY, PROGRAM, STATIC_PROGRAM, ROOT = sys.argv[1:6]
SCRIPT = f"{ROOT}/tools/gdb/tally-gdb.py"
LIES = int(os.environ.get("TALLY_GDB_LIES", "100"))
LIAR = f"{ROOT}/tests/tools/gdb_liar.py"
COUNTS = ("size", "allocated", "freed", "live", None, "cached", "transit", "free_in_pools", "runs",
          "refills", "flushes")  # None: the live bytes
TIER = "allocated freed live live_bytes requested_bytes".split()
TERMS = {"in transit": "transit", "free in pools": "free_in_pools",
         "never touched": "never_touched"}
HEAP = "heap threads refills flushes depot_blocks inbox_blocks".split()
THREAD = "thread heap allocated cached cached_bytes transit magazine_bytes slow_ns".split()


def gdb(*arguments, commands=()):
    """What the script's commands print, and what gdb complains of."""
    command = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", *arguments,
               "-ex", "set width 0"]
    with tempfile.NamedTemporaryFile("w", suffix=".gdb") as file:
        # A command that fails does not end the others.
        file.write("".join(f"python\ntry: gdb.execute({text!r})\nexcept gdb.error as e: print(e)\n"
                           "end\n" for text in commands))
        file.flush()
        result = subprocess.run([*command, "-x", SCRIPT, "-ex", "echo ===\\n", "-x", file.name,
                                 "-ex", "echo ===\\n"],
                                capture_output=True, text=True, timeout=100, check=False)
    everything = result.stdout + result.stderr
    assert "Traceback" not in everything and "Python Exception" not in everything, everything
    return result.stdout.split("===\n")[1]


class Target:
    """The program with its blocks, waiting, and a core file of it."""

    def __init__(self, folder, program, preload=None):
        self.folder, self.program = folder, program
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": folder}
        preloaded = {"LD_PRELOAD": preload} if preload else {}
        # A decay so long that nothing is given back meanwhile.
        self.process = subprocess.Popen(
            [program], stdout=subprocess.PIPE, text=True,
            env={**self.environment, **preloaded, "TALLY_PUBLISH": "1",
                 "TALLY_DECAY_MS": "100000000"})
        self.blocks = {}
        for line in self.process.stdout:
            name, *addresses = line.split()
            self.blocks[name] = [int(address, 0) for address in addresses]
            if name == "ready":
                break
        self.pid = str(self.process.pid)
        # The tool's own report of the process while gdb holds it, and its core file.
        path = f"{folder}/{self.pid}"
        stat = f"XDG_RUNTIME_DIR={folder} {TOOL} stat {self.pid}"
        gdb("-p", self.pid, commands=[
            f"shell {stat} >{path}.txt; {stat} --format json >{path}.json", f"gcore {path}.core"])
        self.text = pathlib.Path(f"{path}.txt").read_text()
        self.report = json.loads(pathlib.Path(f"{path}.json").read_text())
        self.live, self.core = ("-p", self.pid), (program, f"{path}.core")

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


TARGETS = {}


def setUpModule():
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    os.chmod(folder.name, 0o700)
    # No debug information, no symbols but the exported ones.
    stripped = f"{folder.name}/libtally.so"
    subprocess.run(["strip", "-s", "-o", stripped, LIBRARY], check=True, timeout=60)
    for name, arguments in (("preloaded", (PROGRAM, stripped)), ("linked in", (STATIC_PROGRAM,))):
        TARGETS[name] = Target(folder.name, *arguments)
        unittest.addModuleCleanup(TARGETS[name].end)


def numbers(line):
    return [int(word, 0) for word in line.split()]


class Looks:
    """What a target must look like, in whichever way gdb comes to it."""

    name = "preloaded"
    is_live = False

    def setUp(self):
        self.target = TARGETS[self.name]
        self.report = self.target.report
        self.arguments = self.target.live if self.is_live else self.target.core

    def gdb(self, *commands):
        return gdb(*self.arguments, commands=commands)

    def describe(self, addresses):
        """The state and the rows of each address."""
        result = {}
        for line in self.gdb(*(f"tally block {address:#x}" for address in addresses)).splitlines():
            if not line.startswith("  "):
                address, state = line.split(": ", 1)
                rows = result[int(address, 0)] = {"state": state}
            else:
                name, text = line.split(None, 1)
                rows[name] = text
        return result

    def test_books_are_the_reports_text(self):
        books = self.gdb("tally books")
        self.assertEqual(books, self.target.text.split("\nkernel: ")[0])
        self.assertIn("identity holds: yes", books)

    def test_books_are_the_reports_numbers(self):
        books = self.gdb("tally books")
        rows = [numbers(line) for line in
                books.split("~request\n")[1].split("\n\n")[0].splitlines()]
        self.assertEqual([row[:len(COUNTS)] for row in rows],
                         [[entry[key] if key else entry["live"] * entry["size"] for key in COUNTS]
                          for entry in self.report["classes"]])
        for tier in ("large", "huge"):
            row = re.search(rf"\n  {tier} \(.*\)([ \d]+)\n", books).group(1)
            self.assertEqual(numbers(row), [self.report[tier][key] for key in TIER])
        identity = books.split("identity (bytes)")[1]
        terms = dict(re.findall(r"\n  [ =+] ([a-z ]+?) +(\d+) ", identity))
        self.assertEqual(int(terms.pop("mapped")), self.report["identity"]["mapped_bytes"])
        self.assertEqual({TERMS.get(name, name): int(size) for name, size in terms.items()},
                         self.report["identity"]["terms"])

    def test_heaps_and_threads(self):
        rows = [numbers(line) for line in self.gdb("tally heaps").splitlines()[1:]]
        self.assertEqual([[row[0], *row[2:]] for row in rows],
                         [[entry[key] for key in HEAP] for entry in self.report["heap_list"]])
        self.assertEqual(self.describe([rows[0][1]]), {rows[0][1]: {"state": "metadata"}})
        rows = self.gdb("tally threads").replace("ended", "0")
        self.assertEqual([numbers(line) for line in rows.splitlines()[1:]],
                         [[entry[key] for key in THREAD] for entry in self.report["thread_list"]])
        self.assertEqual({entry["thread"] for entry in self.report["thread_list"]},
                         {int(self.target.pid), *self.target.blocks["freer"], 0})

    def test_one_of_each(self):
        at = {name: addresses[0] for name, addresses in self.target.blocks.items()}
        inside = {"live": at["live"] + 47, "lines": at["lines"] + 127, "large": at["large"] + 70_000,
                  "huge": at["huge"] + (19 << 20), "tiny": at["tiny"] + 7}
        descriptor = at["live"] - at["live"] % (1 << 24) + (at["live"] >> 12 & 4095) * 64
        found = self.describe([*at.values(), *inside.values(), descriptor, 0, 1 << 63])
        for name, state in (("live", "live"), ("lines", "live"), ("other", "live"),
                            ("large", "large block, live"),
                            ("huge", "huge block, live"), ("pool", "in a free pool (dirty)"),
                            ("spare", "free: a huge block's mapping, kept for the next"),
                            ("stack", "not Tally's"), ("static", "not Tally's")):
            self.assertEqual(found[at[name]]["state"], state, name)
        for address in (0, 1 << 63):
            self.assertEqual(found[address], {"state": "not Tally's"})
        self.assertEqual(found[at["live"]]["block"], f"{at['live']:#x}, 48 bytes (class 6)")
        self.assertEqual(found[at["large"]]["block"],
                         f"{at['large']:#x}, 102400 bytes (100000 requested)")
        self.assertEqual(found[at["huge"]]["block"],
                         f"{at['huge']:#x}, 20971520 bytes (20971520 requested)")
        # Blocks of two cache lines begin inside the run's first one.
        run = int(found[at["lines"]]["run"].split(",")[0], 0)
        self.assertEqual((at["lines"] - run) % 128, 48)
        self.assertEqual(found[at["lines"]]["block"], f"{at['lines']:#x}, 128 bytes (class 16)")
        self.assertEqual(self.describe([run, run + 47, run + 48])[run + 47]["state"],
                         "before the first block of a run")
        self.assertNotEqual(found[at["other"]]["heap"], found[at["live"]]["heap"])
        self.assertEqual(found[descriptor]["state"], "metadata: descriptor of the pool "
                         f"{at['live'] & ~4095:#x}")
        for name, address in inside.items():
            start = found[at[name]]
            self.assertEqual(found[address], {
                **start, "offset": f"{address - at[name]} bytes into the block"}, name)

    def check_class(self, size, name, expected):
        """Every block of the class, and that the states' numbers are those of the books."""
        starts = set()
        for rows in self.describe(self.target.blocks[name]).values():
            if f" {size} bytes (class " in rows.get("block", ""):
                run, capacity = re.match(r"(\w+), .* of (\d+)", rows["run"]).groups()
                starts.add((int(run, 0), int(capacity)))
        blocks = [run + i * size for run, capacity in starts for i in range(capacity)]
        found = collections.Counter(rows["state"] for rows in self.describe(blocks).values())
        entry = next(entry for entry in self.report["classes"] if entry["size"] == size)
        self.assertEqual(len(starts), entry["runs"])
        self.assertEqual(found["live"], entry["live"])
        self.assertEqual(found["free, in its pool"], entry["free_in_pools"])
        for way in ("cached", "transit"):
            self.assertEqual(sum(count for state, count in found.items() if way in state),
                             entry[way], way)
        for state in expected:
            self.assertIn(state, found)
        return found

    def test_a_class_that_is_cached(self):
        self.check_class(1008, "many", [
            f"free, cached in the magazine of thread {self.target.pid}",
            "free, cached in the depot of heap 0"])

    def test_a_class_that_another_thread_freed(self):
        freer = self.target.blocks["freer"][0]
        found = self.check_class(304, "remote", [
            "free, in transit in the inbox of heap 0",
            f"free, in transit in an outgoing batch of thread {freer}"])
        self.assertEqual(sum(count for state, count in found.items() if "transit" in state),
                         len(self.target.blocks["remote"]))

    def test_the_class_whose_bits_lie_elsewhere(self):
        found = self.check_class(8, "tiny", ["free, in its pool"])
        self.assertEqual(found["live"], len(self.target.blocks["tiny"]) * 2 // 3)

    def test_bad_use(self):
        answer = self.gdb("tally nonsense", "tally block", "tally block no_such", "tally books now",
                          "tally block $_siginfo")
        self.assertEqual([line.split(": ")[0] for line in answer.splitlines()], ["tally"] * 5)
        self.assertEqual(len(self.gdb("tally help").splitlines()), 5)
        self.assertEqual(self.gdb("tally"), self.gdb("tally help"))


class PreloadedLive(Looks, unittest.TestCase):
    is_live = True

    def test_expressions_in_any_language(self):
        answer = self.gdb("set language pascal", "tally block $rsp", "tally heaps")
        self.assertRegex(answer, "0x[0-9a-f]+: not Tally's\n +heap ")

    def test_lies(self):
        answer = self.gdb(f"python TALLY_ROUNDS = {LIES}", f"source {LIAR}")
        self.assertRegex(answer, r"^\d{3,} answers, \d{3,} refusals, 0 others\n$")


class PreloadedCore(Looks, unittest.TestCase):
    pass


class StaticLive(Looks, unittest.TestCase):
    name, is_live = "linked in", True

    def test_another_directory(self):
        for word, said in ((0, "what lies at 0x"), (1, "its books have layout 77, this script"),
                           (2, "its directory has 77 bytes, this script"), (3, "no Tally has")):
            at = f"((unsigned long *)&tally_stats_directory)[{word}]"
            answer = self.gdb(f"set $good = {at}", f"set var {at} = 77", "tally books",
                              "tally block 0", f"set var {at} = $good")
            self.assertEqual(len(answer.splitlines()), 2, answer)
            for line in answer.splitlines():
                self.assertRegex(line, f"^tally: .*{re.escape(said)}")


class StaticCore(Looks, unittest.TestCase):
    name = "linked in"

    def test_without_the_symbol(self):
        stripped = f"{self.target.folder}/stripped"
        subprocess.run(["strip", "-s", "-o", stripped, STATIC_PROGRAM], check=True, timeout=60)
        answer = gdb(stripped, self.target.core[1], commands=["tally books"])
        self.assertRegex(answer, "^tally: no symbol tally_stats_directory: .*\n$")


class ScriptTest(unittest.TestCase):

    def test_before_the_start(self):
        self.assertEqual(gdb(STATIC_PROGRAM, commands=["tally books"]),
                         "tally: there is no process and no core file\n")
        answer = gdb(STATIC_PROGRAM, commands=["starti", "tally books", "kill"])
        self.assertIn("\ntally: Tally has not started in this process\n", answer)

    def test_the_fields_are_the_headers(self):
        header = pathlib.Path(f"{ROOT}/allocator/stats_format.h").read_text()
        directory = re.search(r"\nstruct StatsDirectory \{(.*?)\n\};", header, re.S).group(1)
        answer = gdb(commands=["python print(*tally_gdb.process.FIELDS)"])
        self.assertEqual(answer.split(), re.findall(r"^  uint64_t (\w+);", directory, re.M))

    def test_gdb_loads_it_by_itself(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(STATIC_PROGRAM, f"{folder}/program")
            os.symlink(SCRIPT, f"{folder}/program-gdb.py")
            result = subprocess.run(
                ["gdb", "-nx", "-batch", "-iex", f"add-auto-load-safe-path {folder}",
                 f"{folder}/program", "-ex", "tally help"],
                capture_output=True, text=True, timeout=60, check=False)
            self.assertIn("tally block ADDRESS", result.stdout, result.stderr)


if __name__ == "__main__":
    if shutil.which("gdb") is None:
        print("gdb is not installed")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[6:])
