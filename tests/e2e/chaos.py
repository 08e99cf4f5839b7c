#!/usr/bin/env python3
"""Everything that can go wrong, at once and by chance, on the real programs; then the books.

    chaos.py [--build build] [--seconds 600] [--seed N] [--clients 24]

Clients of all kinds (some leave while they wait, some in mid-stream, by FIN or RST, some read
slowly) ask a gateway in front of three nodes. Meanwhile nodes are killed, stopped and started
again, break down in the middle of answers, are drained; the gateway is told another configuration,
a broken one too, its cache is purged, models are warmed, requests cancelled.

Then everything is healed, and what clients saw, the access log of the gateway and the logs of the
nodes are laid side by side, request by request: each one ended once, in one way that all agree on;
none ran twice, none that was answered did not run; no slot, no connection, no descriptor is left.

The seed decides what every client asks for and what is done to the programs and when; it is
printed, and repeats the plan. What meets what is up to the machine.
"""

import argparse
import collections
import dataclasses
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time

from harness import later, wire
from harness.program import LIMIT_S, SANITIZER_REPORT, Program

NODES = 3
PARALLEL = 4
MODELS = ["a:1", "b:1", "c:1"]
ID = "X-Chaos"  # the gateway's own ids do not reach nodes; other headers do
SETTINGS = {
    "listen": ["127.0.0.1:0"],
    "admin": "127.0.0.1:0",
    "state": "none",
    "queue": {"size": 32, "max_wait": "4s"},
    "timeouts": {"connect": "1s", "first_byte": "3s", "idle": "2s", "load": "3s"},
    "health": {"interval": "200ms", "timeout": "1s"},
    "breaker": {"failures": 10, "window": "2s", "open": "100ms", "max_open": "500ms"},
    "retry": {"budget": 0.5},
    "log": {"format": "json", "level": "info"},
}
FAULTS = [
    {"kind": "busy"},
    {"kind": "status", "status": 500},
    {"kind": "close"},
    {"kind": "reset"},
    {"kind": "close", "after_tokens": 2},
    {"kind": "reset", "after_tokens": 3},
    {"kind": "hang"},
    {"kind": "hang", "after_tokens": 2},
    {"kind": "garbage"},
    {"kind": "two_lengths"},
    {"kind": "wrong_length"},
    {"kind": "truncated_chunk"},
    {"kind": "slow", "interval_ms": 2},
    {"kind": "error"},
    {"kind": "no_done"},
]
# Rarely: what could not be loaded is not tried again for a while, and refused until then.
LOAD_FAULTS = [
    {"kind": "status", "status": 500, "route": "load"},
    {"kind": "close", "route": "load"},
]
# What a client does, and how often in a hundred.
MANNERS = {
    "stays": 62,
    "leaves before the head, by FIN": 6,
    "leaves before the head, by RST": 6,
    "leaves in mid-stream, by FIN": 8,
    "leaves in mid-stream, by RST": 8,
    "reads slowly": 10,
}
# What is done to the programs, and how often in a hundred.
ACTS = {
    "fault": 33,
    "load fault": 1,
    "kill": 8,
    "stop": 10,
    "drain": 10,
    "reload": 12,
    "broken reload": 4,
    "purge": 6,
    "warm": 8,
    "cancel": 8,
}

# How the log may call the end of what a client saw so.
ENDS = {
    "whole 200": {"done"},
    "whole 403": {"refused"},
    "whole 404": {"refused", "done"},
    "whole 500": {"done", "backend error"},
    "whole 502": {"backend error"},
    "whole 503": {"refused", "done", "backend error"},
    "whole 504": {"deadline"},
    "cut": {"backend error", "refused", "deadline"},
    # Who leaves may be too late.
    "left": {"client gone", "done", "refused", "backend error", "deadline"},
}


def pause(seconds):
    """Time is a part of the plan here: nothing is waited for."""
    threading.Event().wait(seconds)


