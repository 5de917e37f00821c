# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Runs one program under one allocator through the launcher, and judges how quiet it was.

Noise is judged by two things that the result cannot influence: the launcher's calibration loop
before and after the program, and the CPU time that anyone but this script's children used
meanwhile (/proc/stat, stolen time included). A disturbed run is repeated once; the quieter of the
two attempts is kept, whatever its figures.
"""

import dataclasses
import hashlib
import os
import resource
import shutil
import subprocess
import time

from compare_lib import places, programs

TIMEOUT_S = 120
CALIBRATION_EXCESS_MAX = 0.08  # Beyond the fastest calibration seen since the start.
FOREIGN_SHARE_MAX = 0.06  # Of one CPU, over the run.
QUIET_WAIT_MAX_S = 10
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Attempt:
    wall_ns: int
    user_us: int
    sys_us: int
    maxrss_kb: int
    minflt: int
    status: int
    output: str  # A hash of what the program printed.
    calibration_excess: float
    foreign_share: float
    error: str  # The last line of stderr of a run that failed.

    @property
    def noise(self):
        return self.calibration_excess + self.foreign_share

    @property
    def disturbed(self):
        return (self.calibration_excess > CALIBRATION_EXCESS_MAX
                or self.foreign_share > FOREIGN_SHARE_MAX)


def _busy_s():
    """CPU time of the whole machine that was not idle, guests counted once."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(field) for field in file.readline().split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_S


def _own_s():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class Machine:
    """The launcher, a scratch folder, and the fastest calibration seen so far."""

    def __init__(self, binaries):
        self.binaries = binaries
        self.launcher = os.path.join(binaries, "launch")
        self.scratch = os.path.join(places.CACHE, f"scratch-{os.getpid()}")
        self.calibration_best_ns = None
        os.makedirs(self.scratch, exist_ok=True)
        for _ in range(10):
            self._calibrated(self._launch(["--calibrate", "--", "/bin/true"]))

    def close(self):
        shutil.rmtree(self.scratch, ignore_errors=True)

    def scene(self):
        return programs.Scene(self.scratch, self.binaries)

    def _environment(self):
        # Nothing of the caller's: his variables move the stack, and may configure an allocator.
        return {"PATH": "/usr/bin:/bin", "HOME": self.scratch, "TMPDIR": self.scratch,
                "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}

    def _launch(self, arguments):
        done = subprocess.run([self.launcher] + arguments, env=self._environment(), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise places.Refusal("the launcher failed: " + done.stderr.strip())
        return {name: int(value) for name, value in
                (word.split("=") for word in done.stdout.split())}

    def _calibrated(self, figures):
        """How much slower than ever the slower of the two calibration loops was."""
        times = (figures["calibration_before_ns"], figures["calibration_after_ns"])
        self.calibration_best_ns = min(times + (self.calibration_best_ns or times[0],))
        return max(times) / self.calibration_best_ns - 1

    def run_once(self, program, allocator, environment=()):
        """One attempt. `environment` adds to the program's and the allocator's own."""
        output = os.path.join(self.scratch, "output")
        errors = os.path.join(self.scratch, "errors")
        scene = self.scene()
        arguments = ["--calibrate", "--timeout", str(TIMEOUT_S), "--output", output,
                     "--errors", errors, "--directory", self.scratch]
        for path in (errors, scene.socket):
            if os.path.exists(path):
                os.remove(path)
        for variable in program.environment + allocator.environment + tuple(environment):
            arguments += ["--env", variable]
        preload = allocator.preload(program)
        if preload:
            arguments += ["--preload", preload]
        if program.server:
            arguments += ["--server", scene.socket, "--"] + program.server(scene)
        command = program.command(scene)  # May make an input: before the clock starts.
        busy_s, own_s, start_s = _busy_s(), _own_s(), time.monotonic()
        figures = self._launch(arguments + ["--"] + command)
        elapsed_s = time.monotonic() - start_s
        foreign_s = (_busy_s() - busy_s) - (_own_s() - own_s)
        # Two ticks of doubt: both ends of /proc/stat are rounded.
        foreign_share = max(0.0, foreign_s - 2 / TICKS_PER_S) / elapsed_s
        excess = self._calibrated(figures)
        wanted = ("wall_ns", "user_us", "sys_us", "maxrss_kb", "minflt", "status")
        return Attempt(*(figures[name] for name in wanted), output=_hash_of(output),
                       calibration_excess=excess, foreign_share=foreign_share,
                       error=_last_line(errors) if figures["status"] else "")

    def _await_quiet(self):
        """Waits until the others use little CPU for a fifth of a second, within reason."""
        deadline_s = time.monotonic() + QUIET_WAIT_MAX_S
        while time.monotonic() < deadline_s:
            busy_s, start_s = _busy_s(), time.monotonic()
            time.sleep(0.2)
            if (_busy_s() - busy_s) / (time.monotonic() - start_s) < 0.1:
                return

    def measure(self, program, allocator):
        """The quieter of at most two attempts, and how many there were."""
        attempt = self.run_once(program, allocator)
        if not attempt.disturbed:
            return attempt, 1
        self._await_quiet()
        second = self.run_once(program, allocator)
        return (second if second.noise < attempt.noise else attempt), 2


def _hash_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:16]


def _last_line(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()]
    return lines[-1][:120] if lines else ""
