"""Who used what: the admin API and `drover usage` add up what the access log says."""

import csv
import io
import json
import re
import subprocess
import time

import harness
import pytest
from conftest import find_program
from harness import wire
from harness.program import LIMIT_S

KEYS = [
    {"name": "alice", "key": "dk-alice-0000"},
    {"name": "bob", "key": "dk-bob-0000", "requests_per_minute": 1, "models": ["tiny"]},
    {"name": "root", "key": "dk-root-0000", "admin": True},
]


def bearer(name):
    return [("Authorization", f"Bearer dk-{name}-0000")]


def usage(gateway, query="", headers=None):
    return wire.get(gateway.admin, f"/admin/v1/usage{query}", headers or bearer("root"))


def rows(gateway, query=""):
    return usage(gateway, query).json()["rows"]


def answer(exchange):
    exchange.reply({"model": "tiny", "prompt_eval_count": 30, "eval_count": 5, "done": True})


@pytest.fixture
def gateway(stage):
    node = stage.fake(answer, models=["tiny:latest", "large:latest"])
    settings = {"keys": KEYS, "log": {"format": "json"}}
    return stage.gateway([node], settings)


def ask(gateway, key, model="tiny"):
    return gateway.post("/api/generate", harness.run(model=model), bearer(key)).status


def test_each_key_and_model_has_its_account(gateway):
    assert [ask(gateway, "alice", model) for model in ("tiny", "tiny", "large")] == [200] * 3
    assert [ask(gateway, "bob", model) for model in ("tiny", "tiny", "large")] == [200, 429, 403]
    assert ask(gateway, "nobody") == 401
    found = {(r["key"], r["model"]): r for r in rows(gateway)}
    assert list(found) == [
        ("-", "other"),
        ("alice", "large:latest"),
        ("alice", "tiny:latest"),
        ("bob", "large:latest"),
        ("bob", "tiny:latest"),
    ]
    tiny = found["alice", "tiny:latest"]
    assert (tiny["requests"], tiny["prompt_tokens"], tiny["output_tokens"]) == (2, 60, 10)
    assert 0 <= tiny["seconds"] < 10 and not any(tiny["refused"].values())
    assert found["bob", "tiny:latest"]["refused"]["limit"] == 1
    assert found["bob", "large:latest"]["refused"]["forbidden"] == 1
    assert found["-", "other"]["refused"]["forbidden"] == 1


def test_sums_are_by_what_is_asked_for(gateway):
    for model in ("tiny", "tiny", "large"):
        ask(gateway, "alice", model)
    assert [(r["key"], r["requests"]) for r in rows(gateway, "?by=key")] == [("alice", 3)]
    assert [r["requests"] for r in rows(gateway, "?by=model&since=2h")] == [1, 2]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00:00Z", rows(gateway, "?by=hour,key")[0]["hour"])
    for wrong in ("?by=colour", "?since=x", "?since=0", "?format=xml", "?what=1", "?by"):
        assert usage(gateway, wrong).status == 400


def test_the_owner_of_a_key_sees_what_it_used(gateway):
    ask(gateway, "alice")
    ask(gateway, "bob")
    ask(gateway, "bob")  # refused
    for key, requests in (("alice", 1), ("bob", 2), ("root", 0)):
        used = gateway.get("/drover/v1/me", bearer(key)).json()["last_24h"]
        assert used["requests"] == requests
        assert used["output_tokens"] == (5 if requests else 0)


def test_a_spreadsheet_can_read_it(gateway):
    ask(gateway, "alice")
    answer = usage(gateway, "?format=csv")
    assert answer.header("content-type") == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.body.decode()))
    assert (row["key"], row["model"], row["prompt_tokens"]) == ("alice", "tiny:latest", "30")


def test_models_that_nobody_has_are_one(gateway):
    for n in range(5):
        assert ask(gateway, "alice", f"made-up-{n}") == 404
    assert [(r["model"], r["requests"]) for r in rows(gateway)] == [("other", 5)]


