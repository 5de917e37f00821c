# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Dumps made by hand and by the library, and the tool run on them: for the tests beside."""

import copy
import json
import os
import subprocess
import sys
import tempfile
import unittest

TOOL, LIBRARY = sys.argv[1:3]
del sys.argv[1:3]

START_MS = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC
KIB, MIB = 1 << 10, 1 << 20
TERMS = ("live", "cached", "transit", "free_in_pools", "tails", "dirty", "purged", "never_touched",
         "metadata", "guards")
TIER = {"allocated": 0, "freed": 0, "live": 0, "live_bytes": 0, "requested_bytes": 0}


def size_class(size, live, allocated=None, **counts):
    allocated = live if allocated is None else allocated
    return {"size": size, "allocated": allocated, "freed": allocated - live, "live": live,
            "cached": 0, "transit": 0, "free_in_pools": 0, "runs": 1, "refills": 1, "flushes": 0,
            **counts}


def dump(seconds=0, classes=(), large=0, terms=(), **changes):
    """A report: classes as of size_class, `large` live bytes in one block, and terms beside."""
    sizes = {term: sum(entry["size"] * entry[term] for entry in classes)
             for term in ("live", "cached", "transit", "free_in_pools")}
    sizes["live"] += large
    terms = {**dict.fromkeys(TERMS, 0), **sizes, "metadata": 64 * KIB, **dict(terms)}
    mapped = sum(terms.values())
    report = {
        "schema": 1, "version": "0.1.0",
        "process": {"id": 4711, "command": "server", "time_ms": START_MS + int(seconds * 1000),
                    "threads": 2, "threads_peak": 3, "threads_started": 4},
        "identity": {"mapped_bytes": mapped, "holds": True, "terms": terms},
        "classes": list(classes),
        "large": {**TIER, **({"allocated": 1, "live": 1, "live_bytes": large,
                              "requested_bytes": large} if large else {})},
        "huge": dict(TIER), "heaps": 1, "regions": 1, "reserved_bytes": 16 * MIB,
        "purged_bytes": 0, "purge_calls": 0, "mismatched_sizes": 0,
        "kernel": {"accessible_bytes": mapped, "rss_bytes": mapped + MIB,
                   "resident": {"pools": mapped - 64 * KIB, "huge": 0, "metadata": 64 * KIB,
                                "not_ours": MIB}}}
    for path, value in changes.items():  # process__id=12
        set_at(report, path.split("__"), value)
    return report


def set_at(report, path, value):
    for key in path[:-1]:
        report = report[key]
    report[path[-1]] = value


def paths(value, path=()):
    """Every place in a report."""
    yield path
    items = (value.items() if isinstance(value, dict) else
             enumerate(value) if isinstance(value, list) else ())
    for key, inner in items:
        yield from paths(inner, (*path, key))


class ToolTest(unittest.TestCase):
    """A folder of dumps, and the tool."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.written = 0

    def write(self, report):
        """The path of a file that holds the report, or the bytes."""
        self.written += 1
        path = f"{self.folder}/{self.written}.json"
        with open(path, "wb") as file:
            file.write(report if isinstance(report, bytes) else json.dumps(report).encode())
        return path

    def real_dump(self):
        path = f"{self.folder}/real.json"
        subprocess.run(["/bin/ls", "/"], check=True, stdout=subprocess.DEVNULL, timeout=60,
                       env={**os.environ, "LD_PRELOAD": LIBRARY, "TALLY_STATS": "exit",
                            "TALLY_STATS_FORMAT": "json", "TALLY_STATS_FILE": path})
        return path

    def tool(self, *arguments, stdout=subprocess.PIPE):
        return subprocess.run([TOOL, *arguments], stdout=stdout, stderr=subprocess.PIPE,
                              cwd=self.folder, timeout=60, check=False)

    def output(self, *arguments):
        result = self.tool(*arguments)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return result.stdout.decode()

    def refusal(self, *arguments, code=2):
        """What it says on the standard error, when it must refuse in one line."""
        result = self.tool(*arguments)
        error = result.stderr.decode()
        self.assertEqual((result.returncode, result.stdout, error.count("\n")), (code, b"", 1), error)
        self.assertTrue(error.startswith(f"tally: {arguments[0]}: "), error)
        self.assertIn("; ", error)
        return error

    def check_bad_files(self, refuse):
        """`refuse(path)` runs the tool on a bad file and returns the refusal."""
        good = dump(classes=[size_class(16, 5), size_class(64, 2)], large=40 * KIB)
        for content, said in (
                (b"", "is empty; "),
                (b"tally: report of process 1", "is not JSON (byte "),
                (b"\xff\xfe\x00", "is not JSON"),
                (b"[" * 100_000, "not a Tally report; "),
                (b"[0" + b",0" * 1_100_000 + b"]", "not a Tally report; "),
                (b"[]", "not a Tally report; "), (b"7", "not a Tally report; "),
                (b'{"schema":1}', "not a Tally report; "),
                (b'{"schema":1e999,"identity":0,"process":0}', "number that no report has; "),
                (b'{"schema":"\xff","identity":0}', "is not JSON"),
                (dump(schema=2), "has schema 2, and this tally knows 1; "),
                (dump(identity__mapped_bytes=7), "sum to 65536, not to mapped_bytes, 7; "),
                (dump(process__id=-4), "process.id is not a count; "),
                (dump(process__id=1 << 63), "process.id is larger than any count can be; "),
                (dump(process__command=5), "process.command is not a string; "),
                (dump(kernel=5), "kernel is not an object; "),
                (dump(classes=[size_class(64, 1), size_class(16, 1)]), "size does not ascend; "),
                (dump(classes=[size_class(0, 1)]), "size does not ascend; "),
                ({**good, "classes": [size_class(1 << 40, 1 << 40)]}, "than memory can hold; "),
                ({**good, "classes": [size_class(8 * i, 0) for i in range(1, 200)]},
                 "classes is not a list of size classes; ")):
            self.assertIn(said, refuse(self.write(content)))
        for path in [path for path in paths(good) if path not in ((), ("kernel",))]:
            bad = copy.deepcopy(good)
            set_at(bad, path, None)
            if path != ("identity", "holds") and path[-1] != "not_ours":
                refuse(self.write(bad))
        self.assertIn("No such file or directory; ", refuse(f"{self.folder}/none.json"))
        self.assertIn("Is a directory; ", refuse(self.folder))

    def check_truncated(self, refuse):
        with open(self.real_dump(), "rb") as file:
            real = file.read().rstrip(b"\n")
        for length in range(50, len(real), 50):
            self.assertIn("ends in the middle; ", refuse(self.write(real[:length])))
