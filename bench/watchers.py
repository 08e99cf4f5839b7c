#!/usr/bin/env python3
"""What those who watch cost those who ask: drover's CPU time for a request, and the latency of
requests, with nobody and with 50 at /admin/v1/events.

    bench/watchers.py [--build DIR] [--rounds N] [--requests R] [--rate PER_SECOND] [--check RATIO]

Rounds with and without watchers take turns, and the best of each are compared, since what else the
machine does can only add. Each watcher reads all it is told, and each must have been told something
in each round. --check ends with 1 where they are further apart.
"""

import argparse
import pathlib
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading

from gateways import Cpus, Drover, Node, Trouble, cpu_ns, free_port, start, stop
from works import run_load

WATCHERS = 50
REQUEST = b"GET /admin/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Watched(Drover):
    template = "drover-watched.yaml.in"


class Watchers:
    """Read in a thread, and counted."""

    def __init__(self, port, count):
        self.selector = selectors.DefaultSelector()
        self.heard = {}
        self.stopped = False
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(REQUEST)
            self.selector.register(connection, selectors.EVENT_READ)
            self.heard[connection] = 0
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        while not self.stopped:
            for key, _ in self.selector.select(0.1):
                self.heard[key.fileobj] += key.fileobj.recv(1 << 18).count(b"event: state")

    def stop(self):
        """How many snapshots each was told, at least."""
        self.stopped = True
        self.thread.join()
        least = min(self.heard.values(), default=0)
        for connection in self.heard:
            connection.close()
        self.selector.close()
        return least


class Bench:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.cpus, self.nice = Cpus(), 0


def measure(bench, gateway, admin, watchers, arguments):
    """CPU time for a request in µs, and the latencies that the load saw."""
    watching = Watchers(admin, watchers)
    before = cpu_ns(gateway.pid)
    load = {"connections": 8, "requests": arguments.requests, "rate": arguments.rate}
    result = run_load(bench, "json", gateway.name, gateway.port, **load)
    took = cpu_ns(gateway.pid) - before
    told = watching.stop()
    if watchers and told == 0:
        raise Trouble("a watcher was told nothing")
    return took / arguments.requests / 1000, result


def run(bench, arguments):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    origin = start([bench.build / "bench/bench-origin"], bench.cpus.ends, 0, **pipes)
    gateway, admin = Watched(bench), free_port()
    figures = {0: [], WATCHERS: []}
    try:
        gateway.start([Node("node", int(origin.stdout.readline().split()[1]), parallel=8)], ADMIN=admin)
        measure(bench, gateway, admin, 0, arguments)  # warm
        for _ in range(arguments.rounds):
            for watchers in figures:
                figures[watchers].append(measure(bench, gateway, admin, watchers, arguments))
    finally:
        gateway.stop()
        stop(origin)
    return figures


def show(figures):
    """The ratio of the best."""
    best = {}
    for watchers, rounds in figures.items():
        times = sorted(cpu for cpu, _ in rounds)
        best[watchers] = times[0]
        latency = {name: min(said[name] for _, said in rounds) for name in ("p50_us", "p99_us")}
        print(
            f"{watchers:2} watchers: {times[0]:.1f} µs of CPU time a request"
            f" (median {statistics.median(times):.1f}); latency p50 {latency['p50_us']} µs,"
            f" p99 {latency['p99_us']} µs"
        )
    ratio = best[WATCHERS] / best[0]
    print(f"with {WATCHERS} watchers a request costs {ratio:.3f} of what it costs with none")
    return ratio


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=6000)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--check", type=float, help="the most that the ratio may be")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="drover-bench-") as folder:
        try:
            figures = run(Bench(arguments.build.resolve(), pathlib.Path(folder)), arguments)
        except Trouble as trouble:
            sys.exit(f"watchers.py: {trouble}")
    ratio = show(figures)
    if arguments.check is not None and ratio > arguments.check:
        sys.exit(f"watchers.py: at most {arguments.check} is allowed")


if __name__ == "__main__":
    main()
