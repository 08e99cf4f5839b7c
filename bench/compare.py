#!/usr/bin/env python3
"""Compares drover with nginx and HAProxy, side by side in one run, on this machine.

    bench/compare.py [--build DIR] [--rounds N] [--quick] [--only NAME,...] [--work NAME,...]
                     [--nice N] [--json FILE] [--results FILE] [--check]

One worker or thread each; configurations are the *.in files beside this one. Everything runs on
loopback, on free ports, between bench-load and bench-origin, and ends by itself. Every gateway
logs each request to a file.

CPU time is that of the gateway's process, user and system, in nanoseconds
(/proc/PID/task/*/schedstat): it does not depend on how fast the other programs are, and little
on what else the machine does. The rounds are interleaved (A B C, B C A, ...); a figure is the
median over the rounds, a ratio the median of each round's ratio. Latency is measured from the
moment at which a request was due.
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

import results
from gateways import HERE, PATIENCE_S, Cpus, Drover, Haproxy, Nginx, Node, Sealed, Trouble
from gateways import machine, print_table, start, stop
from works import all_works


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


class Bench:
    def __init__(self, build, folder, nice=0):
        self.build, self.folder, self.nice = build, folder, nice
        self.cpus = Cpus()
        self.origin = Origin(self)
        self.gateways = []
        self.sealed = Sealed(folder)

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

    def round(self, number, todo, found):
        turn = number % len(self.gateways)
        for name, work in todo.items():
            for gateway in self.gateways[turn:] + self.gateways[:turn]:
                if work.suits(gateway):
                    measured = work.measure(self, gateway)
                    found.setdefault((name, gateway.name), []).append(measured)
                    print(".", end="", file=sys.stderr, flush=True)


# what came of it ----------------------------------------------------------------------------


class Findings:
    """The figures of all rounds, and what follows from them."""

    def __init__(self, names, todo, found):
        self.names, self.todo, self.found = names, todo, found
        self.peers = [name for name in names if name != "drover"] if "drover" in names else []

    def figures(self, work, row, name):
        return [figures[row.key] for figures, _ in self.found.get((work, name), [])]

    def ratios(self, work, row, peer):
        """Of each round; `best`: to the lesser of what the peers took in it."""
        peers = self.peers if peer == "best" else [peer]
        theirs = [figures for name in peers if (figures := self.figures(work, row, name))]
        pairs = zip(self.figures(work, row, "drover"), *theirs)
        return [ours / min(others) for ours, *others in pairs if others and min(others) > 0]

    def verdict(self, work, row):
        """The words for the last column, and whether the bound is missed."""
        ours = self.figures(work, row, "drover")
        if row.bound is None or not ours:
            return "", False
        if row.peer is not None:
            ours = self.ratios(work, row, row.peer)
            words = f"{row.bound} x {'the better' if row.peer == 'best' else row.peer}"
        else:
            words = f"{row.bound}"
        if not ours:
            return f"at most {words}", False
        missed = statistics.median(ours) > row.bound
        return f"at most {words}: {'MISSED' if missed else 'met'}", missed

    def rows(self):
        return [(name, row) for name, work in self.todo.items() for row in work.rows]

    def is_missed(self):
        return any(self.verdict(name, row)[1] for name, row in self.rows())

    def table(self):
        yield ["work", *self.names, *[f"drover/{peer}" for peer in self.peers], "bound"]
        for name, row in self.rows():
            cells = [spread(self.figures(name, row, gateway), row.digits) for gateway in self.names]
            for peer in self.peers:
                ratios = self.ratios(name, row, peer)
                cells.append(f"{statistics.median(ratios):.2f}" if ratios else "")
            yield [row.title, *cells, self.verdict(name, row)[0]]

    def facts(self):
        """What else was noticed, of each work a line."""
        for name in self.todo:
            for fact in self.found[(name, self.names[0])][0][1]:
                medians = []
                for gateway in self.names:
                    values = [facts[fact] for _, facts in self.found.get((name, gateway), [])]
                    if values:
                        medians.append(f"{gateway} {statistics.median(values):.2f}")
                yield f"{name}, {fact}: {', '.join(medians)}"


def spread(figures, digits):
    if not figures:
        return ""
    low, mid, high = min(figures), statistics.median(figures), max(figures)
    return f"{mid:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def compare(bench, args):
    todo = {name: work for name, work in all_works(args.quick).items() if name in args.work}
    bench.add_gateways(args.only)
    if not bench.gateways:
        raise Trouble("nothing to compare")
    found = {}
    bench.round(0, todo, {})  # to warm up
    for number in range(args.rounds):
        bench.round(number, todo, found)
    print(file=sys.stderr)
    findings = Findings([g.name for g in bench.gateways], todo, found)
    versions = ", ".join(f"{g.name} {g.version()}" for g in bench.gateways)
    head = [
        f"{versions}; one worker or thread each; medians (least-most) of {args.rounds} rounds",
        machine(bench.cpus),
    ]
    table, facts = list(findings.table()), list(findings.facts())
    print("\n".join([*head, ""]))
    print_table(table)
    print("\n".join(["", *facts]))
    if args.json:
        raw = {f"{work}/{name}": rounds for (work, name), rounds in found.items()}
        args.json.write_text(json.dumps(raw, indent=1) + "\n")
    if args.results:
        results.write(args.results, "What a request costs", "make bench", head, table, facts)
    return findings.is_missed()


def main():
    names = ["drover", "nginx", "haproxy"]
    kinds = list(all_works(False))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, two rounds")
    parser.add_argument("--only", type=lambda s: s.split(","), default=names, help=",".join(names))
    parser.add_argument("--work", type=lambda s: s.split(","), default=kinds, help=",".join(kinds))
    parser.add_argument("--nice", type=int, default=0, help="below 0 where the machine is busy")
    parser.add_argument("--json", type=pathlib.Path, help="the figures of all rounds go there")
    parser.add_argument("--results", type=pathlib.Path, help="the page whose part is written anew")
    parser.add_argument("--check", action="store_true", help="exit 1 when a bound is missed")
    args = parser.parse_args()
    if args.quick:
        args.rounds = min(args.rounds, 2)
    args.build = args.build.resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    shm = pathlib.Path("/dev/shm")  # where the files of a cache cost no disk
    with tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None) as folder:
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