def test_it_adds_up_to_the_access_log(gateway):
    for n in range(20):
        ask(gateway, ("alice", "bob", "nobody")[n % 3], ("tiny", "large", "none")[n // 2 % 3])
    gateway.post("/api/generate", b"{", bearer("alice"))
    gateway.get("/healthz", [("X-Request-Id", "the-last")])
    gateway.wait_line("the-last")
    lines = [json.loads(line) for line in gateway.log().splitlines() if '"route"' in line]
    ended = [line for line in lines if line["route"] == "/api/generate"]
    (total,) = rows(gateway, "?by=")
    assert total["requests"] == len(ended) == 21
    assert total["prompt_tokens"] == sum(line["tokens_in"] or 0 for line in ended)
    assert total["output_tokens"] == sum(line["tokens_out"] or 0 for line in ended)
    refused = [line for line in ended if line["end"] == "refused"]
    assert sum(total["refused"].values()) == len(refused)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_it_outlives_a_restart_and_a_kill(stage, tmp_path, end):
    node = stage.fake(answer)
    settings = {"keys": KEYS, "state": str(tmp_path / "state"), "log": {"level": "debug"}}
    gateway = stage.gateway([node], settings)
    planted = harness.run("planted-prompt-4711")
    for _ in range(3):
        assert gateway.post("/api/generate", planted, bearer("alice")).status == 200
    state = tmp_path / "state"
    if end == "kill":
        wait_written(state / "usage.db-wal", b"alice")
    getattr(gateway, end)()
    files = [path.read_bytes() for path in state.glob("usage*")]
    assert files and not any(b"planted" in data or b"dk-alice" in data for data in files)
    gateway = stage.gateway([node], settings)
    gateway.post("/api/generate", planted, bearer("alice"))
    ((total),) = [r for r in rows(gateway, "?by=key") if r["key"] == "alice"]
    assert (total["requests"], total["prompt_tokens"]) == (4, 120)


def wait_written(path, wanted):
    """Within a second; the journal is looked at until it has the words."""
    limit = time.monotonic() + LIMIT_S
    while wanted not in (path.read_bytes() if path.exists() else b""):
        assert time.monotonic() < limit, f"{wanted} is not in {path}"


def test_a_state_that_cannot_be_used_costs_no_request(stage, tmp_path):
    (tmp_path / "usage.db").write_text("somebody's own words " * 100)
    gateway = stage.gateway([stage.fake(answer)], {"keys": KEYS, "state": str(tmp_path)})
    gateway.wait_line("usage: .*usage.db: .*it will not outlive a restart")
    assert ask(gateway, "alice") == 200
    assert rows(gateway)[0]["requests"] == 1


def test_answers_of_the_cache_are_counted_as_such(stage):
    gateway = stage.gateway([stage.fake(answer)], {"keys": KEYS, "cache": {"mode": "all"}})
    assert [ask(gateway, "alice") for _ in range(3)] == [200] * 3
    (row,) = rows(gateway)
    assert (row["requests"], row["cached"], row["output_tokens"]) == (3, 2, 5)


def test_the_command_prints_a_table(gateway, request):
    ask(gateway, "alice")
    drover = find_program(request.config, "drover")
    command = [drover, "usage", "--admin", gateway.admin, "--by", "key", "--since", "1h"]

    def run(key):
        env = {"DROVER_ADMIN_KEY": key}
        return subprocess.run(command, capture_output=True, text=True, env=env)

    said = run("dk-root-0000")
    assert said.returncode == 0, said.stderr
    head, row = said.stdout.splitlines()
    assert head.split()[:3] == ["key", "requests", "prompt"]
    assert row.split()[:4] == ["alice", "1", "30", "5"]
    refused = run("dk-alice-0000")
    assert refused.returncode == 1 and "administrator" in refused.stderr
    assert refused.stderr.endswith("; set DROVER_ADMIN_KEY\n")
