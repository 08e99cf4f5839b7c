#!/usr/bin/env python3
"""Compares drover with nginx and HAProxy, side by side in one run, on this machine.

    bench/compare.py [--build DIR] [--rounds N] [--quick] [--only NAME,...] [--work NAME,...]
                     [--nice N] [--json FILE] [--check]

One worker or thread each; configurations are the *.in files beside this one. Everything runs on
loopback, on free ports, between bench-load and bench-origin, and ends by itself. Every gateway
logs each request to a file.

Measured is the CPU time of the gateway's process, user and system, in nanoseconds
(/proc/PID/task/*/schedstat): it does not depend on how fast the other programs are, and little
on what else the machine does. The rounds are interleaved (A B C, B C A, ...); a figure is the
median over the rounds, a ratio the median of each round's ratio.
"""

import argparse
import json
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import urllib.request

from gateways import (
    HERE,
    PATIENCE_S,
    Cpus,
    Drover,
    Haproxy,
    Nginx,
    Node,
    Trouble,
    cpu_ns,
    machine,
    print_table,
    resident_mib,
    start,
    stop,
    wait_until,
)

LIMIT_S = 120  # of one run of bench-load
TRIES = 4
WAITING = 1000


# the two ends -------------------------------------------------------------------------------


class Origin:
    """The stand-in for a node; it lives as long as its standard input is open."""

    def __init__(self, bench):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        command = [bench.build / "bench/bench-origin"]
        self.process = start(command, bench.cpus.ends, bench.nice, **pipes)
        self.port = int(self.process.stdout.readline().split()[1])

    def held(self):
        url = f"http://127.0.0.1:{self.port}/bench/held"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return json.load(answer)["held"]

    def stop(self):
        stop(self.process)


class Load:
    """One run of bench-load."""

    def __init__(self, bench, mode, gateway, **options):
        command = [bench.build / "bench/bench-load", mode, "--port", gateway.port]
        for name, value in {"seconds": LIMIT_S, **options}.items():
            command += [f"--{name}", value]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = start(command, bench.cpus.ends, bench.nice, **pipes)

    def result(self):
        """Waits for its end, which it reaches by itself."""
        said = self.process.stdout.read()
        self.process.stdin.close()
        self.process.wait()
        return json.loads(said.splitlines()[-1])

    def give_up(self):
        self.process.stdin.close()
        return self.result()


def run_load(bench, mode, gateway, **options):
    result = Load(bench, mode, gateway, **options).result()
    if result["failed"] or result["pending"]:
        raise Trouble(f"{gateway.name}: {mode}: {result}")
    return result


# works --------------------------------------------------------------------------------------


class CpuWork:
    """Work whose price is the CPU time of the gateway, `per` so many of the `count` it does."""

    unit = "s"

    def __init__(self, name, title, mode, count, per, at_most, **options):
        self.name, self.title, self.mode = name, title, mode
        self.count, self.per, self.at_most, self.options = count, per, at_most, options

    def measure(self, bench, gateway):
        """Again, where the machine was too busy for the pace: what piles up is cheaper."""
        for _ in range(TRIES):
            figure, facts = self.measure_once(bench, gateway)
            if not self.is_late(facts):
                return figure, facts
        print(f"\n{gateway.name}, {self.name}: behind its pace: {facts}", file=sys.stderr)
        return figure, facts

    def is_late(self, facts):
        pace = self.options.get("pace", 0)
        nominal_s = self.options.get("tokens", 0) * pace / 1000
        return pace > 0 and (facts["seconds"] > 1.2 * nominal_s or facts["lines a read"] > 1.2)

    def measure_once(self, bench, gateway):
        before = cpu_ns(gateway.pid)
        result = run_load(bench, self.mode, gateway, **self.options)
        spent_s = (cpu_ns(gateway.pid) - before) / 1e9
        facts = {"seconds": result["seconds"], "busy": spent_s / result["seconds"]}
        if self.mode == "stream":
            facts["lines a read"] = result["lines"] / result["reads"]
        return spent_s * self.per / self.count, facts


class MemoryWork:
    """Resident memory of a gateway that was just started and holds `waiting` requests."""

    unit = "MiB"

    def __init__(self, name, title, waiting, at_most):
        self.name, self.title, self.waiting, self.at_most = name, title, waiting, at_most

    def measure(self, bench, gateway):
        fresh = type(gateway)(bench)
        try:
            fresh.start([bench.node(1 if gateway.queues else None)], QUEUE=2 * WAITING)
            fresh.wait_until_quiet()
            if self.waiting == 0:
                return resident_mib(fresh.pid), {}
            return self.measure_waiting(bench, fresh), {}
        finally:
            fresh.stop()

    def measure_waiting(self, bench, gateway):
        """With as many, and the one that they wait for; a peer passes all of them on."""
        load = Load(bench, "hold", gateway, connections=self.waiting + 1)
        load.process.stdout.readline()
        gateway.wait_until_quiet()
        held = bench.origin.held()
        mib = resident_mib(gateway.pid)
        result = load.give_up()
        if result["pending"] != self.waiting + 1:
            raise Trouble(f"{gateway.name}: not all waited: {result}")
        if held != (1 if gateway.queues else self.waiting + 1):
            raise Trouble(f"{gateway.name}: {held} requests were at the node")
        wait_until("the node is free again", lambda: True if bench.origin.held() == 0 else None)
        return mib


