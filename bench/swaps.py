#!/usr/bin/env python3
"""Model swaps on the real program: W1 and W2 in small, beside nginx and HAProxy.

    bench/swaps.py [--build DIR] [--work NAME,...] [--only NAME,...] [--rounds N] [--seed N]
                   [--scale X] [--horizon S] [--nice N] [--json FILE] [--results FILE] [--quick]
                   [--check]

The workloads are those of bench/schedsim, with all times divided by --scale: the models'
loads and rates, the time for which requests come. Each gateway stands in front of the same
simulated nodes (drover-node), started anew for each run, and gets the same requests at the same
moments. HAProxy sends a node no more than it has slots (maxconn), nginx all of it at once.
Before a run every node has loaded every model once, as on any day but the first.

Shown are, of each run: how often a model was loaded, how long it took until the last answer, and
how long requests took, by class. A request that was refused, or had no answer when the run was
given up (--patience times the horizon), counts as one that took until then: where there are such,
the real figures are higher. Figures are medians over the rounds, ratios medians of each round's
ratio; times are of this machine's clock, in seconds.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import math
import pathlib
import random
import signal
import statistics
import sys
import tempfile

import results
from gateways import (
    HERE,
    Cpus,
    Drover,
    Haproxy,
    Nginx,
    Node,
    SimulatedNode,
    Trouble,
    machine,
    print_table,
)

WORKLOADS = HERE / "schedsim" / "workloads"
DEFAULTS = {"prompt": ["400", "0.8"], "parallel": ["4"], "max_loaded": ["1"]}
LEAST_HORIZON_S = 1200  # for the patience, where all come at once
CLASSES = ("high", "normal", "low")


# what is asked --------------------------------------------------------------------------------


@dataclasses.dataclass
class Ask:
    at_s: float
    model: str
    klass: str
    key: int  # who asks
    prompt: int  # tokens
    output: int


class Workload:
    """A file of bench/schedsim with one stream of requests, in small."""

    def __init__(self, name, scale, horizon_s):
        self.name, self.scale = name, scale
        self.nodes, self.models, self.lines = [], [], dict(DEFAULTS)
        for line in (WORKLOADS / f"{name}.conf").read_text().splitlines():
            words = line.split("#")[0].split()
            if not words:
                continue
            {"node": self.nodes, "model": self.models}.get(words[0], []).append(words[1:])
            self.lines[words[0]] = words[1:]
        self.horizon_s = min(horizon_s, float(self.lines["horizon"][0])) / scale
        self.parallel = int(self.lines["parallel"][0])
        self.max_loaded = int(self.lines["max_loaded"][0])

    def rates(self):
        """The highest is where it matters; requests a second of this machine's clock."""
        return max(map(float, self.lines.get("rates", ["0"]))) * self.scale

    def moments(self, rng):
        if "every" in self.lines:
            every_s, count = self.lines["every"]
            yield from (i * float(every_s) / self.scale for i in range(int(count)))
            return
        at_s = rng.expovariate(self.rates())
        while at_s < self.horizon_s:
            yield at_s
            at_s += rng.expovariate(self.rates())

    def pick(self, rng, line):
        words = self.lines[line]
        return rng.choices(words[0::2], map(float, words[1::2]))[0]

    def asks(self, seed):
        rng = random.Random(f"{self.name} {seed}")
        mean, sigma = map(float, self.lines["prompt"])
        outputs = dict(zip(*[iter(self.lines.get("output", []))] * 2))
        keys = int(self.lines["keys"][1])

        def tokens(mean):
            return max(1, round(rng.lognormvariate(math.log(mean) - sigma * sigma / 2, sigma)))

        for i, at_s in enumerate(self.moments(rng)):
            turns = self.lines.get("alternate")
            klass = self.pick(rng, "classes")
            yield Ask(
                at_s=at_s,
                model=turns[i % len(turns)] if turns else self.pick(rng, "models"),
                klass=klass,
                key=i % keys if turns else rng.randrange(keys),
                prompt=tokens(mean),
                output=tokens(float(outputs.get(klass, 220))),
            )


# the nodes ------------------------------------------------------------------------------------


