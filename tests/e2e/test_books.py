"""The accounts and the access log say the same, whatever became of the requests, and whatever became
of the gateway: nothing is lost at a kill but what the last second brought.

The seed is printed with a failure; DROVER_SEED repeats it.
"""

import collections
import contextlib
import json
import os
import random
import shutil
import sqlite3
import tempfile
import time

import harness
from harness import wire
from harness.program import LIMIT_S

KEYS = {
    "free": {},
    "hurried": {"requests_per_minute": 30, "burst": 5},
    "modest": {"tokens_per_minute": 300},
    "narrow": {"concurrent": 1, "models": ["a:1", "e"]},
}
MODELS = {"a:1": "a:1", "A:1": "a:1", "mine": "b:1", "b:1": "b:1", "e": "e:latest"}
FAULTS = [
    ("busy", {}),
    ("status", {"status": 500}),
    ("close", {}),
    ("reset", {"after_tokens": 2}),
    ("close", {"after_tokens": 1}),
    ("garbage", {}),
    ("error", {}),
    ("no_done", {}),
]
REFUSALS = {429: "limit", 401: "forbidden", 403: "forbidden", 503: "busy", 504: "busy"}
CACHED = ("hit", "stale", "joined")
CLIENTS = 12


def account_of(text):
    """What the log adds up to, by key and model."""
    sums = collections.defaultdict(collections.Counter)
    for line in text.splitlines():
        row = json.loads(line) if line.startswith("{") else {}
        if row.get("route") not in harness.RUNS:
            continue
        count = sums[row["key"] or "-", MODELS.get(row["model"], "other")]
        count["requests"] += 1
        count["prompt_tokens"] += row["tokens_in"] or 0
        count["output_tokens"] += row["tokens_out"] or 0
        count["waited_ms"] += row["waited_ms"]
        count["cached"] += row["cache"] in CACHED
        if row["attempts"] == 0 and row["status"] >= 400 and row["status"] != 499:
            count[REFUSALS.get(row["status"], "invalid")] += 1
    return {who: +count for who, count in sums.items()}


def account_of_api(gateway):
    sums = {}
    for row in wire.get(gateway.admin, "/admin/v1/usage?by=key,model").json()["rows"]:
        count = collections.Counter(
            {name: row[name] for name in ("requests", "prompt_tokens", "output_tokens", "cached")}
        )
        count["waited_ms"] = round(1000 * row["waited_seconds"])
        count.update(row["refused"])
        sums[row["key"], row["model"]] = +count
    return sums


def together(*accounts):
    sums = collections.defaultdict(collections.Counter)
    for account in accounts:
        for who, count in account.items():
            sums[who].update(count)
    return dict(sums)


def requests_on_disk(database):
    """As a restart would find them now: read from a copy, since the gateway lets nobody else in."""
    with tempfile.TemporaryDirectory() as folder:
        for path in database.parent.glob(f"{database.name}*"):
            shutil.copy(path, folder)
        with contextlib.closing(sqlite3.connect(f"{folder}/{database.name}")) as db:
            with contextlib.suppress(sqlite3.Error):
                return db.execute("SELECT SUM(requests) FROM usage").fetchone()[0] or 0
    return 0


class Customer:
    def __init__(self, number, rng):
        self.path = rng.choice(sorted(harness.RUNS))
        self.key = rng.choice([*["free"] * 6, *KEYS, "nobody"])
        self.model = "e" if "embed" in self.path else rng.choice(["a:1", "A:1", "mine", "b:1", "x"])
        self.leaves = rng.choice([None] * 4 + ["close", "reset"])
        self.stream = rng.random() < 0.6
        # Some ask the same, so that answers are kept and shared.
        self.words = rng.choice([f"tokens:{rng.randint(1, 6)} {number}", "tokens:3 same"])
        if self.leaves:
            self.stream, self.words = True, f"tokens:2000 {number}"
        self.is_broken = rng.random() < 0.05

    def go(self, url):
        body = json.dumps(harness.body_for(self.path, self.model, stream=self.stream))
        body = body.replace("hello", self.words)[: 20 if self.is_broken else None]
        headers = [("Authorization", f"Bearer dk-{self.key}-0000")]
        with contextlib.suppress(wire.Cut, wire.Closed, ConnectionError), wire.Wire(url) as client:
            client.request("POST", self.path, body, headers)
            answer = client.read_head()
            for _ in client.read_pieces(answer):
                if self.leaves:
                    getattr(client, self.leaves)()
                    return


