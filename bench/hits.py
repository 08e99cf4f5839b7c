#!/usr/bin/env python3
"""Hits of drover's cache beside those of nginx's proxy_cache, in one run, on this machine.

    bench/hits.py [--build DIR] [--rounds N] [--requests N] [--rate N] [--check]

nginx keeps answers to POST by method, URI and body, in memory (its files on a tmpfs, if there is
one); drover by what the request means. Bodies are of 1 KiB. Measured are the CPU time of the
gateway's process for each hit (/proc/PID/task/*/schedstat), median of interleaved rounds, and the
latency at a steady rate, from the time at which each request was to be sent.
--check: ends with 1 unless drover takes at most 0.6 of nginx's CPU and its p99 is below 1 ms.
"""

import argparse
import contextlib
import json
import pathlib
import selectors
import socket
import statistics
import sys
import tempfile
import time

from gateways import Cpus, Drover, Nginx, Node, Trouble, cpu_ns, machine, print_table, start, stop
from gateways import free_port, wait_until

CONNECTIONS = 16
PROMPTS = 100
BODY_BYTES = 1024
MOST_CPU = 0.6
MOST_P99_MS = 1.0


class Missing(Trouble):
    """A program is not here: that is no failure of drover."""


class CachingNginx(Nginx):
    template = "nginx-cache.conf.in"


def bodies():
    """Of 1 KiB each; the prompt is what is cut."""
    for number in range(PROMPTS):
        head = '{"model":"bench","stream":false,"options":{"seed":%d,"num_predict":100},"prompt":"'
        text = head % number
        yield (text + "word " * 300)[: BODY_BYTES - 2].encode() + b'"}'


def requests():
    return [
        b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        for body in bodies()
    ]


class Client:
    """A kept-alive connection; answers have a length or are chunked."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got = b""
        self.due = None

    def send(self, request, due=None):
        self.due = due
        self.socket.sendall(request)

    def is_whole(self):
        head, mark, body = self.got.partition(b"\r\n\r\n")
        if not mark:
            return False
        head = head.lower()
        if b"content-length: " in head:
            length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            return len(body) >= length
        return body.endswith(b"0\r\n\r\n")

    def receive(self):
        """True once the answer is there."""
        piece = self.socket.recv(65536)
        if not piece:
            raise Trouble("a gateway closed its connection")
        self.got += piece
        return self.is_whole()

    def take(self):
        answer, self.got = self.got, b""
        head = answer.partition(b"\r\n\r\n")[0]
        if not head.startswith(b"HTTP/1.1 200"):
            raise Trouble(f"no answer: {head[:200]!r}")
        return head.lower()

    def ask(self, request):
        self.send(request)
        while not self.receive():
            pass
        return self.take()


def is_hit(head):
    return b"x-drover-cache: hit" in head or b"x-cache: hit" in head


def fill(gateway):
    client = Client(gateway.port)
    for request in requests():
        client.ask(request)
        if not is_hit(client.ask(request)):
            raise Trouble(f"{gateway.name} does not keep what it was asked")


def cpu_of_hits(gateway, count):
    """In microseconds each."""
    clients = [Client(gateway.port) for _ in range(CONNECTIONS)]
    wanted = requests()
    before = cpu_ns(gateway.pid)
    for i in range(0, count, CONNECTIONS):
        for k, client in enumerate(clients):
            client.send(wanted[(i + k) % PROMPTS])
        for client in clients:
            while not client.receive():
                pass
            if not is_hit(client.take()):
                raise Trouble(f"{gateway.name} asked its node again")
    return (cpu_ns(gateway.pid) - before) / count / 1000


def latencies(gateway, count, rate):
    """In milliseconds, from when each was to be sent."""
    wanted, found = requests(), []
    clients = [Client(gateway.port) for _ in range(4 * CONNECTIONS)]
    idle, sent = clients[:], 0
    with contextlib.closing(selectors.DefaultSelector()) as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        begin = time.perf_counter()
        while len(found) < count:
            now = time.perf_counter()
            while sent < count and idle and begin + sent / rate <= now:
                idle.pop().send(wanted[sent % PROMPTS], begin + sent / rate)
                sent += 1
            wait = max(0, begin + sent / rate - time.perf_counter()) if sent < count else None
            for key, _ in selector.select(min(wait, 0.0002) if wait is not None else None):
                client = key.data
                if client.receive():
                    client.take()
                    found.append((time.perf_counter() - client.due) * 1000)
                    idle.append(client)
    return found


class Bench:
    def __init__(self, arguments, folder):
        self.build = arguments.build
        self.folder = folder
        self.cpus = Cpus()
        self.nice = 0


def serve_node(bench):
    port = free_port()
    binary = next(bench.build.glob("src/*/drover-node"))
    command = [binary, "--listen", f"127.0.0.1:{port}", "--model", "bench,tps=100000"]
    log = (bench.folder / "node.log").open("w")
    process = start(command + ["--parallel", 8], bench.cpus.ends, 0, stdout=log, stderr=log)

    def answers():
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port))

    wait_until("the node serves", answers).close()
    return process, port


def run(arguments, folder):
    bench = Bench(arguments, folder)
    gateways = [Drover(bench), CachingNginx(bench)]
    for gateway in gateways:
        if gateway.find() is None:
            raise Missing(f"no {gateway.name}: {gateway.remedy}")
    cpu = {g.name: [] for g in gateways}
    late = {g.name: [] for g in gateways}
    node, port = serve_node(bench)
    try:
        for gateway in gateways:
            gateway.start([Node("node", port, parallel=8)], QUEUE=512)
            fill(gateway)
        for i in range(arguments.rounds):
            for gateway in gateways if i % 2 == 0 else gateways[::-1]:
                cpu[gateway.name].append(cpu_of_hits(gateway, arguments.requests))
        for gateway in gateways:
            late[gateway.name] = sorted(latencies(gateway, arguments.requests, arguments.rate))
    finally:
        for gateway in gateways:
            gateway.stop()
        stop(node)
    return report(bench, arguments, gateways, cpu, late)


def report(bench, arguments, gateways, cpu, late):
    ratio = statistics.median(d / n for d, n in zip(cpu["drover"], cpu["nginx"]))
    rows = [["", "CPU a hit", f"p50 at {arguments.rate}/s", "p99"]]
    for gateway in gateways:
        times = late[gateway.name]
        rows.append(
            [
                f"{gateway.name} {gateway.version()}",
                f"{statistics.median(cpu[gateway.name]):.1f} us",
                f"{times[len(times) // 2]:.3f} ms",
                f"{times[len(times) * 99 // 100]:.3f} ms",
            ]
        )
    print(machine(bench.cpus))
    print_table(rows)
    p99 = late["drover"][len(late["drover"]) * 99 // 100]
    print(f"drover / nginx: {ratio:.2f} of the CPU")
    return ratio <= MOST_CPU and p99 < MOST_P99_MS


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=10000)
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    shm = pathlib.Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None) as folder:
        try:
            good = run(arguments, pathlib.Path(folder))
        except Missing as missing:
            print(f"hits.py: {missing}")
            return 77
        except Trouble as trouble:
            sys.exit(f"hits.py: {trouble}")
    return 0 if good or not arguments.check else 1


if __name__ == "__main__":
    sys.exit(main())
