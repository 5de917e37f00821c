#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""`tally exporter`: its pages by both formats' own parsers, its manners as a server, and the files
in tools/fleet.

usage: exporter_test.py TOOL LIBRARY FLEET
FLEET is the folder tools/fleet.
"""

import concurrent.futures
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest

from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

from fleet import (CHURN, FLEET, HOLD, LIBRARY, MIB, OPENMETRICS, TOOL, FleetCase, get, wait_for)


def families_of(text, parser):
    families = list(parser.text_string_to_metric_families(text))
    by_name = {family.name: family for family in families}
    assert len(by_name) == len(families), "a family is there twice"
    return by_name


def values(family, **labels):
    """By process id, of the samples with these labels."""
    return {int(sample.labels["pid"]): sample.value for sample in family.samples
            if labels.items() <= sample.labels.items()}


def lint(text):
    return subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          text=True, timeout=60, check=False)


class PageTest(FleetCase):

    def check_page(self, families, processes):
        mapped = values(families["tally_mapped_bytes"])
        self.assertEqual(set(mapped), {process.pid for process in processes})
        for pid, expected in mapped.items():
            terms = [sample.value for sample in families["tally_identity_bytes"].samples
                     if sample.labels["pid"] == str(pid)]
            self.assertEqual((len(terms), sum(terms)), (10, expected))
        self.assertEqual(set(values(families["tally_books_age_seconds"]).values()), {0})
        self.assertEqual(families["tally_exporter_processes"].samples[0].value, len(processes))
        self.assertGreater(families["tally_exporter_scrape_seconds"].samples[0].value, 0)
        seen = set()
        for family in families.values():
            for sample in family.samples:
                key = (sample.name, *sorted(sample.labels.items()))
                self.assertNotIn(key, seen)
                seen.add(key)

    def test_both_formats(self):
        programs = [self.start_python(HOLD, 3000, 1000, 5, 3 * MIB, 1, 40 * MIB),
                    self.start_python(CHURN), self.start_program("/bin/sleep", "60")]
        _, address = self.start_exporter()
        status, headers, text = get(f"{address}/metrics")
        self.assertEqual((status, headers["Content-Type"]),
                         (200, "text/plain; version=0.0.4; charset=utf-8"))
        self.check_page(families_of(text, prometheus), programs)
        heads = re.findall(r"(?m)^# (TYPE|HELP) (\S+)", text)
        self.assertEqual(len(heads), len(set(heads)))
        checked = lint(text)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))

        status, headers, text = get(f"{address}/metrics", headers={
            "Accept": "application/OpenMetrics-text;version=1.0.0,text/plain;q=0.5,*/*;q=0.1"})
        self.assertEqual((status, headers["Content-Type"]),
                         (200, f"{OPENMETRICS}; version=1.0.0; charset=utf-8"))
        self.assertTrue(text.endswith("\n# EOF\n"))
        families = families_of(text, openmetrics)
        self.check_page(families, programs)
        holder = programs[0].pid
        requested = families["tally_tier_requested_bytes"]
        self.assertEqual(values(requested, tier="large")[holder] // MIB, 15)
        self.assertEqual(values(requested, tier="huge")[holder], 40 * MIB)
        live = values(families["tally_class_live_blocks"], size="1008")[holder]
        self.assertTrue(3000 <= live < 3200, live)
        self.assertEqual(values(families["tally_class_block_bytes"], size="1008")[holder], 1008)
        self.assertEqual(families["tally_class_allocated_blocks"].type, "counter")

    def test_the_names_are_those_of_one_process(self):
        one = subprocess.run(["/bin/true"], stderr=subprocess.PIPE, text=True, check=True, env={
            **os.environ, "LD_PRELOAD": LIBRARY, "TALLY_STATS": "exit",
            "TALLY_STATS_FORMAT": "prometheus"}).stderr
        self.start_program("/bin/sleep", "60")
        _, address = self.start_exporter()
        page = get(f"{address}/metrics")[2]
        heads = r"(?m)^# (?:TYPE|HELP) .*$"
        self.assertLessEqual(set(re.findall(heads, one)), set(re.findall(heads, page)))

    def test_a_hostile_name(self):
        odd = f'{self.folder}/a"b\\c d='
        shutil.copy("/bin/sleep", odd)
        self.start_program(odd, "60")
        _, address = self.start_exporter()
        for accept, parser in (("*/*", prometheus), (OPENMETRICS, openmetrics)):
            text = get(f"{address}/metrics", headers={"Accept": accept})[2]
            mapped = families_of(text, parser)["tally_mapped_bytes"]
            self.assertEqual(mapped.samples[0].labels["command"], 'a"b\\c d=')
        self.assertEqual(lint(get(f"{address}/metrics")[2]).stderr, "")

    def test_limit(self):
        programs = [self.start_python(HOLD, 1, size * MIB) for size in (100, 10, 200)]
        _, address = self.start_exporter("--limit", "2")
        families = families_of(get(f"{address}/metrics")[2], prometheus)
        self.assertEqual(set(values(families["tally_mapped_bytes"])),
                         {programs[0].pid, programs[2].pid})
        self.assertEqual(families["tally_exporter_processes"].samples[0].value, 2)
        self.assertEqual(families["tally_exporter_processes_left_out"].samples[0].value, 1)

    def test_nobody_is_there(self):
        _, address = self.start_exporter()
        families = families_of(get(f"{address}/metrics")[2], prometheus)
        self.assertEqual(set(families), {
            "tally_exporter_processes", "tally_exporter_processes_left_out",
            "tally_exporter_scrape_seconds", "tally_exporter_errors"})

    def test_a_process_that_was_killed_is_gone(self):
        programs = [self.start_program("/bin/sleep", "60") for _ in range(2)]
        _, address = self.start_exporter()
        programs[0].kill()
        programs[0].wait()
        self.assertTrue(os.path.exists(self.path(programs[0])))
        families = families_of(get(f"{address}/metrics")[2], prometheus)
        self.assertEqual(set(values(families["tally_mapped_bytes"])), {programs[1].pid})
        self.assertEqual(families["tally_exporter_errors"].samples[0].value, 0)

    def test_short_programs_are_no_errors(self):
        _, address = self.start_exporter()
        environment = {**self.environment, "LD_PRELOAD": LIBRARY, "TALLY_PUBLISH": "1"}
        with subprocess.Popen(["/bin/sh", "-c", "for i in $(seq 300); do /bin/true; done"],
                              env=environment) as shell:
            while shell.poll() is None:
                text = get(f"{address}/metrics")[2]
        self.assertIn("\ntally_exporter_errors_total 0\n", text)

    def test_files_that_mean_harm(self):
        program = self.start_program("/bin/sleep", "60")
        shutil.copy(self.path(program), f"{self.folder}/tally/{program.pid + 1}")
        with open(f"{self.folder}/tally/7", "wb") as file:
            file.write(b"no books")
        os.mkfifo(f"{self.folder}/tally/8")
        exporter, address = self.start_exporter()
        for count in (2, 4):
            families = families_of(get(f"{address}/metrics")[2], prometheus)
            self.check_page(families, [program])
            self.assertEqual(families["tally_exporter_errors"].samples[0].value, count)
        exporter.terminate()
        lines = exporter.stderr.read().splitlines()
        self.assertEqual(len(lines), 2, lines)  # each file once
        for line in lines:
            self.assertRegex(line, r"^tally: exporter: \S+/tally/[78]: ")


class ServerTest(FleetCase):

    def refusal(self, *arguments, code):
        result = subprocess.run([TOOL, "exporter", *arguments], env=self.environment, text=True,
                                capture_output=True, timeout=20, check=False)
        self.assertEqual((result.returncode, result.stdout), (code, ""), result.stderr)
        self.assertTrue(result.stderr.startswith("tally: exporter: "), result.stderr)
        return result.stderr

    def test_paths_and_methods(self):
        _, address = self.start_exporter()
        self.assertEqual(get(f"{address}/healthz")[::2], (200, "ok\n"))
        self.assertEqual(get(f"{address}/metrics?a=b")[0], 200)
        for path in ("/", "/metric", "/metrics/", "/../metrics", "/%00", "/healthz/x"):
            self.assertEqual(get(address + path)[0], 404, path)
        status, headers, text = get(f"{address}/metrics", method="HEAD")
        self.assertEqual((status, text), (200, ""))
        self.assertGreater(int(headers["Content-Length"]), 100)
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            status, headers, _ = get(f"{address}/metrics", method=method)
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"), method)
        ranges = "bytes=" + ",".join(["0-"] * 100)
        status, _, text = get(f"{address}/healthz", headers={"Range": ranges})
        self.assertEqual((status, text), (200, "ok\n"))

    def test_bad_arguments(self):
        for address in ("", "9857", ":9857", "localhost:9857", "127.0.0.1", "127.0.0.1:",
                        "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:65536", "127.0.0.1:80x",
                        "::1:80", "[127.0.0.1]:80", "[::1]", "1.2.3:80", "127.0.0.1:99999999999"):
            error = self.refusal("--listen", address, code=2)
            self.assertEqual(error.count("\n"), 1, error)
            self.assertIn("not an address; write 127.0.0.1:9857", error)
        for arguments in (["--limit", "0"], ["--limit", "x"], ["--interval", "1"],
                          ["--textfile", "x", "--interval", "-1"],
                          ["--textfile", "x", "--listen", "127.0.0.1:0"], ["here"]):
            self.refusal(*arguments, code=2)

    def test_a_port_that_is_taken(self):
        _, address = self.start_exporter()
        error = self.refusal("--listen", address.removeprefix("http://"), code=1)
        self.assertEqual(error.count("\n"), 1, error)
        self.assertIn("Address already in use; ", error)
        self.assertIn("Cannot assign", self.refusal("--listen", "192.0.2.1:0", code=1))

    def test_the_end(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            exporter, address = self.start_exporter()
            get(f"{address}/metrics")
            exporter.send_signal(number)
            self.assertEqual(exporter.wait(10), 0)
            self.assertEqual(exporter.stderr.read(), "")

    def test_many_at_once(self):
        for _ in range(3):
            self.start_program("/bin/sleep", "60")
        exporter, address = self.start_exporter()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(get, [f"{address}/metrics"] * 160))
        self.assertEqual({answer[0] for answer in answers}, {200})
        self.assertLessEqual(len(os.listdir(f"/proc/{exporter.pid}/task")), 6)
        self.assertLessEqual(len(os.listdir(f"/proc/{exporter.pid}/fd")), 10)

    def connect(self, address):
        host, port = address.removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)), timeout=15)
        self.addCleanup(connection.close)
        return connection

    def test_slow_clients_do_not_hold_it_up(self):
        exporter, address = self.start_exporter()
        silent = [self.connect(address) for _ in range(8)]
        dripping = [self.connect(address) for _ in range(4)]

        def drip():
            for connection in dripping:
                try:
                    connection.send(b"G")
                except OSError:  # it has been sent away
                    pass
            time.sleep(0.2)
            return answer.done()

        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(get, f"{address}/healthz")
            wait_for(drip)
        self.assertEqual(answer.result()[0], 200)
        self.assertLess(time.monotonic() - start, 9)
        self.assertEqual([connection.recv(10) for connection in silent], [b""] * 8)
        exporter.terminate()
        self.assertEqual(exporter.wait(10), 0)

    def test_a_request_without_end(self):
        _, address = self.start_exporter()
        for start, piece in ((b"GET /", b"x" * 1000), (b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 200),
                             (b"", b"\0" * 1000), (b"GET / HTTP/1.1\r\nx: ", b"x" * 1000)):
            connection = self.connect(address)
            sent = 0
            with self.assertRaises(OSError):
                connection.sendall(start)
                for _ in range(1000):
                    connection.sendall(piece)
                    sent += len(piece)
                    time.sleep(0.002)
            self.assertLess(sent, 500_000)
        self.assertEqual(get(f"{address}/healthz")[0], 200)


class TextfileTest(FleetCase):

    def textfile(self, *arguments):
        return self.start(TOOL, "exporter", "--textfile", *arguments, env=self.environment,
                          stderr=subprocess.PIPE, stdout=subprocess.PIPE)

    def test_once(self):
        program = self.start_program("/bin/sleep", "60")
        os.mkdir(f"{self.folder}/out")
        path = f"{self.folder}/out/tally.prom"
        exporter = self.textfile(path, "--interval", "0")
        self.assertEqual((exporter.wait(20), *exporter.communicate()), (0, "", ""))
        self.assertEqual(os.listdir(f"{self.folder}/out"), ["tally.prom"])
        with open(path, encoding="ascii") as file:
            text = file.read()
        families = families_of(text, prometheus)
        self.assertEqual(set(values(families["tally_mapped_bytes"])), {program.pid})
        self.assertEqual({sample.timestamp for family in families.values()
                          for sample in family.samples}, {None})
        self.assertEqual(lint(text).stderr, "")

    def test_again_and_again(self):
        path = f"{self.folder}/tally.prom"
        exporter = self.textfile(path, "--interval", "0.1")
        seen = set()

        def see():
            if os.path.exists(path):
                with open(path, encoding="ascii") as file:
                    self.assertRegex(file.read(), r"\ntally_exporter_errors_total \d+\n$")
                    seen.add(os.fstat(file.fileno()).st_mtime_ns)
            return len(seen) > 3

        wait_for(see)
        exporter.terminate()
        self.assertEqual((exporter.wait(10), exporter.stderr.read()), (0, ""))

    def test_a_folder_that_is_not_there(self):
        exporter = self.textfile("/no/such/folder/tally.prom")
        self.assertEqual(exporter.wait(10), 1)
        error = exporter.stderr.read()
        self.assertRegex(error, r"^tally: exporter: /no/such/folder/tally\.prom: .*\n$")

    def test_a_disk_that_was_full(self):
        folder = f"{self.folder}/out"
        os.mkdir(folder)
        exporter = self.textfile(f"{folder}/tally.prom", "--interval", "0.1")
        wait_for(lambda: os.path.exists(f"{folder}/tally.prom"))
        os.rename(folder, folder + "2")
        self.assertIn("No such file", exporter.stderr.readline())
        os.rename(folder + "2", folder)
        before = os.stat(f"{folder}/tally.prom").st_mtime_ns
        wait_for(lambda: os.stat(f"{folder}/tally.prom").st_mtime_ns != before)
        with open(f"{folder}/tally.prom", encoding="ascii") as file:
            families = families_of(file.read(), prometheus)
        self.assertGreater(families["tally_exporter_errors"].samples[0].value, 0)


class FleetFilesTest(FleetCase):

    def promtool(self, *arguments):
        result = subprocess.run(["promtool", *arguments], cwd=FLEET, capture_output=True, text=True,
                                timeout=60, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
        self.assertIn("SUCCESS", result.stdout)

    def test_rules_and_configuration(self):
        self.promtool("check", "rules", "alerts.yml")
        self.promtool("test", "rules", "alerts_test.yml")
        self.promtool("check", "config", "prometheus.yml")

    def test_every_alert_is_tried(self):
        names = []
        for name in ("alerts.yml", "alerts_test.yml"):
            with open(f"{FLEET}/{name}", encoding="ascii") as file:
                names.append(set(re.findall(r"(?:alert|alertname): (\w+)", file.read())))
        self.assertEqual(*names)

    def test_what_they_ask_for_is_there(self):
        self.start_program("/bin/sleep", "60")
        _, address = self.start_exporter()
        known = set(re.findall(r"(?m)^(tally_\w+)", get(f"{address}/metrics")[2]))
        for name in ("alerts.yml", "alerts_test.yml", "grafana-dashboard.json"):
            with open(f"{FLEET}/{name}", encoding="ascii") as file:
                asked = set(re.findall(r"\btally_\w+", file.read()))
            self.assertLessEqual(asked, known)
            self.assertTrue(asked)

    def test_the_dashboard(self):
        with open(f"{FLEET}/grafana-dashboard.json", encoding="ascii") as file:
            dashboard = json.load(file)
        variables = [variable["name"] for variable in dashboard["templating"]["list"]]
        self.assertEqual(variables, ["datasource", "instance", "command", "pid"])
        self.assertIsNone(dashboard["id"])
        panels = dashboard["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken = set()
        for panel in panels:
            self.assertEqual(panel["datasource"]["uid"], "${datasource}")
            self.assertTrue(panel["title"] and panel["description"])
            references = [target["refId"] for target in panel["targets"]]
            self.assertEqual(len(set(references)), len(references))
            place = panel["gridPos"]
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.assertTrue(x < 24 and (x, y) not in taken, panel["title"])
                    taken.add((x, y))


unittest.main()
