# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The rows of all runs: in memory and, if asked, appended to a CSV file as they come.

Round 0 is the unmeasured check of a program under an allocator. A row names the build of its
library, so a table never mixes two builds of one allocator.
"""

import csv
import os

from compare_lib import places

FIELDS = ["round", "program", "allocator", "version", "wall_ns", "user_us", "sys_us", "maxrss_kb",
          "minflt", "status", "output", "calibration_excess", "foreign_share", "attempts",
          "problem"]
_INTEGERS = ["round", "wall_ns", "user_us", "sys_us", "maxrss_kb", "minflt", "status", "attempts"]


class Results:
    def __init__(self, path, versions):
        """`versions`: allocator name → the build whose rows count."""
        self._path = path
        self._versions = versions
        self.rows = []
        self.foreign_rows = 0  # Of other builds, or of allocators not asked for.
        if path and os.path.exists(path):
            self._read()

    def _read(self):
        with open(self._path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames is not None and reader.fieldnames != FIELDS:
                raise places.Refusal(f"{self._path} is not a CSV file of this program")
            for line, row in enumerate(reader, 2):
                try:
                    row.update({name: int(row[name]) for name in _INTEGERS})
                except (TypeError, ValueError):
                    raise places.Refusal(f"{self._path}, line {line}: not a row of results") from None
                if self._versions.get(row["allocator"]) == row["version"]:
                    self.rows.append(row)
                else:
                    self.foreign_rows += 1

    def add(self, round_number, program, allocator, attempt, attempts, problem):
        row = {
            "round": round_number, "program": program.name, "allocator": allocator.name,
            "version": self._versions[allocator.name], "wall_ns": attempt.wall_ns,
            "user_us": attempt.user_us, "sys_us": attempt.sys_us, "maxrss_kb": attempt.maxrss_kb,
            "minflt": attempt.minflt, "status": attempt.status, "output": attempt.output,
            "calibration_excess": f"{attempt.calibration_excess:.4f}",
            "foreign_share": f"{attempt.foreign_share:.4f}", "attempts": attempts,
            "problem": problem}
        self.rows.append(row)
        if not self._path:
            return
        is_new = not os.path.exists(self._path) or os.path.getsize(self._path) == 0
        with open(self._path, "a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, FIELDS)
            if is_new:
                writer.writeheader()
            writer.writerow(row)

    def last_round(self):
        return max((row["round"] for row in self.rows), default=0)

    def has(self, round_number, program, allocator):
        return any(row["round"] == round_number and row["program"] == program.name
                   and row["allocator"] == allocator.name for row in self.rows)

    def _of(self, program, allocator):
        rows = [row for row in self.rows
                if row["program"] == program and row["allocator"] == allocator]
        # Only the last check counts: what failed may have been put right since.
        checks = [row for row in rows if row["round"] == 0]
        return checks[-1:] + [row for row in rows if row["round"] > 0]

    def is_checked(self, program, allocator):
        rows = self._of(program.name, allocator.name)
        return bool(rows) and rows[0]["round"] == 0 and not rows[0]["problem"]

    def expected_output(self, program):
        """What glibc's runs print; without glibc, what most runs print."""
        outputs = [row["output"] for row in self._of(program, "glibc") if row["status"] == 0]
        outputs = outputs or [row["output"] for row in self.rows
                              if row["program"] == program and row["status"] == 0]
        return max(sorted(set(outputs)), key=outputs.count, default="")

    def problem(self, program, allocator):
        """'' or why this cell counts as failed. One bad run is enough."""
        for row in self._of(program, allocator):
            if row["problem"]:
                return row["problem"]
            if row["output"] != self.expected_output(program):
                return "prints something else"
        return ""

    def measured(self, program, allocator):
        """Round → row, of a cell's measured runs."""
        return {row["round"]: row for row in self._of(program, allocator) if row["round"] > 0}