def node_of(bench, work, name, weight, speed):
    """For one run; `speed` is that of its answers, not of its loads."""
    rate, models = float(speed) * work.scale, []
    for model, load, decode, prefill in work.models:
        parts = f"load={round(float(load) * 1000 / work.scale)}ms"
        parts += f",tps={float(decode) * rate:.0f},prefill={float(prefill) * rate:.0f}"
        models.append(f"{model},{parts}")
    node = SimulatedNode(bench, work.parallel, work.max_loaded, models)
    node.name, node.weight = name, int(weight)
    return node


# one run --------------------------------------------------------------------------------------


async def ask(port, a, key, more=""):
    """The status of the whole answer; None: it broke off."""
    prompt = f"tokens:{a.output} " + "word" * a.prompt
    body = json.dumps({"model": a.model, "prompt": prompt, "stream": False}).encode()
    head = f"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nX-Drover-Priority: {a.klass}\r\n"
    head += f"{more}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=(f"127.0.1.{key + 1}", 0)
        )
        with contextlib.closing(writer):
            writer.write(head.encode() + body)
            said = await reader.read()
            whole = said.rstrip().endswith(b"}") or said.endswith(b"0\r\n\r\n")
            return int(said.split(b" ", 2)[1]) if whole else None
    except (OSError, IndexError, ValueError):
        return None


async def warm(gateway, nodes, work):
    """Every model once on every node: both sides know then what a load takes."""
    for node in nodes:
        for model, *_ in work.models:
            once = Ask(0, model, "normal", 0, 1, 1)
            direct = gateway.name != "drover"
            port, more = (node.port, "") if direct else (gateway.port, "X-Drover-Backend: %s\r\n")
            status = await ask(port, once, 0, more.replace("%s", node.name))
            if status != 200:
                raise Trouble(f"{gateway.name}: warming {model} on {node.name}: {status}")


async def drive(port, asks, patience_s):
    """How long each ask took, in their order; None where it was not answered with 200."""
    loop = asyncio.get_running_loop()
    took = [None] * len(asks)
    began = loop.time()

    async def one(i, a):
        await asyncio.sleep(began + a.at_s - loop.time())
        if await ask(port, a, a.key) == 200:
            took[i] = loop.time() - began - a.at_s

    tasks = [asyncio.ensure_future(one(i, a)) for i, a in enumerate(asks)]
    _, late = await asyncio.wait(tasks, timeout=patience_s)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return took, patience_s if late else loop.time() - began


def percentile(figures, share):
    """Of the nearest rank."""
    return sorted(figures)[math.ceil(share * len(figures)) - 1]


async def run(bench, gateway, work, seed):
    nodes = []
    asks = list(work.asks(seed))
    try:
        for name, weight, speed in work.nodes:
            nodes.append(node_of(bench, work, name, weight, speed))
        told = [Node(n.name, n.port, n.weight, work.parallel, work.max_loaded) for n in nodes]
        gateway.start(told, QUEUE=len(asks))
        await warm(gateway, nodes, work)
        before = sum(node.loads() for node in nodes)
        patience_s = bench.patience * max(work.horizon_s, LEAST_HORIZON_S / work.scale)
        took, makespan_s = await drive(gateway.port, asks, patience_s)
        result = {"loads": sum(node.loads() for node in nodes) - before, "makespan": makespan_s}
    finally:
        gateway.stop()
        for node in nodes:
            node.stop()
    result["unanswered"] = took.count(None)
    took = [patience_s - a.at_s if t is None else t for t, a in zip(took, asks, strict=True)]
    result["mean"] = statistics.fmean(took)
    for klass in CLASSES:
        of_it = [t for t, a in zip(took, asks, strict=True) if a.klass == klass]
        if of_it:
            result[f"p95 {klass}"] = percentile(of_it, 0.95)
    return result


# the comparison -------------------------------------------------------------------------------


def words(figures):
    mid = statistics.median(figures)
    return f"{mid:.0f}" if isinstance(figures[0], int) else f"{mid:.2f}"


def ratio(ours, theirs):
    if not all(theirs):
        return ""
    return f"{statistics.median(a / b for a, b in zip(ours, theirs, strict=True)):.2f}"


