#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""A real Prometheus scrapes `tally exporter` while programs run, and is asked about them.

usage: prometheus_test.py TOOL LIBRARY FLEET
FLEET is the folder tools/fleet.
"""

import json
import os
import socket
import subprocess
import unittest
import urllib.error
import urllib.parse

from fleet import CHURN, FLEET, HOLD, MIB, FleetCase, get, wait_for

CONFIGURATION = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{fleet}/alerts.yml"]
scrape_configs:
  - job_name: tally
    static_configs: [{{targets: ["{target}"]}}]
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class PrometheusTest(FleetCase):

    def start_prometheus(self, target):
        path = f"{self.folder}/prometheus.yml"
        with open(path, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(fleet=os.path.abspath(FLEET), target=target))
        self.server = f"http://127.0.0.1:{free_port()}"
        self.log = open(f"{self.folder}/log", "w+", encoding="utf-8")
        self.addCleanup(self.log.close)
        self.start("/usr/bin/prometheus", f"--config.file={path}", "--log.level=warn",
                   f"--storage.tsdb.path={self.folder}/data",
                   f"--web.listen-address={self.server.removeprefix('http://')}",
                   stdout=subprocess.DEVNULL, stderr=self.log)

        def is_ready():
            try:
                return get(f"{self.server}/-/ready")[0] == 200
            except urllib.error.URLError:
                return False

        wait_for(is_ready)

    def ask(self, query):
        """The samples: labels and value."""
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": query})
        status, _, text = get(self.server + path)
        self.assertEqual(status, 200, (query, text))
        return [(entry["metric"], float(entry["value"][1]))
                for entry in json.loads(text)["data"]["result"]]

    def value(self, query):
        samples = self.ask(query)
        self.assertEqual(len(samples), 1, (query, samples))
        return samples[0][1]

    def check_dashboard(self, programs):
        with open(f"{FLEET}/grafana-dashboard.json", encoding="ascii") as file:
            dashboard = json.load(file)
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                query = target["expr"]
                for name, value in (("$instance", ".*"), ("$command", ".*"), ("$pid", ".*"),
                                    ("$__rate_interval", "5s")):
                    query = query.replace(name, value)
                self.assertNotIn("$", query)
                self.assertTrue(self.ask(query), (panel["title"], query))
        self.assertEqual(self.value("count(tally_mapped_bytes)"), len(programs))

    def check_rules(self):
        groups = json.loads(get(f"{self.server}/api/v1/rules")[2])["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertGreater(len(rules), 5)
        for rule in rules:
            self.assertEqual((rule["health"], rule["state"]), ("ok", "inactive"), rule["name"])

    def test_it_scrapes_while_programs_run(self):
        holder = self.start_python(HOLD, 10000, 1000, 1, 64 * MIB)
        churner = self.start_python(CHURN)
        sleeper = self.start_program("/bin/sleep", "60")
        exporter, address = self.start_exporter()
        self.start_prometheus(address.removeprefix("http://"))
        wait_for(lambda: self.ask("count_over_time(tally_exporter_processes[1m]) >= 5"))

        self.assertEqual(self.value('up{job="tally"}'), 1)
        pid = f'pid="{holder.pid}"'
        self.assertEqual(self.value(f'tally_tier_requested_bytes{{tier="huge",{pid}}}'), 64 * MIB)
        extra = self.value(f'tally_tier_live_bytes{{tier="huge",{pid}}}') - 64 * MIB
        self.assertTrue(0 <= extra <= 4096, extra)
        blocks = self.value(f'tally_class_live_blocks{{size="1008",{pid}}}')
        self.assertTrue(10000 <= blocks < 10200, blocks)
        live = self.value(f'tally_identity_bytes{{term="live",{pid}}}')
        held = 64 * MIB + 10000 * 1008
        self.assertTrue(held <= live < held + 8 * MIB, live)
        self.assertEqual(self.value(f"sum(tally_identity_bytes{{{pid}}})"),
                         self.value(f"tally_mapped_bytes{{{pid}}}"))

        rate = "sum by (pid) (rate(tally_class_allocated_blocks_total[10s]))"
        rates = {int(labels["pid"]): value for labels, value in self.ask(rate)}
        self.assertGreater(rates[churner.pid], 1000)
        self.assertEqual(rates[sleeper.pid], 0)
        self.check_dashboard((holder, churner, sleeper))
        self.check_rules()

        # One that ended leaves no stale numbers; an exporter that ended is seen.
        churner.terminate()
        churner.wait()
        gone = f'pid="{churner.pid}"'
        wait_for(lambda: not self.ask(f"tally_mapped_bytes{{{gone}}}"))
        exporter.terminate()
        self.assertEqual(exporter.wait(10), 0)
        wait_for(lambda: self.ask("up == 0"))
        self.log.seek(0)
        self.assertEqual(self.log.read(), "")


unittest.main()
