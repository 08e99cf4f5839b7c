#!/usr/bin/env python3
"""Reloads under load, beside nginx and HAProxy: how many requests fail by them.

    bench/reloads.py [--build DIR] [--seconds N] [--rate N] [--clients N] [--only NAME,...] [--nice N]

Each gateway in turn stands in front of the same three simulated nodes, and is told --rate times
a second for --seconds to take another configuration: one with other nodes and other weights.
Meanwhile clients ask without a pause: half of them on a new connection for each request, half on
one that is kept as long as the gateway keeps it. A request fails that gets no whole answer of
status 200; where an answer said `Connection: close`, the next request goes to a new connection.

nginx is told by SIGHUP; HAProxy, in its master-worker mode, by SIGUSR2, as their packages do.
drover is told by SIGHUP, and the run fails if it loses a request.
"""

import argparse
import asyncio
import collections
import contextlib
import json
import os
import pathlib
import re
import signal
import sys
import tempfile
import time

from gateways import (
    HERE,
    PATIENCE_S,
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

NODES = 3
TOKENS = 4


class ReloadedDrover(Drover):
    signal = signal.SIGHUP

    def count(self):
        return len(re.findall(r"reload: .*(in force|nothing changed), by", self.said.read_text()))


class ReloadedNginx(Nginx):
    signal = signal.SIGHUP

    def count(self):
        return None


class ReloadedHaproxy(Haproxy):
    signal = signal.SIGUSR2

    def command(self, config):
        return [self.find(), "-W", "-db", "-f", config]

    def count(self):
        return None


# configurations ---


def node_sets(nodes):
    """Nodes come, go, and change their weights."""
    a, b, c = (Node(f"n{i}", node.port) for i, node in enumerate(nodes))
    heavy = Node("n1", nodes[1].port, weight=3)
    return [[a, b], [a, heavy, c], [heavy, c], [c, a], [b]]


def text_of(gateway, nodes, folder):
    values = {
        "PORT": gateway.port,
        "SERVERS": "\n".join(gateway.server(node) for node in nodes),
        "DIR": folder,
        "QUEUE": 512,
        "TLS": "",
    }
    template = (HERE / gateway.template).read_text()
    return re.sub(r"@([A-Z]+)@", lambda m: str(values[m.group(1)]), template)


def replace(path, text):
    fresh = path.with_suffix(".fresh")
    fresh.write_text(text)
    os.replace(fresh, path)


# clients ---


class Clients:
    def __init__(self, port):
        self.port = port
        self.over = False
        self.counts = {"fresh": 0, "kept": 0}
        self.failures = {"fresh": collections.Counter(), "kept": collections.Counter()}
        body = {"model": "bench", "prompt": "x", "options": {"num_predict": TOKENS}}
        text = json.dumps(body).encode()
        head = "POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        self.request = head.encode() + b"Content-Length: %d\r\n\r\n" % len(text) + text

    async def ask(self, reader, writer):
        """Whether the connection can be used again."""
        writer.write(self.request)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        fields = head.lower()
        if b"transfer-encoding: chunked" in fields:
            body = b""
            while size := int(await reader.readuntil(b"\r\n"), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)
        else:
            length = re.search(rb"content-length: (\d+)", fields)
            body = await reader.readexactly(int(length.group(1)))
        if status != 200 or not json.loads(body.splitlines()[-1])["done"]:
            raise Trouble(f"status {status}")
        return b"connection: close" not in fields

    async def run(self, kind):
        writer = None
        while not self.over:
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                self.counts[kind] += 1
                again = await asyncio.wait_for(self.ask(reader, writer), PATIENCE_S)
            except (OSError, EOFError, TimeoutError, Trouble) as e:
                self.failures[kind][str(e) if isinstance(e, Trouble) else type(e).__name__] += 1
                again = False
            if writer is not None and (kind == "fresh" or not again):
                writer.close()
                writer = None
        if writer is not None:
            writer.close()


async def storm(gateway, texts, folder, args):
    """How many reloads were asked for, and the clients."""
    clients = Clients(gateway.port)
    kinds = ["fresh", "kept"] * (args.clients // 2)
    tasks = [asyncio.create_task(clients.run(kind)) for kind in kinds]
    config = folder / gateway.template.removesuffix(".in")
    begun = time.monotonic()
    asked = 0
    while time.monotonic() - begun < args.seconds:
        replace(config, texts[asked % len(texts)])
        os.kill(gateway.process.pid, gateway.signal)
        asked += 1
        await asyncio.sleep(max(0, begun + asked / args.rate - time.monotonic()))
    clients.over = True
    await asyncio.gather(*tasks)
    if gateway.process.poll() is not None:
        raise Trouble(f"{gateway.name} ended:\n{gateway.said.read_text()[-2000:]}")
    return asked, clients


# all of it ---


def measure(bench, gateway, nodes, args):
    sets = node_sets(nodes)
    gateway.start(sets[0], QUEUE=512)
    try:
        folder = gateway.said.parent
        texts = [text_of(gateway, nodes, folder) for nodes in sets]
        asked, clients = asyncio.run(storm(gateway, texts, folder, args))
        return asked, gateway.count(), clients
    finally:
        gateway.stop()


def cells(clients, kind):
    failed = sum(clients.failures[kind].values())
    asked = clients.counts[kind]
    return [f"{asked}", f"{failed}", f"{100 * failed / asked:.3f} %" if asked else ""]


class Bench:
    def __init__(self, build, folder, nice):
        self.build, self.folder, self.nice = build, folder, nice
        self.cpus = Cpus()


def run(args, folder):
    bench = Bench(args.build, folder, args.nice)
    os.sched_setaffinity(0, bench.cpus.ends)
    rows = [["", "reloads", "new connections", "failed", "", "kept", "failed", ""]]
    lost = 0
    with contextlib.ExitStack() as stack:
        nodes = [SimulatedNode(bench, 64, 1, ["bench,tps=2000"]) for _ in range(NODES)]
        for node in nodes:
            stack.callback(node.stop)
        for kind in (ReloadedDrover, ReloadedNginx, ReloadedHaproxy):
            gateway = kind(bench)
            if args.only and kind.name not in args.only.split(","):
                continue
            if gateway.find() is None:
                print(f"{kind.name} is not here: {kind.remedy}", file=sys.stderr)
                continue
            asked, counted, clients = measure(bench, gateway, nodes, args)
            name = f"{gateway.name} {gateway.version()}"
            reloads = f"{asked}" if counted is None else f"{counted} of {asked} asked for"
            rows.append([name, reloads, *cells(clients, "fresh"), *cells(clients, "kept")])
            for kept, failures in clients.failures.items():
                if failures:
                    print(f"{gateway.name}, {kept}: {dict(failures)}", file=sys.stderr)
            if gateway.name == "drover":
                lost = sum(sum(f.values()) for f in clients.failures.values())
    print(f"{args.rate} reloads a second for {args.seconds} s, {args.clients} clients; "
          f"{machine(bench.cpus)}\n")
    print_table(rows)
    return 1 if lost else 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--only")
    parser.add_argument("--nice", type=int, default=0)
    args = parser.parse_args()
    args.build = args.build.resolve()
    with tempfile.TemporaryDirectory(prefix="drover-reloads-") as folder:
        try:
            return run(args, pathlib.Path(folder))
        except Trouble as e:
            print(f"reloads.py: {e}", file=sys.stderr)
            return 1


sys.exit(main())
