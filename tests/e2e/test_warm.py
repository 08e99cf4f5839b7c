"""Models that are loaded before anybody asks for them, and never at anybody's expense."""

import subprocess

import harness
import pytest
from conftest import find_program
from harness import wire

LIMIT_S = wire.LIMIT_S
WARM = "/admin/v1/warm"


@pytest.fixture
def drover(request, tmp_path):
    """Runs `drover` to its end."""

    def call(*arguments, env=None):
        return subprocess.run(
            [find_program(request.config, "drover"), *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=harness.clean_environment(env),
            timeout=LIMIT_S,
        )

    return call


def row(node, name, **more):
    return {"name": name, "url": node.url, **more}


def warm(gateway, model, **more):
    return wire.post(gateway.admin, WARM, {"model": model, **more})


def states(answer):
    assert answer.status == 200 and answer.whole
    assert answer.header("content-type") == "application/x-ndjson"
    return [line["state"] for line in answer.lines()]


def held(gateway):
    """By backend, what is loaded."""
    status = wire.get(gateway.admin, "/admin/v1/status").json()
    return {
        backend["name"]: sorted(m["name"] for m in backend["models"] if m["state"] == "loaded")
        for backend in status["backends"]
    }


def ask(gateway, model):
    return gateway.post("/api/generate", harness.run(model=model))


# By the admin API


def test_a_model_is_loaded_and_the_first_request_finds_it(stage):
    node = stage.node("a", "b", max_loaded=2)
    gateway = stage.gateway([row(node, "one", max_loaded=2)])
    answer = warm(gateway, "A")
    assert states(answer) == ["loading", "loaded"]
    assert {(line["model"], line["backend"]) for line in answer.lines()} == {("a:latest", "one")}
    assert held(gateway) == {"one": ["a:latest"]}
    assert states(warm(gateway, "a")) == ["loaded"]
    assert ask(gateway, "a").status == 200
    assert node.counts()["loads"] == 1


def test_a_node_may_be_chosen(stage):
    nodes = [stage.node("a"), stage.node("a")]
    gateway = stage.gateway([row(node, name) for node, name in zip(nodes, ("one", "two"))])
    for name in ("two", "one"):
        assert states(warm(gateway, "a", backend=name)) == ["loading", "loaded"]
    assert held(gateway) == {"one": ["a:latest"], "two": ["a:latest"]}


def test_what_is_in_use_stays_loaded(stage):
    node = stage.node("a", "b", max_loaded=1)
    gateway = stage.gateway([row(node, "one", max_loaded=1)])
    assert ask(gateway, "a").status == 200
    refused = warm(gateway, "b")
    assert refused.status == 409
    assert "in use in the last 5 minutes" in refused.json()["error"]
    assert held(gateway) == {"one": ["a:latest"]}
    counts = node.counts()
    assert (counts["loads"], counts["unloads"]) == (1, 0)


def test_loads_of_one_node_come_one_after_another(stage):
    node = stage.node("a", "b", max_loaded=2)
    gateway = stage.gateway([row(node, "one", max_loaded=2)])
    node.gate("a:latest", "before_load")
    first = harness.later(warm, gateway, "a")
    node.wait("gated", 1)
    with wire.Wire(gateway.admin) as client:
        client.request("POST", WARM, {"model": "b"})
        answer = client.read_head()
        pieces = client.read_pieces(answer)
        assert b'"waiting"' in next(pieces)
        node.open("a:latest")
        list(pieces)
    assert states(answer) == ["waiting", "loading", "loaded"]
    assert states(first.result(LIMIT_S)) == ["loading", "loaded"]


def test_who_leaves_does_not_stop_the_load(stage):
    node = stage.node("a")
    gateway = stage.gateway([row(node, "one")])
    node.gate("a:latest", "before_load")
    with wire.Wire(gateway.admin) as client:
        client.request("POST", WARM, {"model": "a"})
        client.read_head()
    node.wait("gated", 1)
    harness.turn(gateway)
    node.open("a:latest")
    node.wait("loads", 1)
    assert states(warm(gateway, "a"))[-1] == "loaded"
    assert node.counts()["loads"] == 1


def test_a_load_that_fails_is_told_in_the_nodes_words(stage):
    node = stage.node("a")
    gateway = stage.gateway([row(node, "one")])
    node.fault("status", route="load", status=500, message="out of memory", count=-1)
    answer = warm(gateway, "a")
    assert states(answer) == ["loading", "failed"]
    assert "out of memory" in answer.lines()[-1]["error"]
    again = warm(gateway, "a")
    assert again.status == 502 and "out of memory" in again.json()["error"]


def test_what_cannot_be_is_told(stage):
    node = stage.node("a")
    gateway = stage.gateway([row(node, "one"), row(stage.node("b"), "two")])
    for body, status, words in (
        ({"model": "c"}, 404, "not found"),
        ({"model": "b", "backend": "one"}, 404, "not found on backend one"),
        ({"model": "a", "backend": "three"}, 404, "one, two"),
        ({"model": "x:cloud"}, 400, "runs elsewhere"),
        ({"model": ""}, 400, "model"),
        ({"backend": "one"}, 400, "model"),
        ({"model": "a", "backend": 1}, 400, "backend"),
        ([], 400, "model"),
    ):
        refused = wire.post(gateway.admin, WARM, body)
        assert refused.status == status, body
        assert words in refused.json()["error"]
    wire.post(gateway.admin, "/admin/v1/backends/one/drain")
    assert warm(gateway, "a").status == 503
    assert wire.post(gateway.url, WARM, {"model": "a"}).status == 404
    assert node.counts()["loads"] == 0


def test_who_waits_for_a_load_is_told_when_the_gateway_stops(stage):
    node = stage.node("a")
    gateway = stage.gateway([row(node, "one")])
    node.gate("a:latest", "before_load")
    with wire.Wire(gateway.admin) as client:
        client.request("POST", WARM, {"model": "a"})
        answer = client.read_head()
        node.wait("gated", 1)
        gateway.signal(15)
        list(client.read_pieces(answer))
    assert states(answer) == ["loading", "failed"]
    assert "shutting down" in answer.lines()[-1]["error"]
    assert gateway.wait_exit() == 0


# By the command


def test_the_command_says_what_became_of_each(stage, drover):
    node = stage.node("a", "b", max_loaded=2)
    gateway = stage.gateway([row(node, "one", max_loaded=2)])
    done = drover("warm", "a", "--admin", gateway.admin, "b")
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split(" after")[0] for line in lines] == [
        "a: loading on one",
        "a: loaded on one",
        "b: loading on one",
        "b: loaded on one",
    ]
    address = gateway.admin.removeprefix("http://")
    again = drover("warm", "a", env={"DROVER_ADMIN": address})
    assert (again.returncode, again.stdout) == (0, "a: is loaded on one\n")


