# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The allocators: where each library lies, its package, and how it is preloaded."""

import dataclasses
import glob
import hashlib
import os

from compare_lib import places

BASELINE = "mimalloc"


@dataclasses.dataclass
class Allocator:
    name: str
    library: str  # What is preloaded; for glibc, what malloc is in without a preload.
    family: tuple = ()  # Other files of it that may bind malloc as they like.
    preload_always: bool = True
    environment: tuple = ()  # What its row adds to a program's own.

    def preload(self, program):
        """What LD_PRELOAD must hold for this program, or ''."""
        # Where a program links an allocator of its own, glibc's row must undo that.
        return self.library if self.preload_always or program.links_allocator else ""

    def version(self):
        """Names the build of the library and its variables, so that rows are not mixed."""
        with open(self.library, "rb") as file:
            content = file.read() + "".join(self.environment).encode()
        return hashlib.sha256(content).hexdigest()[:12]


@dataclasses.dataclass
class DebianLibrary:
    package: str
    file: str
    family: tuple = ()


DEBIAN = {
    "glibc": DebianLibrary("libc6", "libc.so.6"),
    "mimalloc": DebianLibrary("libmimalloc2.0", "libmimalloc.so.2"),
    "jemalloc": DebianLibrary("libjemalloc2", "libjemalloc.so.2"),
    "tcmalloc": DebianLibrary("libtcmalloc-minimal4", "libtcmalloc_minimal.so.4"),
    "tbbmalloc": DebianLibrary(
        "libtbbmalloc2", "libtbbmalloc_proxy.so.2", ("libtbbmalloc.so.2",)),
}

DEFAULT_NAMES = list(DEBIAN) + ["tally"]
# CPython's allocator of small objects, over glibc's malloc; for other programs, glibc.
PYMALLOC = "pymalloc"
OTHER_NAMES = [PYMALLOC]


def _system_path(file):
    for pattern in ("/usr/lib/*-linux-gnu/", "/lib/*-linux-gnu/"):
        for path in sorted(glob.glob(pattern + file)):
            return path
    return "/nonexistent/" + file


def _debian(name):
    library = DEBIAN[name]
    places.install([library.package], wanted=[_system_path(library.file)])
    path = _system_path(library.file)
    if not os.path.exists(path):
        raise places.Refusal(f"package {library.package} has no {library.file}")
    return Allocator(name, path, library.family, preload_always=name != "glibc")


def _own(name, path):
    path = os.path.abspath(path)
    if not os.path.isfile(path):
        hint = "; build it first: cmake --workflow --preset release" if name == "tally" else ""
        raise places.Refusal(f"{name}: there is no file {path}{hint}")
    if " " in path or ":" in path:
        raise places.Refusal(f"{name}: LD_PRELOAD cannot take a path with a space or a colon")
    return Allocator(name, path)


def find(names, extra, variables=None):
    """The allocators in `names`. `extra` (name → path) may redefine them; `variables` (name →
    VARIABLE=VALUE) add to their environment."""
    found = []
    for name in names:
        if name in extra:
            found.append(_own(name, extra[name]))
        elif name == "tally":
            found.append(_own(name, places.TALLY))
        elif name == PYMALLOC:
            found.append(dataclasses.replace(_debian("glibc"), name=name,
                                             environment=("PYTHONMALLOC=pymalloc",)))
        else:
            found.append(_debian(name))
    return [dataclasses.replace(allocator, environment=allocator.environment
                                + tuple((variables or {}).get(allocator.name, ())))
            for allocator in found]
