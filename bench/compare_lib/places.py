# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Where things lie, how packages are installed, and how the benchmark programs are built."""

import os
import shutil
import subprocess
import sys

BENCH = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
ROOT = os.path.dirname(BENCH)
CACHE = os.path.join(ROOT, "build", "bench-cache")
TALLY = os.path.join(ROOT, "build", "release", "libtally.so")

# A preset's build comes first; the last one is made here when there is none.
BINARY_FOLDERS = [
    os.path.join(ROOT, "build", "release", "bench"),
    os.path.join(ROOT, "build", "bench"),
]


class Refusal(Exception):
    """Something is missing or wrong; the message is one line for the user."""


def say(line):
    print(line, file=sys.stderr, flush=True)


def _up_to_date(folder):
    """Whether the folder has the programs, none older than its source."""
    binaries = {"launch": "launch.c"}
    for directory, prefix in (("workloads", "workload_"), ("scenarios", "scenario_")):
        for source in os.listdir(os.path.join(BENCH, directory)):
            name, extension = os.path.splitext(source)
            if extension in (".c", ".cc"):
                binaries[prefix + name] = os.path.join(directory, source)
    for binary, source in binaries.items():
        path = os.path.join(folder, binary)
        if not os.path.exists(path):
            return False
        if os.path.getmtime(path) < os.path.getmtime(os.path.join(BENCH, source)):
            return False
    return True


def binaries():
    """The folder of the launcher and the workloads, built first if need be."""
    for folder in BINARY_FOLDERS:
        if _up_to_date(folder):
            return folder
    install(["cmake", "g++", "make"], wanted=["/usr/bin/cmake", "/usr/bin/g++", "/usr/bin/make"])
    folder = BINARY_FOLDERS[-1]
    say("building the benchmark programs in " + os.path.relpath(folder, ROOT))
    commands = [
        ["cmake", "-S", BENCH, "-B", folder, "-DCMAKE_BUILD_TYPE=RelWithDebInfo"],
        ["cmake", "--build", folder],
    ]
    for command in commands:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            say(done.stdout)
            raise Refusal("the benchmark programs do not build: " + " ".join(command))
    return folder


def install(packages, wanted):
    """Installs Debian packages if one of the files in `wanted` is missing."""
    if all(os.path.exists(path) for path in wanted):
        return
    say("installing " + " ".join(packages))
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    if prefix and shutil.which("sudo") is None:
        raise Refusal("install these packages first: " + " ".join(packages))
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    command = prefix + ["apt-get", "install", "-y", "--no-install-recommends"] + packages
    for attempt in range(2):
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode == 0:
            return
        if attempt == 0:  # A machine that never updated its lists knows no package.
            subprocess.run(prefix + ["apt-get", "update", "-qq"], env=environment, check=False)
    say(done.stdout)
    raise Refusal("apt-get cannot install: " + " ".join(packages))
