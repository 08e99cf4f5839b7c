"""Metrics as Prometheus reads them, and the judge that comes with it."""

import re
import subprocess

from . import wire

SAMPLE = re.compile(r"^([a-z_:]+)(?:\{(.*)\})? (-?[0-9.]+)$")
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scrape."""

    def __init__(self, text):
        self.text = text
        self.types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        self.samples = []
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            match = SAMPLE.match(line)
            assert match, line
            labels = dict(LABEL.findall(match.group(2) or ""))
            self.samples.append((match.group(1), labels, float(match.group(3))))

    def rows(self, name, **labels):
        wanted = labels.items()
        return [s for s in self.samples if s[0] == name and wanted <= s[1].items()]

    def total(self, name, **labels):
        return sum(value for _, _, value in self.rows(name, **labels))

    def by(self, name, label, **labels):
        """The sums by one label; what is 0 left out."""
        sums = {}
        for _, has, value in self.rows(name, **labels):
            sums[has[label]] = sums.get(has[label], 0) + value
        return {key: value for key, value in sums.items() if value}


def scrape(gateway, headers=()):
    answer = wire.get(gateway.admin, "/metrics", headers)
    assert answer.status == 200
    assert answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"
    return Metrics(answer.body.decode())


def promtool(*arguments, text=None):
    """What Debian's package `prometheus` says of it: status and words."""
    done = subprocess.run(
        ["promtool", *map(str, arguments)],
        input=text,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout
