#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""`tally report`: the page is whole, safe and self-contained, and names what is wrong.

usage: report_test.py TOOL LIBRARY
"""

import html.parser
import json
import os
import re
import unittest

from dumps import KIB, MIB, ToolTest, dump, size_class

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(html.parser.HTMLParser):
    """Checks that elements are closed in order, and collects what is there."""

    def __init__(self, text):
        super().__init__()
        self.open, self.text, self.elements, self.charts = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open
        self.text = "".join(self.text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.elements.append((tag, attrs))
        if "data-chart" in attrs:
            self.charts.append(json.loads(attrs["data-chart"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)


class ReportTest(ToolTest):

    def page(self, *reports):
        path = f"{self.folder}/page.html"
        self.output("report", *[self.write(report) for report in reports], "-o", path)
        with open(path, encoding="utf-8") as file:
            self.source = file.read()
        loaded = re.search(r"(?i)https?:|//\w|@import|url\(", self.source)
        self.assertIsNone(loaded, loaded)
        page = Page(self.source)
        for tag, attributes in page.elements:
            self.assertNotIn(tag, ("img", "link", "iframe", "object"))
            self.assertFalse([name for name in attributes
                              if name in ("src", "href") or name.startswith("on")])
        return page

    def series(self, make, count=20):
        """The page of a dump every two seconds, of which make(i) is the classes or the report."""
        reports = []
        for i in range(count):
            made = make(i)
            reports.append(made if isinstance(made, dict) else dump(2 * i, made))
        return self.page(*reports)

    def test_numbers(self):
        page = self.series(lambda i: [size_class(64, 16384 + i, 20000 + 1000 * i)])
        self.assertIn("server, process 4711", page.text)
        self.assertIn("2023-11-14 22:13:20 UTC to 2023-11-14 22:13:58 UTC (38.0 s)", page.text)
        self.assertIn("20 dumps", page.text)
        self.assertIn("16,403", page.text)  # live blocks in the end
        self.assertIn("39,000", page.text)  # allocated ever
        waterfall, classes, rate, _ = page.charts
        self.assertEqual(waterfall["seconds"], [2 * i for i in range(20)])
        layers = {layer["name"]: layer["values"] for layer in waterfall["layers"]}
        self.assertEqual(layers["live"], [64 * (16384 + i) for i in range(20)])
        self.assertEqual(layers["metadata"], [64 * KIB] * 20)
        self.assertEqual(layers["RSS"][0], sum(values[0] for name, values in layers.items()
                                               if name != "RSS"))
        self.assertEqual(classes["layers"][-1]["name"], "64 B")
        self.assertEqual([layer["values"] for layer in rate["layers"]], [[500] * 20] * 2)

    def test_any_order_and_the_same_twice(self):
        reports = [dump(2 * i, [size_class(64, 100 + i)]) for i in range(8)]
        self.page(*reports)
        straight = self.source
        self.page(*reports[::-1], reports[3])
        self.assertEqual(self.source, straight)

    def test_one_dump_has_bars(self):
        page = self.page(dump(0, [size_class(64, 1000)], large=MIB))
        self.assertEqual(page.charts, [])
        self.assertIn("1 dump", page.text)
        self.assertIn("Every mapped byte of Tally, as a sum.", page.text)
        self.assertIn("For trends give at least", page.text)

    def test_a_leak(self):
        page = self.series(lambda i: [size_class(16, 1000, 1000 + 10**6 * i),
                                      size_class(1024, 2000 * i)])
        self.assertIn("looks like a leak in class 1024 B", page.text)
        self.assertIn("1000 more blocks of it live every second", page.text.replace("1 k", "1000"))

    def test_a_leak_beside_what_shrinks(self):
        page = self.series(lambda i: [size_class(64, 20000 * i),
                                      size_class(1024, 3000 + (i * 7919 % 13) * 8000, 10**6 + 10**6 * i)])
        self.assertIn("leak in class 64 B", page.text)

    def test_a_leak_of_large_blocks(self):
        page = self.series(lambda i: dump(i, large=(i + 1) * MIB))
        self.assertIn("looks like a leak in large blocks", page.text)

    def test_growth_that_ends_is_no_leak(self):
        page = self.series(lambda i: [size_class(1024, min(2000 * i, 10000))])
        self.assertIn("Nothing stands out", page.text)

    def test_waves(self):
        page = self.series(lambda i: [size_class(1024, 20000 if i % 4 < 2 else 100, 20000 * (i + 1))])
        self.assertIn("Live memory comes and goes", page.text)
        self.assertNotIn("leak", page.text)

    def test_memory_outside(self):
        page = self.series(lambda i: dump(i, kernel__rss_bytes=(50 + i) * MIB))
        self.assertIn("Memory outside malloc grows steadily", page.text)

    def test_fragmentation(self):
        frayed = [size_class(192, 2000, 10**6, free_in_pools=98000, runs=4500)]
        page = self.page(dump(0, frayed))
        self.assertIn("Fragmentation: class 192 B holds 17.9 MiB that nobody uses", page.text)
        self.assertIn("98 % of the memory of class 192 B is free blocks in pools", page.text)
        self.assertIn("2,000 live blocks keep 4,500 runs", page.text)
        self.assertIn("At the peak, after 0.0 s: Fragmentation: class 192 B",
                      self.page(dump(0, frayed), dump(2, [size_class(192, 2000, 10**6)])).text)

    def test_fragmentation_of_many_classes(self):
        page = self.page(dump(0, [size_class(64 * i, 900, free_in_pools=800)
                                  for i in range(1, 40)]))
        self.assertRegex(page.text, r"Fragmentation: [0-9.]+ MiB over many size classes")

    def test_cached_dirty_purges_rounding_threads_and_mistakes(self):
        for report, said in (
                (dump(2, [size_class(64, 1, cached=100_000)]), "Cached is high: 6.1 MiB"),
                (dump(2, terms={"dirty": 40 * MIB}), "Dirty is high: 40.0 MiB"),
                (dump(2, purge_calls=5000, purged_bytes=MIB), "goes back to the system and forth"),
                (dump(2, large=9 * MIB, large__requested_bytes=MIB),
                 "Rounding costs 8.0 MiB"),
                (dump(2, [size_class(1024, 20000, samples=100, sampled_bytes=60_000)]),
                 "Rounding costs 8.1 MiB"),
                (dump(2, process__threads=90), "Threads became many more"),
                (dump(2, mismatched_sizes=3), "Sized deletes do not match")):
            self.assertIn(said, self.page(dump(0), report).text)

    def test_hostile_strings(self):
        for text in ("</title><script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>",
                     "</script>&lt;", "\x00\x1b]0;x\x07"):
            page = self.page(dump(0, process__command=text, version=text, terms={text: 4096}),
                             dump(1, process__command=text, version=text, terms={text: 4096}))
            self.assertEqual([tag for tag, _ in page.elements].count("script"), 1)
            self.assertIn(re.sub(r"[\x00-\x1f]", "?", text), page.text)

    def test_hostile_numbers(self):
        most = 1 << 57
        classes = [size_class(1, most), size_class(16, 1, most), size_class(1 << 57, 0, most)]
        page = self.page(dump(0), dump(1e9, [size_class(16, 1, 1 << 50)], kernel=None),
                         {**dump(2e9), "classes": classes, "purged_bytes": most,
                          "huge": dict.fromkeys(("allocated", "freed", "live", "live_bytes",
                                                 "requested_bytes"), most)})
        self.assertNotRegex(self.source, r"\b(nan|inf)\b")
        self.assertTrue(page.charts)
        self.page(dump(0, terms={"metadata": 0}, kernel=None))

    def test_many_dumps(self):
        page = self.series(lambda i: [size_class(64, 50_000 if i == 777 else 100,
                                                 10**6 * (i + 1))], 1500)
        self.assertIn("1500 dumps", page.text)
        waterfall = page.charts[0]
        self.assertEqual(len(waterfall["seconds"]), 400)
        live = next(layer for layer in waterfall["layers"] if layer["name"] == "live")
        self.assertEqual(max(live["values"]), 64 * 50_000)  # the peak is still there
        self.assertLess(len(self.source), MIB)

    def test_dumps_of_two_processes(self):
        error = self.refusal("report", self.write(dump(0)), self.write(dump(1, process__id=5)),
                             "-o", "x.html")
        self.assertIn("it is of process 5 (server), the other of 4711 (server); give the dumps of one",
                      error)
        self.assertFalse(os.path.exists(f"{self.folder}/x.html"))

    def test_output(self):
        good = self.write(dump())
        self.assertIn("</html>", self.output("report", good, "-o", "-"))
        self.assertIn("No such file", self.refusal("report", good, "-o", "/no/x", code=1))
        self.assertIn("No space left", self.refusal("report", good, "-o", "/dev/full", code=1))
        self.output("report", good, "-o", "/dev/null")
        self.output("report", good, "-o", "page.html")
        self.assertEqual(sorted(os.listdir(self.folder)), ["1.json", "page.html"])

    def test_bad_files(self):
        self.check_bad_files(lambda path: self.refusal("report", path, "-o", "x"))

    def test_truncated(self):
        self.check_truncated(lambda path: self.refusal("report", path, "-o", "x"))

    def test_a_real_dump(self):
        text = self.output("report", self.real_dump(), "-o", "-")
        self.assertIn("ls, process ", Page(text).text)


if __name__ == "__main__":
    unittest.main()
