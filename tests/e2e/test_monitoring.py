"""conf/prometheus and conf/grafana: valid, and about metrics that there are."""

import json
import pathlib
import re

import harness
import pytest
from harness import certificates
from harness.prometheus import promtool, scrape

CONF = pathlib.Path(__file__).resolve().parents[2] / "conf"
RULES = CONF / "prometheus" / "alerts.yaml"
DASHBOARD = CONF / "grafana" / "drover.json"
# Prometheus's own.
GIVEN = {"instance", "job", "le"}

SELECTOR = re.compile(r"\b((?:drover|process)_[a-z_]+)(?:\{([^}]*)\})?")
GROUPING = re.compile(r"\b(?:by|on) \(([^)]*)\)")


@pytest.fixture(scope="module")
def metrics(module_stage):
    """A scrape in which every metric has a sample."""
    node = module_stage.node("tiny")
    settings = {"state": str(module_stage.folder / "state"), "tls": certificates.local().settings()}
    gateway = module_stage.gateway([node], settings)
    node.fault("busy", count=1)
    assert gateway.post("/api/generate", harness.run("tokens:3", stream=True)).status == 200
    assert gateway.get("/api/nothing").status == 404
    return scrape(gateway)


def dashboard():
    return json.loads(DASHBOARD.read_text())


def expressions():
    rules = re.findall(r"expr: (?:>-\n)?((?:.+\n)(?: {10}\S.*\n)*)", RULES.read_text())
    panels = [t["expr"] for panel in dashboard()["panels"] for t in panel["targets"]]
    assert len(rules) == RULES.read_text().count("- alert:") > 0 and panels
    return [" ".join(text.split()) for text in rules + panels]


def labels_of(metrics, name):
    return {label for sample in metrics.samples if sample[0] == name for label in sample[1]}


def is_shown(metrics, name):
    return any(sample[0] == name for sample in metrics.samples)


def test_promtool_takes_the_rules():
    status, words = promtool("check", "rules", RULES)
    assert status == 0, words


def test_alerts_fire_when_they_should():
    status, words = promtool("test", "rules", RULES.with_name("alerts_test.yaml"))
    assert status == 0, words


def test_every_metric_that_is_named_exists_and_has_these_labels(metrics):
    for text in expressions():
        labels = set()
        for name, matchers in SELECTOR.findall(text):
            assert is_shown(metrics, name), f"{name}, in {text}"
            labels |= labels_of(metrics, name)
            wanted = set(re.findall(r"([a-z]+)(?:=~|!=|=|!~)", matchers))
            assert wanted <= labels_of(metrics, name) | GIVEN, text
        for names in GROUPING.findall(text):
            assert set(names.replace(" ", "").split(",")) <= labels | GIVEN, text


def test_counters_are_asked_for_their_rate(metrics):
    """As they stand they say nothing."""
    for text in expressions():
        for name, _ in SELECTOR.findall(text):
            if name.endswith(("_total", "_bucket", "_sum", "_count")):
                assert re.search(rf"(rate|increase)\({name}\b", text), text


def test_every_metric_has_a_place_on_the_dashboard(metrics):
    shown = {name for text in expressions() for name, _ in SELECTOR.findall(text)}
    for name, kind in metrics.types.items():
        if name.startswith("drover_") and name != "drover_build_info":
            assert (f"{name}_bucket" if kind == "histogram" else name) in shown | {
                "drover_model_load_seconds_bucket"  # shown by its sum
            }, name


def test_the_dashboard_asks_promql_that_there_is(tmp_path):
    """promtool reads expressions in rules only; Grafana's variables stand for values there."""
    values = {"$__rate_interval": "5m", "$instance": ".*", "$model": ".*", "$job": ".*"}
    rules = []
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            text = target["expr"]
            for variable, value in values.items():
                text = text.replace(variable, value)
            assert "$" not in text
            rules.append({"record": f"panel:{len(rules)}", "expr": text})
    file = tmp_path / "panels.json"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    status, words = promtool("check", "rules", file)
    assert status == 0, words


def test_panels_do_not_overlap_and_have_their_own_ids():
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = set()
    for panel in panels:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        covered = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not covered & cells, panel["title"]
        cells |= covered