def works(quick):
    """`at_most` names whom the result is measured by: a peer's share, or "" for a figure."""
    requests = 4000 if quick else 40000
    paced = 50 if quick else 500
    undelayed = 50000 if quick else 500000
    per_request = {"connections": 32, "requests": requests}
    return [
        CpuWork(
            "json",
            "small JSON, CPU s per 10,000 requests",
            "json",
            requests,
            10000,
            ("nginx", 1.0),
            **per_request,
        ),
        CpuWork(
            "paced",
            "200 streams, a token each 5 ms, CPU s per 100,000 tokens",
            "stream",
            200 * paced,
            100000,
            ("haproxy", 1.0),
            connections=200,
            tokens=paced,
            pace=5,
        ),
        CpuWork(
            "undelayed",
            "4 undelayed streams, CPU s per 100,000 tokens",
            "stream",
            4 * undelayed,
            100000,
            None,
            connections=4,
            tokens=undelayed,
        ),
        MemoryWork("start", "resident at start, MiB", 0, None),
        MemoryWork("waiting", f"resident with {WAITING} requests waiting, MiB", WAITING, ("", 20)),
    ]


# the comparison -----------------------------------------------------------------------------


class Bench:
    def __init__(self, build, folder, nice=0):
        self.build, self.folder, self.nice = build, folder, nice
        self.cpus = Cpus()
        self.origin = Origin(self)
        self.gateways = []

    def node(self, parallel):
        return Node("node", self.origin.port, parallel=parallel)

    def add_gateways(self, names):
        for kind in (Drover, Nginx, Haproxy):
            gateway = kind(self)
            if kind.name not in names:
                continue
            if gateway.find() is None:
                print(f"{kind.name} is not here: {kind.remedy}", file=sys.stderr)
                continue
            self.gateways.append(gateway)
            gateway.start([self.node(None)], QUEUE=512)

    def stop(self):
        for gateway in self.gateways:
            gateway.stop()
        self.origin.stop()

    def round(self, number, todo, results):
        turn = number % len(self.gateways)
        for work in todo:
            for gateway in self.gateways[turn:] + self.gateways[:turn]:
                figure, facts = work.measure(self, gateway)
                results.setdefault((work.name, gateway.name), []).append((figure, facts))
                print(".", end="", file=sys.stderr, flush=True)


def spread(figures):
    digits = 3 if statistics.median(figures) < 10 else 1
    low, mid, high = min(figures), statistics.median(figures), max(figures)
    return f"{mid:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def figures_of(results, work, name):
    return [figure for figure, _ in results.get((work.name, name), [])]


def ratio(results, work, peer):
    pairs = zip(figures_of(results, work, "drover"), figures_of(results, work, peer))
    ratios = [ours / theirs for ours, theirs in pairs]
    return statistics.median(ratios) if ratios else None


def verdict(results, work):
    """The words for the last column, and whether the bound is missed."""
    if work.at_most is None or not figures_of(results, work, "drover"):
        return "", False
    peer, bound = work.at_most
    if peer:
        found, words = ratio(results, work, peer), f"{bound} x {peer}"
    else:
        found, words = statistics.median(figures_of(results, work, "drover")), f"{bound}"
    if found is None:
        return f"at most {words}", False
    return f"at most {words}: {'met' if found <= bound else 'MISSED'}", found > bound


def print_results(bench, todo, results):
    names = [gateway.name for gateway in bench.gateways]
    peers = [name for name in names if name != "drover"] if "drover" in names else []
    rows = [["work", *names, *[f"drover/{peer}" for peer in peers], "bound"]]
    for work in todo:
        row = [work.title, *[spread(figures_of(results, work, name)) for name in names]]
        row += [f"{ratio(results, work, peer):.2f}" for peer in peers]
        rows.append([*row, verdict(results, work)[0]])
    print_table(rows)
    print()
    for work in todo:
        for fact in results[(work.name, names[0])][0][1]:
            medians = []
            for name in names:
                values = [facts[fact] for _, facts in results[(work.name, name)]]
                medians.append(f"{name} {statistics.median(values):.2f}")
            print(f"{work.name}, {fact}: {', '.join(medians)}")


def compare(bench, args):
    todo = [work for work in works(args.quick) if work.name in args.work]
    bench.add_gateways(args.only)
    if not bench.gateways:
        raise Trouble("nothing to compare")
    results = {}
    bench.round(0, todo, {})  # to warm up
    for number in range(args.rounds):
        bench.round(number, todo, results)
    print(file=sys.stderr)
    versions = ", ".join(f"{g.name} {g.version()}" for g in bench.gateways)
    print(f"{versions}; one worker or thread each; medians (least-most) of {args.rounds} rounds")
    print(f"{machine(bench.cpus)}\n")
    print_results(bench, todo, results)
    if args.json:
        raw = {f"{work}/{name}": rounds for (work, name), rounds in results.items()}
        args.json.write_text(json.dumps(raw, indent=1) + "\n")
    return any(verdict(results, work)[1] for work in todo)


def main():
    names = ["drover", "nginx", "haproxy"]
    kinds = [work.name for work in works(False)]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, two rounds")
    parser.add_argument("--only", type=lambda s: s.split(","), default=names, help=",".join(names))
    parser.add_argument("--work", type=lambda s: s.split(","), default=kinds, help=",".join(kinds))
    parser.add_argument("--nice", type=int, default=0, help="below 0 where the machine is busy")
    parser.add_argument("--json", type=pathlib.Path, help="the figures of all rounds go there")
    parser.add_argument("--check", action="store_true", help="exit 1 when a bound is missed")
    args = parser.parse_args()
    if args.quick:
        args.rounds = 2
    args.build = args.build.resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="drover-bench-") as folder:
        bench = Bench(args.build, pathlib.Path(folder), args.nice)
        try:
            missed = compare(bench, args)
        finally:
            bench.stop()
    return 1 if missed and args.check else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        print(f"compare: {trouble}", file=sys.stderr)
        sys.exit(1)