def draw(rng, table):
    return rng.choices(list(table), weights=list(table.values()))[0]


# The plan


@dataclasses.dataclass
class Wish:
    """One request of a client."""

    id: str
    path: str
    body: dict
    manner: str
    priority: str
    patience_s: float  # until it leaves, where it leaves before the head
    pieces: int  # that it reads before it leaves


def wishes(seed, client):
    """The requests of one client, without end."""
    rng = random.Random(f"{seed}-client-{client}")
    number = 0
    while True:
        number += 1
        name = f"c{client}-{number}"
        prompt = f"tokens:{rng.choice([1, 4, 8, 8, 16, 40])} {name}"
        body = {"model": rng.choice(MODELS), "stream": rng.random() < 0.75}
        if rng.random() < 0.15:  # may be shared or kept
            prompt = f"tokens:8 shared {rng.randrange(40)}"
            body["options"] = {"temperature": 0}
        path = rng.choice(["/api/generate", "/api/chat", "/v1/chat/completions"])
        if path == "/api/generate":
            body["prompt"] = prompt
        else:
            body["messages"] = [{"role": "user", "content": prompt}]
        yield Wish(
            name,
            path,
            body,
            draw(rng, MANNERS),
            rng.choice(["high", "normal", "low"]),
            rng.choice([0, 0, 0.002, 0.02, 0.1]),
            rng.randint(1, 4),
        )


def acts(seed):
    """(seconds to wait before, what, for whom, more) without end."""
    rng = random.Random(f"{seed}-acts")
    while True:
        act = draw(rng, ACTS)
        more = {
            "fault": lambda: {**rng.choice(FAULTS), "count": rng.randint(1, 3)},
            "load fault": lambda: rng.choice(LOAD_FAULTS),
            "kill": lambda: rng.choice([0.05, 0.3, 1.5]),
            "stop": lambda: rng.choice([0.02, 0.3, 1.5, 4]),
            "drain": lambda: rng.choice([0.05, 0.5, 2]),
            "reload": lambda: {
                "weights": [rng.randint(1, 4) for _ in range(NODES)],
                "size": rng.choice([4, 16, 32, 64]),
                "nodes": rng.choice([NODES, NODES, NODES - 1]),
                "by": rng.choice(["SIGHUP", "POST"]),
                "wait_s": rng.choice([0, 0.1, 0.5]),
            },
            "broken reload": lambda: rng.choice(["queue: {size: -1}", "{", "no_such_key: 1"]),
            "purge": lambda: rng.choice([{}, {"model": rng.choice(MODELS)}]),
            "warm": lambda: rng.choice(MODELS),
            "cancel": rng.random,
        }[act]()
        yield rng.uniform(0.01, 0.2), act, rng.randrange(NODES), more


def plan_digest(seed, clients):
    """Equal for equal plans."""
    found = hashlib.sha256()
    for client in range(clients):
        for wish, _ in zip(wishes(seed, client), range(200)):
            found.update(repr(wish).encode())
    for act, _ in zip(acts(seed), range(2000)):
        found.update(repr(act).encode())
    return found.hexdigest()[:16]


# The programs


class NodeSeat:
    """A node at an address, through all of its lives."""

    def __init__(self, binary, folder, number):
        self.binary = binary
        self.folder = folder
        self.number = number
        self.name = f"node-{number}"
        self.lives = []  # (log, whether it was killed)
        self.lock = threading.Lock()
        self.program = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % probe.getsockname()[1]
        self.url = f"http://{self.address}"

    def start(self):
        log = self.folder / f"{self.name}-{len(self.lives)}.jsonl"
        command = [self.binary, "--listen", self.address, "--log", log]
        for model in MODELS:
            command += ["--model", f"{model},tps=400,load=20ms"]
        command += ["--parallel", PARALLEL, "--max-loaded", 2, "--max-queue", 64]
        self.program = Program("drover-node", command, cwd=self.folder)
        self.lives.append([log, False])
        self.program.wait_line("listening on")

    def kill_and_start(self, after_s):
        with self.lock:
            self.lives[-1][1] = True
            self.program.kill()
            pause(after_s)
            self.start()

    def stop_and_go_on(self, after_s):
        with self.lock:
            self.program.signal(signal.SIGSTOP)
            pause(after_s)
            self.program.signal(signal.SIGCONT)

    def control(self, path, body):
        """A node that is being killed or stopped cannot be told anything."""
        if not self.lock.acquire(blocking=False):
            return
        try:
            assert wire.post(self.url, f"/sim/{path}", body).status == 200
        finally:
            self.lock.release()

    def rows(self):
        """(record, life, whether that was killed) of each line of its logs."""
        for life, (log, killed) in enumerate(self.lives):
            for line in log.read_bytes().split(b"\n"):
                if line.endswith(b"}"):
                    yield json.loads(line), life, killed


class Chaos:
    def __init__(self, find, folder, seed, seconds, clients=24):
        self.seed = seed
        self.seconds = seconds
        self.clients = clients
        self.folder = pathlib.Path(folder)
        self.nodes = [NodeSeat(find("drover-node"), self.folder, n) for n in range(NODES)]
        self.file = self.folder / "drover.yaml"
        self.settings = dict(SETTINGS)
        self.write_settings({})
        self.gateway = Program("drover", [find("drover"), "-c", self.file], cwd=self.folder)
        self.seen = {}  # id: what its client saw
        self.done = collections.Counter()  # acts
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.complaints = []

    def write_settings(self, change):
        rows = []
        for seat, weight in zip(self.nodes, change.get("weights", [1] * NODES)):
            row = {"name": seat.name, "url": seat.url, "weight": weight, "parallel": PARALLEL}
            rows.append({**row, "max_loaded": 2})
        settings = {**self.settings, "backends": rows[: change.get("nodes", NODES)]}
        settings["queue"] = {**settings["queue"], "size": change.get("size", 32)}
        self.write_file(json.dumps(settings))

    def write_file(self, text):
        draft = self.file.with_suffix(".draft")
        draft.write_text(text)
        draft.rename(self.file)

    def complain(self, what):
        self.complaints.append(what)

    # clients

    def talk(self, wish, client):
        """What the client saw, in words that ENDS has."""
        headers = [("X-Request-Id", wish.id), (ID, wish.id), ("X-Drover-Priority", wish.priority)]
        client.request("POST", wish.path, wish.body, headers)
        if wish.manner.startswith("leaves before"):
            pause(wish.patience_s)
            return self.leave(wish, client)
        answer = client.read_head()
        pieces = client.read_pieces(answer)
        read = 0
        try:
            for _ in pieces:
                read += 1
                if wish.manner.startswith("leaves") and read >= wish.pieces:
                    return self.leave(wish, client)
                if wish.manner == "reads slowly":
                    pause(0.003)
        except wire.Cut:
            return "cut"
        return f"whole {answer.status}"

    @staticmethod
    def leave(wish, client):
        if wish.manner.endswith("RST"):
            client.reset()
        else:
            client.close()
        return "left"

    def go(self, wish):
        small = 4096 if wish.manner == "reads slowly" else None
        client = wire.Wire(self.url, receive_buffer=small)
        try:
            seen = self.talk(wish, client)
        except (wire.Closed, ConnectionError, BrokenPipeError):
            seen = "closed without a word"
        finally:
            client.close()
        with self.lock:
            self.seen[wish.id] = (seen, wish)

    def work(self, number):
        for wish in wishes(self.seed, number):
            if self.over.is_set():
                return
            self.go(wish)
            if self.seen[wish.id][0].startswith(("whole 4", "whole 5")):
                pause(0.03)

    # what is done to the programs

    def admin_ask(self, method, path, body=None):
        return wire.ask(self.admin, method, path, body)

    def act(self, what, number, more, tasks):
        seat = self.nodes[number]
        if what in ("fault", "load fault"):
            tasks.append(later(seat.control, "fault", more))
        elif what == "kill":
            tasks.append(later(seat.kill_and_start, more))
        elif what == "stop":
            tasks.append(later(seat.stop_and_go_on, more))
        elif what == "drain":
            tasks.append(later(self.drain, seat, more))
        elif what == "reload":
            self.reload(more)
        elif what == "broken reload":
            self.write_file(more)
            self.gateway.signal(signal.SIGHUP)
        elif what == "purge":
            self.admin_ask("POST", "/admin/v1/cache/purge", more)
        elif what == "warm":
            tasks.append(later(self.admin_ask, "POST", "/admin/v1/warm", {"model": more}))
        elif what == "cancel":
            rows = self.admin_ask("GET", "/admin/v1/requests").json()
            if rows:
                name = rows[int(more * len(rows))]["id"]
                self.admin_ask("DELETE", f"/admin/v1/requests/{name}")
        self.done[what] += 1

    def drain(self, seat, after_s):
        self.admin_ask("POST", f"/admin/v1/backends/{seat.name}/drain")
        pause(after_s)
        self.admin_ask("POST", f"/admin/v1/backends/{seat.name}/resume")

    def reload(self, change):
        self.write_settings(change)
        if change["by"] == "SIGHUP":
            self.gateway.signal(signal.SIGHUP)
        else:
            assert self.admin_ask("POST", "/admin/v1/reload").status == 200
        pause(change["wait_s"])

    def operate(self, until):
        tasks = []
        for wait_s, what, number, more in acts(self.seed):
            if self.over.wait(min(wait_s, max(0, until - time.monotonic()))):
                break
            if time.monotonic() >= until:
                break
            self.act(what, number, more, tasks)
            for task in [t for t in tasks if t.done()]:
                tasks.remove(task)
                task.result()
        for task in tasks:
            task.result(LIMIT_S)

    # its course

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.gateway.pid}/fd"))

    def wait(self, holds, what):
        """Asked again and again: nobody tells when a descriptor is closed."""
        end = time.monotonic() + LIMIT_S
        while not holds():
            if time.monotonic() > end:
                self.complain(f"waited {LIMIT_S:.0f} s for {what}")
                return
            pause(0.02)

    def status(self):
        return self.admin_ask("GET", "/admin/v1/status").json()

    def begin(self):
        self.url = self.gateway.wait_line(r"listening on ([^\s\"]+)").group(1)
        self.admin = self.gateway.wait_line(r"admin API on ([^\s\"]+)").group(1)
        for seat in self.nodes:
            self.gateway.wait_line(rf"{seat.name}.*is down")
        # Probes come and go: the least is what it holds by itself.
        self.least = min(self.count_for_a_while())
        for seat in self.nodes:
            seat.start()
        self.wait(lambda: all(b["state"] == "up" for b in self.status()["backends"]), "nodes")

    def count_for_a_while(self):
        for _ in range(50):
            yield self.descriptors()
            pause(0.01)

    def heal(self):
        for seat in self.nodes:
            with seat.lock:
                seat.program.signal(signal.SIGCONT)
            assert wire.post(seat.url, "/sim/reset", {}).status == 200
        self.reload({"by": "POST", "wait_s": 0})
        for seat in self.nodes:
            self.admin_ask("POST", f"/admin/v1/backends/{seat.name}/resume")

    def load(self):
        until = time.monotonic() + self.seconds
        workers = [later(self.work, number) for number in range(self.clients)]
        try:
            self.operate(until)
        finally:
            self.over.set()
        for worker in workers:
            worker.result(2 * LIMIT_S)

    def check_nothing_is_left(self):
        self.wait(lambda: not self.admin_ask("GET", "/admin/v1/requests").json(), "no requests")
        self.wait(self.is_idle, "no slot in use and nobody in the queue")
        for seat in self.nodes:
            counts = wire.get(seat.url, "/sim/wait?event=open&most=0&timeout=20s").json()
            if counts.get("open") != 0:
                self.complain(f"{seat.name} still works: {counts}")
        self.metrics = self.admin_ask("GET", "/metrics").body.decode()
        self.at_rest = self.status()
        for seat in self.nodes:
            seat.program.stop()  # idle connections end with it
        self.wait(lambda: self.descriptors() <= self.least, f"{self.least} descriptors")
        self.left = min(self.count_for_a_while())

    def is_idle(self):
        now = self.status()
        return (
            now["running"] == 0
            and now["queue"]["waiting"] == 0
            and all(b["busy"] == 0 for b in now["backends"])
            and all(m["busy"] == 0 for b in now["backends"] for m in b["models"])
        )

    def serve_again(self):
        """Every slot can be had: as many requests at once as there are, and all are answered."""
        body = {"prompt": "tokens:4", "stream": False}
        asked = [
            later(wire.post, self.url, "/api/generate", {**body, "model": MODELS[i % 2]})
            for i in range(NODES * PARALLEL)
        ]
        for answer in asked:
            status = answer.result(LIMIT_S).status
            if status != 200:
                self.complain(f"healed, it answers {status}")

    def run(self):
        try:
            self.begin()
            self.load()
            self.heal()
            self.wait(lambda: all(b["state"] == "up" for b in self.status()["backends"]), "nodes")
            self.wait(self.is_idle, "no slot in use and nobody in the queue")
            self.serve_again()
            self.check_nothing_is_left()
            self.gateway.stop()
        finally:
            self.over.set()
            for program in [self.gateway, *(seat.program for seat in self.nodes)]:
                if program is not None and not program.stopped:
                    program.kill()
        self.reconcile()
        return not self.complaints

    # the books

    def logged(self):
        found = collections.defaultdict(list)
        for line in self.gateway.lines:
            if '"end":"' in line:
                row = json.loads(line)
                found[row["id"]].append(row)
        return found

    def runs(self):
        """By id: a list of (node, life, killed, how it ended or None) of each run that began."""
        found = collections.defaultdict(list)
        for seat in self.nodes:
            ended, begun = {}, {}
            for row, life, killed in seat.rows():
                name = dict(map(tuple, row["headers"])).get(ID)
                if name is None:
                    continue
                key = (life, row["number"])
                if row["end"] is None:
                    begun[key] = (name, killed)
                else:
                    if key in ended:
                        self.complain(f"{name}: {seat.name} ended it twice")
                    ended[key] = row["end"]
            for key, (name, killed) in begun.items():
                found[name].append((seat.name, key[0], killed, ended.get(key)))
        return found

    def reconcile(self):
        logged, runs = self.logged(), self.runs()
        self.missing = self.duplicates = self.unseen = 0
        self.ends = collections.Counter()
        for name, (seen, wish) in self.seen.items():
            rows = logged.get(name, [])
            # Gone before its head was read: nobody was there.
            if not rows and seen == "left" and wish.manner.startswith("leaves before"):
                self.unseen += 1
                if runs.get(name):
                    self.complain(f"{name}: it ran, and is not in the log")
                continue
            if len(rows) != 1:
                self.missing += not rows
                self.complain(f"{name}: {seen}; {len(rows)} lines in the access log: {rows}")
                continue
            self.ends[rows[0]["end"]] += 1
            self.compare(name, seen, rows[0], runs.get(name, []))
        for name in runs:
            if name not in self.seen:
                self.complain(f"{name}: it ran, and no client asked for it")
        self.check_sums(logged)
        if SANITIZER_REPORT.search(self.gateway.log()):
            self.complain("a sanitizer complained")
        self.runs_begun = sum(map(len, runs.values()))
        self.retried = sum(r["attempts"] > 1 for rows in logged.values() for r in rows if "attempts" in r)

    def compare(self, name, seen, row, ran):
        words = f"{name}: {seen}; {row}; runs: {ran}"
        if row["end"] not in ENDS.get(seen, ()):
            self.complain(f"the client and the log do not agree: {words}")
        elif seen.startswith("whole") and row["status"] != int(seen.split()[1]):
            self.complain(f"the client was told another status: {words}")
        if len(ran) > 1:
            self.duplicates += 1
            self.complain(f"it ran {len(ran)} times: {words}")
        if row["attempts"] > 3:
            self.complain(f"too many attempts: {words}")
        own = row["cache"] in (None, "miss", "bypass")
        if seen == "whole 200" and own and not ran:
            self.missing += 1
            self.complain(f"it was answered, and never ran: {words}")
        if not own and row["attempts"] == 0 and ran:
            self.complain(f"another's answer, and a run: {words}")
        for node, _, killed, end in ran:
            if end is None and not killed:
                self.complain(f"its run on {node} never ended: {words}")

    def check_sums(self, logged):
        """Metrics, admin API and log add up to the same."""
        rows = [row for rows in logged.values() for row in rows if row.get("route")]
        by_code = collections.Counter(str(r["status"]) for r in rows)
        shown = collections.Counter()
        for line in self.metrics.splitlines():
            if line.startswith("drover_requests_total{") and '/drover/' not in line:
                code = line.split('code="')[1].split('"')[0]
                if 'route="other"' not in line:
                    shown[code] += int(float(line.rsplit(" ", 1)[1]))
        if shown != by_code:
            self.complain(f"metrics: {dict(shown)}; access log: {dict(by_code)}")
        cached = collections.Counter(r["cache"] for r in rows)
        for told, word in (("hits", "hit"), ("joined", "joined"), ("misses", "miss"), ("stale", "stale")):
            if self.at_rest["cache"][told] != cached[word]:
                self.complain(f"{told}: {self.at_rest['cache'][told]}; in the log {cached[word]}")

    def report(self, out=sys.stdout):
        seen = collections.Counter(s for s, _ in self.seen.values())

        def line(words, counter):
            parts = ", ".join(f"{count} {what}" for what, count in counter.most_common())
            print(f"{words:22}{parts}", file=out)

        print(f"seed {self.seed}, plan {plan_digest(self.seed, self.clients)}", file=out)
        print(f"{'requests':22}{len(self.seen)} in {self.seconds} s", file=out)
        line("what clients saw", seen)
        line("what the log says", self.ends)
        print(f"{'gone before the head':22}{self.unseen}", file=out)
        line("done to the programs", self.done)
        print(f"{'runs begun on nodes':22}{self.runs_begun}", file=out)
        print(f"{'tried again':22}{self.retried}", file=out)
        print(f"{'duplicates':22}{self.duplicates}", file=out)
        print(f"{'missing':22}{self.missing}", file=out)
        print(
            f"{'left over':22}{self.at_rest['running']} running, "
            f"{self.at_rest['queue']['waiting']} waiting, "
            f"{sum(b['busy'] for b in self.at_rest['backends'])} slots, "
            f"{self.left - self.least} descriptors ({self.least} before, {self.left} after)",
            file=out,
        )
        for complaint in self.complaints[:20]:
            print(f"WRONG: {complaint}", file=out)
        if len(self.complaints) > 20:
            print(f"WRONG: and {len(self.complaints) - 20} more", file=out)


def find_in(build):
    def find(name):
        for path in (build / name, *build.glob(f"src/*/{name}")):
            if path.is_file():
                return path
        sys.exit(f"no {name} in {build}: build it first, or say --build")

    return find


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--clients", type=int, default=24)
    given = parser.parse_args()
    print(f"chaos: seed {given.seed}, {given.seconds:g} s", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="drover-chaos-"))
    chaos = Chaos(
        find_in(given.build.resolve()), folder, given.seed, given.seconds, given.clients
    )
    good = False
    try:
        good = chaos.run()
    finally:
        (folder / "gateway.log").write_text(chaos.gateway.log())
    chaos.report()
    if good:
        shutil.rmtree(folder)
    else:
        print(f"the logs are in {folder}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
