"""What compare.py measures: each work has rows of the table, and measures one gateway at a time.

A row's bound is a share of a peer ("nginx"), of the better of both ("best"), or a figure (None).
"""

import dataclasses
import json
import subprocess
import sys

from gateways import (
    CachingNginx,
    Nginx,
    Node,
    SimulatedNode,
    Trouble,
    cpu_ns,
    resident_mib,
    start,
    wait_until,
)

LIMIT_S = 120  # of one run of bench-load
TRIES = 4
WAITING = 1000
IDLE = 10000
BODIES = 100
BODY_BYTES = 1024
RATE = 5000


@dataclasses.dataclass
class Row:
    key: str
    title: str
    peer: str = None  # whose share the bound is
    bound: float = None
    digits: int = 3


# the client's end ---------------------------------------------------------------------------


class Load:
    """One run of bench-load."""

    def __init__(self, bench, mode, port, **options):
        command = [bench.build / "bench/bench-load", mode, "--port", port]
        for name, value in {"seconds": LIMIT_S, **options}.items():
            command += ["--" + name.replace("_", "-"), *([] if value is True else [value])]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = start(command, bench.cpus.ends, bench.nice, **pipes)

    def wait_until_ready(self):
        if self.process.stdout.readline() != "ready\n":
            raise Trouble("bench-load ended before its time")

    def result(self):
        """Waits for its end, which it reaches by itself."""
        said = self.process.stdout.read()
        self.process.stdin.close()
        self.process.wait()
        return json.loads(said.splitlines()[-1])

    def give_up(self):
        self.process.stdin.close()
        return self.result()


def run_load(bench, mode, name, port, **options):
    result = Load(bench, mode, port, **options).result()
    if result["failed"] or result["pending"]:
        raise Trouble(f"{name}: {mode}: {result}")
    return result


class Work:
    def suits(self, _kind):
        """Whether gateways of this class can do it at all."""
        return True


# CPU time -----------------------------------------------------------------------------------


class CpuWork(Work):
    """Work whose price is the CPU time of the gateway, `per` so many of the `count` it does."""

    def __init__(self, row, mode, count, per, **options):
        self.rows, self.mode = [row], mode
        self.count, self.per, self.options = count, per, options

    def measure(self, bench, gateway):
        """Again, where the machine was too busy for the pace: what piles up is cheaper."""
        for _ in range(TRIES):
            figures, facts = self.measure_once(bench, gateway)
            if not self.is_late(facts):
                return figures, facts
        print(f"\n{gateway.name}, {self.rows[0].key}: behind its pace: {facts}", file=sys.stderr)
        return figures, facts

    def is_late(self, facts):
        pace = self.options.get("pace", 0)
        nominal_s = self.options.get("tokens", 0) * pace / 1000
        return pace > 0 and (facts["seconds"] > 1.2 * nominal_s or facts["lines a read"] > 1.2)

    def measure_once(self, bench, gateway):
        before = cpu_ns(gateway.pid)
        result = run_load(bench, self.mode, gateway.name, gateway.port, **self.options)
        spent_s = (cpu_ns(gateway.pid) - before) / 1e9
        facts = {"seconds": result["seconds"], "busy": spent_s / result["seconds"]}
        if self.mode == "stream":
            facts["lines a read"] = result["lines"] / result["reads"]
        return {self.rows[0].key: spent_s * self.per / self.count}, facts


# the cache ----------------------------------------------------------------------------------


class HitWork(Work):
    """Answers from the cache of a gateway: CPU time, and latency at a steady rate."""

    def __init__(self, requests):
        self.requests = requests
        self.options = {"connections": 16, "bodies": BODIES, "body_bytes": BODY_BYTES}
        self.rows = [
            Row("hit", "cached hit of 1 KiB, CPU s per 10,000", "nginx", 0.6),
            Row("hit p50", f"cached hits at {RATE}/s, p50 µs", digits=0),
            Row("hit p99", f"cached hits at {RATE}/s, p99 µs", None, 1000, digits=0),
        ]

    def suits(self, kind):
        return kind.caches

    def measure(self, bench, gateway):
        if isinstance(gateway, Nginx):  # what passes streams through undelayed keeps no answers
            caching = CachingNginx(bench)
            caching.start([bench.node(None)], QUEUE=512)
            try:
                return self.measure_hits(bench, caching)
            finally:
                caching.stop()
        return self.measure_hits(bench, gateway)

    def hits(self, bench, gateway, requests, **options):
        options = {**self.options, **options}
        return run_load(
            bench, "hit", gateway.name, gateway.port, requests=requests, **options
        )

    def measure_hits(self, bench, gateway):
        self.hits(bench, gateway, BODIES)
        before = cpu_ns(gateway.pid)
        result = self.hits(bench, gateway, self.requests)
        spent_s = (cpu_ns(gateway.pid) - before) / 1e9
        if result["hits"] != self.requests:
            raise Trouble(f"{gateway.name} asked its node again: {result}")
        paced = self.hits(bench, gateway, self.requests, rate=RATE)
        return {
            "hit": spent_s * 10000 / self.requests,
            "hit p50": paced["p50_us"],
            "hit p99": paced["p99_us"],
        }, {}