def test_one_that_cannot_be_does_not_keep_the_others(stage, drover):
    gateway = stage.gateway([row(stage.node("a"), "one")])
    done = drover("warm", "--admin", gateway.admin, "none", "a")
    assert done.returncode == 1
    assert "none: model 'none:latest' not found" in done.stderr
    assert "a: loaded on one" in done.stdout


def test_without_a_drover_the_command_says_so(drover):
    done = drover("warm", "a", "b", "--admin", "http://127.0.0.1:1")
    assert done.returncode == 1 and done.stdout == ""
    assert "http://127.0.0.1:1" in done.stderr and "--admin" in done.stderr


def test_the_command_shows_its_key(stage, drover):
    key = "an-administrators-key-of-32-letters"
    keys = {"keys": [{"name": "root", "key": key, "admin": True}]}
    gateway = stage.gateway([stage.node("a")], keys, ready=False)
    gateway.wait_line("is up")
    refused = drover("warm", "a", "--admin", gateway.admin)
    assert refused.returncode == 1 and "DROVER_ADMIN_KEY" in refused.stderr
    done = drover("warm", "a", "--admin", gateway.admin, env={"DROVER_ADMIN_KEY": key})
    assert done.returncode == 0 and "a: loaded on" in done.stdout
    assert key not in gateway.log() + done.stdout + done.stderr


def test_the_wrong_listener_is_told(stage, drover):
    gateway = stage.gateway([stage.node("a")])
    done = drover("warm", "a", "--admin", gateway.url)
    assert done.returncode == 1 and "admin API" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], ["a", "--listen", ":1"], ["a", "-c", "x"], ["a", "--admin", "unix:/x"], ["a", "--demo"]],
)
def test_wrong_usage_is_status_2(drover, arguments):
    done = drover("warm", *arguments)
    assert done.returncode == 2 and done.stderr and done.stdout == ""


# By rules


def rules(*rows, interval="50ms"):
    return {"models": list(rows), "health": {"interval": interval, "timeout": "20s"}}


def test_rules_warm_at_the_start(stage):
    nodes = [stage.node("a", "b", "c", max_loaded=3), stage.node("a", "b", "c", max_loaded=3)]
    rows = [row(node, name) for node, name in zip(nodes, ("one", "two"))]
    gateway = stage.gateway(
        rows,
        rules(
            {"match": "a", "warm": {"at_start": True, "backends": ["one", "two"]}},
            {"match": "?", "warm": {"at_start": True}},
        ),
    )
    found = held(gateway)
    while sum(map(len, found.values())) < 4:
        found = held(gateway)
    assert all("a:latest" in models for models in found.values())
    assert {"b:latest", "c:latest"} <= {model for models in found.values() for model in models}
    assert sum(node.counts()["loads"] for node in nodes) == 4


def test_rules_warm_again_every_so_often(stage):
    node = stage.node("a")
    stage.gateway([row(node, "one")], rules({"match": "a", "warm": {"every": "100ms"}}))
    for times in (1, 2, 3):
        node.wait("loads", times)
        answer = wire.post(node.url, "/api/generate", {"model": "a", "keep_alive": 0})
        assert answer.status == 200
    assert node.counts()["unloads"] >= 2


def test_rules_do_not_put_out_what_may_be_in_use(stage):
    """What a node holds when it is first seen may have been in use until then."""
    node = stage.node("a", "b", max_loaded=1)
    assert wire.post(node.url, "/api/generate", harness.run(model="a")).status == 200
    gateway = stage.gateway(
        [row(node, "one", max_loaded=1)], rules({"match": "b", "warm": {"at_start": True}})
    )
    gateway.wait_line("warm: b:latest on one waits: what is loaded is in use")
    assert held(gateway) == {"one": ["a:latest"]}
    assert wire.post(node.url, "/api/generate", {"model": "a", "keep_alive": 0}).status == 200
    node.wait("loads", 2)  # now there is room


def test_rules_warm_with_the_context_that_requests_will_have(stage):
    node = stage.fake(models=["a:latest"], loaded=[])
    rule = {"match": "a", "num_ctx": {"default": 8192}, "warm": {"at_start": True}}
    stage.gateway([row(node, "one")], rules(rule))
    (order,) = node.waiter.until(lambda: node.orders, "an order to load")
    assert order["model"] == "a:latest" and order["options"] == {"num_ctx": 8192}
