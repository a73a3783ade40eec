#!/usr/bin/python3
"""The dashboard and the alerts: they are well formed, and ask only for metrics that there are."""

import json
import re
import shutil
import subprocess
import unittest
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "packaging/monitoring"

# The metrics of stanzagate that dashboards may rely on, with their labels.
METRICS = {
    "connections": {"transport", "stage"}, "connections_total": {"transport"},
    "handshakes_total": {"result"}, "registrations_total": {"host", "rule", "action", "request"},
    "relayed_bytes_total": {"direction"}, "stream_errors_total": {"condition"},
    "refused_connections_total": {"reason"}, "upstream_failures_total": {"host"},
    "certificate_expiry_seconds": {"host"}, "reloads_total": {"result"}, "build_info": {"version"},
}
EVERYWHERE = {"instance", "job"}  # from Prometheus


def expressions() -> list[str]:
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    alerts = re.findall(r"expr: (.*)", (FOLDER / "alerts.yml").read_text())
    return shown + alerts


class Monitoring(unittest.TestCase):
    def test_asks_for_what_there_is(self):
        asked = set()
        for expression in expressions():
            names = re.findall(r"stanzagate_(\w+)", expression)
            labels = set(re.findall(r"(\w+)(?:=~|!=|!~|=)\"", expression))
            for group in re.findall(r"by \(([^)]*)\)", expression):
                labels.update(group.split(", "))
            with self.subTest(expression):
                self.assertLessEqual(set(names), METRICS.keys())
                known = set().union(*(METRICS[name] for name in names), EVERYWHERE)
                self.assertLessEqual(labels, known)
            asked.update(names)
        self.assertEqual(asked, METRICS.keys(), "each metric is shown or watched somewhere")

    def test_panels_do_not_overlap(self):
        taken = set()
        for panel in json.loads((FOLDER / "grafana-dashboard.json").read_text())["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells

    def promtool(self, *arguments) -> None:
        done = subprocess.run(["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    @unittest.skipUnless(shutil.which("promtool"), "promtool (package prometheus) is not installed")
    def test_alerts_are_right(self):
        self.promtool("check", "config", "prometheus.yml")
        self.promtool("test", "rules", "alerts-test.yml")


if __name__ == "__main__":
    unittest.main(verbosity=2)
