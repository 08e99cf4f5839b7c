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
import ctypes
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE_S = 20
LIMIT_S = 120  # of one run of bench-load
TRIES = 4
WAITING = 1000
PR_SET_PDEATHSIG = 1


class Trouble(Exception):
    """What makes the comparison impossible or worthless; its text is for the user."""


# processes ----------------------------------------------------------------------------------


class Cpus:
    """The gateway on one CPU, the two ends of the benchmark on another, if there are two."""

    def __init__(self):
        allowed = sorted(os.sched_getaffinity(0))
        self.gateway = {allowed[0]}
        self.ends = {allowed[-1]}

    def words(self):
        if self.gateway == self.ends:
            return "one CPU for all"
        return f"gateway on CPU {min(self.gateway)}, both ends on CPU {min(self.ends)}"


def start(command, cpus, nice, **more):
    """A process that dies with this one."""
    libc = ctypes.CDLL(None)

    def prepare():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        os.sched_setaffinity(0, cpus)
        os.nice(nice)
        group = pathlib.Path("/proc/self/autogroup")
        if nice and group.exists():  # where sessions are scheduled as groups, see sched(7)
            group.write_text(str(nice))

    command = [str(part) for part in command]
    return subprocess.Popen(command, preexec_fn=prepare, start_new_session=True, **more)


def stop(process):
    process.terminate()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(what, test, every_s=0.02):
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found = test()
        if found is not None:
            return found
        time.sleep(every_s)
    raise Trouble(f"{what}: not within {PATIENCE_S} s")


def cpu_ns(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024


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


# gateways -----------------------------------------------------------------------------------


class Gateway:
    """A gateway that can be started; `pid` is the process that does the work."""

    name = program = template = None
    queues = False  # whether it sends no more to a node than the node has slots

    def __init__(self, bench):
        self.bench = bench
        self.process = None

    def find(self):
        return shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin")

    def version(self):
        said = subprocess.run([self.find(), "-v"], capture_output=True, text=True)
        return re.search(r"\d+\.\d+\.\d+\S*", said.stdout + said.stderr).group(0)

    def start(self, **values):
        self.port = free_port()
        folder = pathlib.Path(tempfile.mkdtemp(prefix=self.name + "-", dir=self.bench.folder))
        values = {"PORT": self.port, "ORIGIN": self.bench.origin.port, "DIR": folder, **values}
        text = (HERE / self.template).read_text()
        config = folder / self.template.removesuffix(".in")
        config.write_text(re.sub(r"@([A-Z]+)@", lambda m: str(values[m.group(1)]), text))
        said = folder / "said.log"
        with said.open("w") as out:
            command = self.command(config)
            cpus, nice = self.bench.cpus.gateway, self.bench.nice
            self.process = start(command, cpus, nice, stdout=out, stderr=out)
        self.said = said
        wait_until(f"{self.name} serves", self.serves)
        self.pid = self.find_worker()

    def serves(self):
        if self.process.poll() is not None:
            raise Trouble(f"{self.name} ended:\n{self.said.read_text()}")
        body = b'{"model":"bench","prompt":"","stream":false}'
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/generate", body)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return True if answer.status == 200 else None
        except OSError:
            return None

    def find_worker(self):
        return self.process.pid

    def stop(self):
        if self.process is not None:
            stop(self.process)
            self.process = None

    def wait_until_quiet(self):
        """Until it has done all it has to do; a probe of a node's health is no work."""

        def is_quiet():
            before = cpu_ns(self.pid)
            time.sleep(0.2)
            return True if cpu_ns(self.pid) - before < 1_000_000 else None

        wait_until(f"{self.name} is quiet", is_quiet)


class Drover(Gateway):
    name, program, template = "drover", "drover", "drover.yaml.in"
    remedy = "build it first"
    queues = True

    def find(self):
        for path in ("drover", "src/app/drover"):
            if (self.bench.build / path).exists():
                return str(self.bench.build / path)
        return None

    def version(self):
        said = subprocess.run([self.find(), "--version"], capture_output=True, text=True)
        return said.stdout.split()[-1]

    def command(self, config):
        return [self.find(), "serve", "-c", config]


class Nginx(Gateway):
    name, program, template = "nginx", "nginx", "nginx.conf.in"
    remedy = "apt-get install nginx-light"

    def command(self, config):
        return [self.find(), "-p", config.parent, "-e", config.parent / "start.log", "-c", config]

    def find_worker(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[0])


class Haproxy(Gateway):
    name, program, template = "haproxy", "haproxy", "haproxy.cfg.in"
    remedy = "apt-get install haproxy"

    def command(self, config):
        return [self.find(), "-db", "-f", config]


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
            fresh.start(SLOTS=1, QUEUE=2 * WAITING)
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

    def add_gateways(self, names):
        for kind in (Drover, Nginx, Haproxy):
            gateway = kind(self)
            if kind.name not in names:
                continue
            if gateway.find() is None:
                print(f"{kind.name} is not here: {kind.remedy}", file=sys.stderr)
                continue
            self.gateways.append(gateway)
            gateway.start(SLOTS=1000, QUEUE=512)

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


def machine(cpus):
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} CPUs, Linux {platform.release()}; {cpus.words()}"


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


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    for row in rows:
        print("| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |")


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