def head_of_table(names):
    peers = [name for name in names if name != "drover"] if "drover" in names else []
    return peers, ["", *names, *[f"drover/{peer}" for peer in peers]]


def rows_of(names, peers, found):
    for figure in found[names[0]][0]:
        row = {name: [result[figure] for result in found[name]] for name in names}
        unit = "" if figure in ("loads", "unanswered") else " s"
        cells = [figure + unit, *[words(row[name]) for name in names]]
        yield cells + [ratio(row["drover"], row[peer]) for peer in peers]


@dataclasses.dataclass
class Bench:
    build: pathlib.Path
    folder: pathlib.Path
    nice: int
    patience: float
    cpus: Cpus


async def rounds_of(bench, gateways, work, args):
    found = {gateway.name: [] for gateway in gateways}
    for number in range(args.rounds):
        turn = number % len(gateways)
        for gateway in gateways[turn:] + gateways[:turn]:
            found[gateway.name].append(await run(bench, gateway, work, args.seed + number))
            print(".", end="", file=sys.stderr, flush=True)
    return found


async def compare(bench, args):
    gateways = [kind(bench) for kind in (Drover, Nginx, Haproxy) if kind.name in args.only]
    for gateway in [g for g in gateways if g.find() is None]:
        print(f"{gateway.name} is not here: {gateway.remedy}", file=sys.stderr)
        gateways.remove(gateway)
    names = [g.name for g in gateways]
    versions = ", ".join(f"{g.name} {g.version()}" for g in gateways)
    said = [
        f"{versions}; {machine(bench.cpus)}",
        f"1 s here is {args.scale:g} s of the workload; medians of {args.rounds} rounds from seed "
        f"{args.seed}; who was not answered within {args.patience:g} times the horizon counts as "
        "answered then",
    ]
    print("\n".join(said))
    peers, head = head_of_table(names)
    raw, table = {}, [head]
    for name in args.work:
        work = Workload(name, args.scale, args.horizon)
        found = await rounds_of(bench, gateways, work, args)
        asked = f"{len(list(work.asks(args.seed)))} requests"
        if work.rates():
            asked += f", {work.rates():.1f} a second for {work.horizon_s:.0f} s"
        print(f"\n{work.name}: {asked}")
        rows = list(rows_of(names, peers, found))
        print_table([head, *rows])
        table += [[f"{work.name}: {asked}", *[""] * (len(head) - 1)], *rows]
        raw[name] = found
    if args.json:
        args.json.write_text(json.dumps(raw, indent=1) + "\n")
    if args.results:
        results.write(args.results, "Model swaps", "make bench-swaps", said, table)
    return raw


def main():
    names = ["drover", "nginx", "haproxy"]
    kinds = ["W1", "W2", "W2-batch"]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build")
    parser.add_argument("--work", type=lambda s: s.split(","), default=kinds, help=",".join(kinds))
    parser.add_argument("--only", type=lambda s: s.split(","), default=names, help=",".join(names))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=101)
    parser.add_argument("--scale", type=float, default=100)
    parser.add_argument("--horizon", type=float, default=3600, help="s of the workload")
    parser.add_argument("--patience", type=float, default=4, help="times the horizon")
    parser.add_argument("--nice", type=int, default=0, help="below 0 where the machine is busy")
    parser.add_argument("--json", type=pathlib.Path, help="the figures of all rounds go there")
    parser.add_argument("--results", type=pathlib.Path, help="the page whose part is written anew")
    parser.add_argument("--quick", action="store_true", help="a sixth of the time, one round")
    parser.add_argument("--check", action="store_true", help="exit 1 if drover left one unanswered")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.horizon = 1, args.horizon / 6
    args.build = args.build.resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="drover-swaps-") as folder:
        bench = Bench(args.build, pathlib.Path(folder), args.nice, args.patience, Cpus())
        raw = asyncio.run(compare(bench, args))
    rounds = [result for results in raw.values() for result in results.get("drover", [])]
    return 1 if args.check and any(result["unanswered"] for result in rounds) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        print(f"swaps: {trouble}", file=sys.stderr)
        sys.exit(1)