# latency ------------------------------------------------------------------------------------


class LatencyWork(Work):
    """What a gateway adds to the latency of small requests, over asking the node directly."""

    def __init__(self, requests):
        self.options = {"connections": 64, "requests": requests, "rate": RATE}
        self.rows = [
            Row("added p50", f"added to small JSON at {RATE}/s, p50 µs", None, 50, digits=0),
            Row("added p99", f"added to small JSON at {RATE}/s, p99 µs", None, 300, digits=0),
        ]

    def measure(self, bench, gateway):
        direct = run_load(bench, "json", "direct", bench.origin.port, **self.options)
        through = run_load(bench, "json", gateway.name, gateway.port, **self.options)
        facts = {"direct p50 µs": direct["p50_us"], "direct p99 µs": direct["p99_us"]}
        return {
            "added p50": through["p50_us"] - direct["p50_us"],
            "added p99": through["p99_us"] - direct["p99_us"],
        }, facts


# memory -------------------------------------------------------------------------------------


class MemoryWork(Work):
    """Resident memory of a gateway that was just started, and what connections add to it."""

    rows = [
        Row("start", "resident at start, MiB", None, 10, digits=1),
        Row("idle", f"each of {IDLE} idle connections, KiB", None, 6, digits=1),
        Row("waiting", f"each of {WAITING} waiting requests of 1 KiB, KiB", None, 10, digits=1),
    ]

    def measure(self, bench, gateway):
        fresh = type(gateway)(bench)
        start_mib, idle_mib = self.with_fresh(bench, fresh, self.measure_idle)
        before_mib, waiting_mib = self.with_fresh(bench, fresh, self.measure_waiting)
        return {
            "start": start_mib,
            "idle": (idle_mib - start_mib) * 1024 / IDLE,
            "waiting": (waiting_mib - before_mib) * 1024 / WAITING,
        }, {}

    def with_fresh(self, bench, fresh, measure):
        """Resident memory at the start and at the time of `measure`."""
        fresh.start([bench.node(1 if fresh.queues else None)], QUEUE=2 * WAITING)
        try:
            fresh.wait_until_quiet()
            return resident_mib(fresh.pid), measure(bench, fresh)
        finally:
            fresh.stop()

    def measure_idle(self, bench, fresh):
        load = Load(bench, "idle", fresh.port, connections=IDLE)
        load.wait_until_ready()
        fresh.wait_until_quiet()
        mib = resident_mib(fresh.pid)
        result = load.give_up()
        if result["completed"] != IDLE:
            raise Trouble(f"{fresh.name}: not all are idle: {result}")
        return mib

    def measure_waiting(self, bench, fresh):
        """With as many, and the one that they wait for; a peer passes all of them on."""
        load = Load(bench, "hold", fresh.port, connections=WAITING + 1, body_bytes=1024)
        load.wait_until_ready()
        fresh.wait_until_quiet()
        held = bench.origin.held()
        mib = resident_mib(fresh.pid)
        result = load.give_up()
        if result["pending"] != WAITING + 1:
            raise Trouble(f"{fresh.name}: not all waited: {result}")
        if held != (1 if fresh.queues else WAITING + 1):
            raise Trouble(f"{fresh.name}: {held} requests were at the node")
        wait_until("the node is free again", lambda: True if bench.origin.held() == 0 else None)
        return mib


# TLS ----------------------------------------------------------------------------------------


class TlsWork(Work):
    """Connections by TLS: what they cost to make, to keep, and to use."""

    def __init__(self, idle, requests):
        self.idle, self.requests = idle, requests
        self.rows = [
            Row("shake", "a handshake and one request by TLS, CPU ms"),
            Row("idle", f"each of {idle} idle connections by TLS, KiB", None, 20, digits=1),
            Row("json", "small JSON by TLS, CPU s per 10,000 requests"),
        ]

    def measure(self, bench, gateway):
        fresh = type(gateway)(bench)
        fresh.start([bench.node(None)], bench.sealed, QUEUE=512)
        try:
            fresh.wait_until_quiet()
            return {**self.measure_idle(bench, fresh), **self.measure_json(bench, fresh)}, {}
        finally:
            fresh.stop()

    def measure_idle(self, bench, fresh):
        start_mib, start_ns = resident_mib(fresh.pid), cpu_ns(fresh.pid)
        load = Load(bench, "idle", fresh.port, connections=self.idle, tls=True)
        load.wait_until_ready()
        shaken_ns = cpu_ns(fresh.pid)
        fresh.wait_until_quiet()
        mib = resident_mib(fresh.pid)
        result = load.give_up()
        if result["completed"] != self.idle:
            raise Trouble(f"{fresh.name}: not all are idle: {result}")
        return {
            "shake": (shaken_ns - start_ns) / 1e6 / self.idle,
            "idle": (mib - start_mib) * 1024 / self.idle,
        }

    def measure_json(self, bench, fresh):
        fresh.wait_until_quiet()
        options = {"connections": 32, "requests": self.requests, "tls": True}
        before_ns = cpu_ns(fresh.pid)
        run_load(bench, "json", fresh.name, fresh.port, **options)
        return {"json": (cpu_ns(fresh.pid) - before_ns) / 1e9 * 10000 / self.requests}


# overload -----------------------------------------------------------------------------------


class OverloadWork(Work):
    """Twice as much as a node can do, a tenth of it urgent, measured by drover-bench."""

    SLOTS = 4
    TOKENS = 20
    TOKENS_A_SECOND = 1000
    SLO_MS = 500

    def __init__(self, requests):
        self.requests = requests
        self.rate = 2 * self.SLOTS * self.TOKENS_A_SECOND // self.TOKENS
        self.rows = [
            Row("urgent", f"twice too much ({self.rate}/s): urgent ones, p95 ms", digits=0),
            Row("others", "the other nine tenths, p95 ms", digits=0),
            Row("goodput", f"urgent ones answered within {self.SLO_MS} ms, %", digits=0),
        ]

    def measure(self, bench, gateway):
        node = SimulatedNode(bench, self.SLOTS, 1, [f"bench,load=1ms,tps={self.TOKENS_A_SECOND}"])
        fresh = type(gateway)(bench)
        try:
            fresh.start([Node("node", node.port, parallel=self.SLOTS)], QUEUE=2 * self.requests)
            return self.drive(bench, fresh.port), {}
        finally:
            fresh.stop()
            node.stop()

    def drive(self, bench, port):
        command = [bench.build / "src/load/drover-bench", "--url", f"http://127.0.0.1:{port}"]
        command += ["--model", "bench", "--prompt", f"tokens:{self.TOKENS}", "--output", "json"]
        command += ["--requests", self.requests, "--concurrency", self.requests, "--warmup", 1]
        command += ["--rate", self.rate, "--arrival", "constant", "--slo", f"e2e={self.SLO_MS}ms"]
        command += ["--priority", "high=1", "--priority", "low=9"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        process = start(command, bench.cpus.ends, bench.nice, **pipes)
        said = json.loads(process.communicate(timeout=LIMIT_S)[0])
        groups = {group["name"]: group for group in said["groups"]}
        high, low = groups["high"], groups["low"]
        if said["failed"]:
            raise Trouble(f"some had no answer: {said['errors']}")
        share = high["request_goodput"] / high["request_throughput"]
        return {
            "urgent": high["p95_e2el_ms"],
            "others": low["p95_e2el_ms"],
            "goodput": share * 100,
        }


# all of them --------------------------------------------------------------------------------


def all_works(quick):
    share = 10 if quick else 1
    requests, paced, slow, undelayed = 40000 // share, 500 // share, 50 // share, 500000 // share
    streams = "CPU s per 100,000 tokens"
    return {
        "json": CpuWork(
            Row("json", "small JSON, CPU s per 10,000 requests", "best", 1.0),
            *("json", requests, 10000),
            connections=32,
            requests=requests,
        ),
        "paced": CpuWork(
            Row("paced", f"200 streams, a token each 5 ms, {streams}", "best", 0.85),
            *("stream", 200 * paced, 100000),
            connections=200,
            tokens=paced,
            pace=5,
        ),
        "slow": CpuWork(
            Row("slow", f"1,000 streams, a token each 50 ms, {streams}", "best", 0.85),
            *("stream", 1000 * slow, 100000),
            connections=1000,
            tokens=slow,
            pace=50,
        ),
        "undelayed": CpuWork(
            Row("undelayed", f"4 undelayed streams, {streams}", "haproxy", 1.0),
            *("stream", 4 * undelayed, 100000),
            connections=4,
            tokens=undelayed,
        ),
        "hit": HitWork(requests),
        "latency": LatencyWork(requests // 4),
        "memory": MemoryWork(),
        "tls": TlsWork(2000, requests),
        "overload": OverloadWork(requests // 100),
    }
