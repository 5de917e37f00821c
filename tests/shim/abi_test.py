#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""What the libraries export and need.

usage: abi_test.py LIBRARY ARCHIVE
"""

import re
import subprocess
import sys
import unittest

LIBRARY, ARCHIVE = sys.argv[1:3]

C_NAMES = set("""
    malloc free calloc realloc reallocarray posix_memalign aligned_alloc memalign valloc pvalloc
    malloc_usable_size cfree free_sized free_aligned_sized mallinfo mallinfo2 mallopt malloc_trim
    malloc_stats malloc_info nallocx""".split())
OWN_NAMES = set("""
    tally_version tally_malloc8 tally_usable_size tally_trim tally_stats_dump tally_dump
    tally_option tally_stats_directory tally_core_table""".split())
NEW_NAMES = {f"_Zn{a}m{b}{c}" for a in "wa" for b in ("", "St11align_val_t")
             for c in ("", "RKSt9nothrow_t")}
DELETE_NAMES = {f"_Zd{a}Pv{b}" for a in "la"
                for b in ("", "m", "RKSt9nothrow_t", "St11align_val_t", "mSt11align_val_t",
                          "St11align_val_tRKSt9nothrow_t")}
LIBC_NAMES = set("""
    __libc_malloc __libc_free __libc_calloc __libc_realloc __libc_memalign __libc_valloc
    __libc_pvalloc __posix_memalign""".split())
PUBLIC = C_NAMES | OWN_NAMES | NEW_NAMES | DELETE_NAMES


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class AbiTest(unittest.TestCase):

    def test_exports(self):
        lines = output("nm", "-D", "--defined-only", LIBRARY).splitlines()
        names = {line.split()[-1].split("@")[0] for line in lines}
        self.assertEqual(names, PUBLIC | {"dlopen", "fork", "__register_atfork"})
        self.assertEqual((len(NEW_NAMES), len(DELETE_NAMES)), (8, 12))

    def test_needs_libc_alone(self):
        dynamic = output("readelf", "-d", LIBRARY)
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
        self.assertLessEqual(needed, {"libc.so.6", "ld-linux-x86-64.so.2"})
        self.assertIn("libc.so.6", needed)
        self.assertEqual(re.findall(r"\(SONAME\).*\[(.*)\]", dynamic), ["libtally.so.0"])
        self.assertIn("NODELETE", dynamic)

    def test_thread_local_storage_is_small_and_static(self):
        segments = output("readelf", "-lW", LIBRARY)
        size = int(re.search(r"^ +TLS( +0x\w+){4} +(0x\w+)", segments, re.M).group(2), 16)
        self.assertLessEqual(size, 32)
        self.assertIn("STATIC_TLS", output("readelf", "-d", LIBRARY))

    def test_archive(self):
        lines = output("nm", "--defined-only", "--extern-only", ARCHIVE).splitlines()
        names = {line.split()[-1] for line in lines if len(line.split()) == 3}
        self.assertLessEqual(PUBLIC | LIBC_NAMES, names)


unittest.main(argv=sys.argv[:1])