def run_some(gateway, nodes, rng, count):
    for node in nodes:
        for _ in range(count // 20):
            kind, more = rng.choice(FAULTS)
            node.fault(kind, count=1, **more)
    left = [Customer(i, rng) for i in range(count)]

    def work():
        with contextlib.suppress(IndexError):
            while True:
                left.pop().go(gateway.url)

    for done in [harness.later(work) for _ in range(CLIENTS)]:
        done.result(10 * LIMIT_S)


def until_settled(gateway):
    """Until no request is under way, and the log has all that ended."""
    while wire.get(gateway.admin, "/admin/v1/requests").json():
        pass
    name = f"last-{time.monotonic_ns()}"
    gateway.get("/healthz", [("X-Request-Id", name)])
    gateway.wait_line(name)


def has_all_kinds(text):
    """Each end, retries, answers of the cache, and each reason of a refusal but a full queue."""
    ended = [json.loads(line) for line in text.splitlines() if '"route"' in line]
    total = sum(account_of(text).values(), collections.Counter())
    return (
        {"done", "client gone", "backend error", "refused"} <= {row["end"] for row in ended}
        and all(total[name] for name in ("cached", "limit", "forbidden", "invalid"))
        and any(row["attempts"] > 1 for row in ended)
    )


def test_the_accounts_add_up_to_the_log_through_faults_and_a_kill(stage, tmp_path):
    seed = int(os.environ.get("DROVER_SEED", random.randrange(1 << 32)))
    print(f"DROVER_SEED={seed}")
    rng = random.Random(seed)
    nodes = [stage.node("a:1,tps=1000", "b:1,tps=1000", "e,embed", parallel=2) for _ in range(2)]
    settings = {
        "keys": [{"name": n, "key": f"dk-{n}-0000", **more} for n, more in KEYS.items()],
        "aliases": {"mine": "b:1"},
        "cache": {"mode": "all"},
        "queue": {"size": 16},
        "log": {"format": "json"},
        "breaker": {"failures": 10, "window": "1s", "open": "20ms", "max_open": "50ms"},
        "health": {"interval": "50ms"},
        "state": str(tmp_path / "state"),
    }
    rows = [{"url": node.url, "parallel": 2} for node in nodes]
    database = tmp_path / "state" / "usage.db"
    gateway = stage.gateway(rows, settings)

    while not has_all_kinds(gateway.log()):
        run_some(gateway, nodes, rng, 100)
        until_settled(gateway)
    first = account_of(gateway.log())
    assert account_of_api(gateway) == first

    total = sum(count["requests"] for count in first.values())
    limit = time.monotonic() + LIMIT_S
    while requests_on_disk(database) < total:
        assert time.monotonic() < limit, "what was counted is not written"
    mark = gateway.mark()
    more = harness.later(run_some, gateway, nodes, rng, 100)
    gateway.wait_line('"end":"done"', mark)
    gateway.kill()
    more.result(10 * LIMIT_S)
    all_of_it = account_of(gateway.log())

    gateway = stage.gateway(rows, settings)
    found = account_of_api(gateway)
    for who, count in found.items():
        least, most = first.get(who, collections.Counter()), all_of_it.get(who)
        assert most is not None, who
        assert not count - most and not least - count, (who, least, count, most)
    assert found.keys() >= first.keys()

    run_some(gateway, nodes, rng, 40)
    until_settled(gateway)
    assert account_of_api(gateway) == together(found, account_of(gateway.log()))
    gateway.stop()
    assert requests_on_disk(database) == sum(
        count["requests"] for count in together(found, account_of(gateway.log())).values()
    )
