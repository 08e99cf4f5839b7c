"""The gateway loads and unloads models itself: one at a time, for nobody in particular, and never
sends a node what it would have to load on its own."""

import json
import threading

import harness
import harness.fake
import pytest
from harness import wire

LIMIT_S = wire.LIMIT_S
QUICK = {"health": {"interval": "50ms", "timeout": "20s"}}
NO_MEMORY = "model requires more system memory (48.2 GiB) than is available (7.6 GiB)"


def generate(url, model, prompt="tokens:1", **more):
    return wire.post(url, "/api/generate", harness.run(prompt, model=model, **more))


def later(url, model, prompt="tokens:1"):
    return harness.later(generate, url, model, prompt)


def small(node, **more):
    """A row of the configuration for a node that holds one model."""
    return {"url": node.url, "parallel": 2, "max_loaded": 1, **more}


def orders(node):
    """What the node was told, looks at /api/ps left out: ("load" or "unload", model)."""
    told = []
    for row in node.orders():
        # A load has no keep_alive and the shorter body; the journal keeps its length only.
        load = row["body_bytes"] == len(f'{{"model":"{row["model"]}","stream":false}}')
        told.append(("load" if load else "unload", row["model"]))
    return told


def held_by(gateway):
    status = wire.get(gateway.admin, "/admin/v1/status").json()
    return [{m["name"]: m["state"] for m in b["models"]} for b in status["backends"]]


def until_held(gateway, *names):
    """Until the gateway takes its only node to hold these, loaded, and no others."""
    while held_by(gateway) != [{name: "loaded" for name in names}]:
        pass


# One load, whoever asks


def test_a_client_that_leaves_does_not_end_a_load(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node])
    node.gate("tiny:latest", "before_load")
    mark = gateway.mark()
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.run())
        node.wait("gated", 1)
    gateway.wait_line("status=499", mark)
    node.open("tiny:latest")
    gateway.wait_line("loading tiny:latest: done in", mark)
    assert generate(gateway.url, "tiny").status == 200
    assert orders(node) == [("load", "tiny:latest")]
    counts = node.counts()
    assert (counts["loads"], counts["failed_loads"]) == (1, 0)


def test_many_who_wait_for_a_model_make_one_load(stage):
    node = stage.node("tiny", parallel=4)
    gateway = stage.gateway([{"url": node.url, "parallel": 4}])
    node.gate("tiny:latest", "before_load")
    asked = [later(gateway.url, "tiny", f"tokens:1 {i}") for i in range(10)]
    node.wait("gated", 1)
    assert node.counts()["open"] == 1
    node.open("tiny:latest")
    assert [a.result(LIMIT_S).status for a in asked] == [200] * 10
    assert orders(node) == [("load", "tiny:latest")]


def test_a_load_is_abandoned_when_the_gateway_ends(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node])
    node.gate("tiny:latest", "before_load")
    answer = later(gateway.url, "tiny")
    node.wait("gated", 1)
    gateway.stop()
    refused = answer.result(LIMIT_S)
    assert refused.status == 503 and "shutting down" in refused.json()["error"]
    node.wait("open", most=0)
    assert node.counts()["failed_loads"] == 1


def test_an_embedding_model_is_loaded_as_such(stage):
    node = stage.node("nomic,embed", "tiny", max_loaded=1)
    gateway = stage.gateway([small(node)])

    def embed(text="hello"):
        return gateway.post("/api/embed", {"model": "nomic", "input": text})

    assert embed().status == 200
    ways = [row["target"] for row in node.orders()]
    assert ways == ["/api/generate", "/api/embed"]
    assert generate(gateway.url, "nomic", keep_alive=0, prompt="").status == 200
    assert embed("and again").status == 200
    assert [row["target"] for row in node.orders()][2:] == ["/api/embed"]
    assert node.counts()["loads"] == 2


# One model for another


def test_models_take_turns_on_a_node_that_holds_one(stage):
    models = ["a:1", "b:1", "c:1"]
    node = stage.node(*models, parallel=2, max_loaded=1)
    gateway = stage.gateway([small(node)])
    asked = [later(gateway.url, models[i % 3], f"tokens:1 {i}") for i in range(30)]
    assert [a.result(LIMIT_S).status for a in asked] == [200] * 30
    told = orders(node)
    assert told[0][0] == "load"
    for before, after in zip(told, told[1:]):
        assert (before[0], after[0]) in (("load", "unload"), ("unload", "load"))
        assert after[0] == "load" or after[1] == before[1]
    counts = node.counts()
    # The node never loads or evicts by itself.
    assert counts["loads"] == sum(kind == "load" for kind, _ in told)
    assert counts["unloads"] == sum(kind == "unload" for kind, _ in told)
    assert counts["failed_loads"] == 0


def test_steady_traffic_starves_who_waits_for_another_model_when_asked_directly(stage):
    """What the gateway is for: Ollama's loop waits for a model to fall idle, and it never does."""
    node = stage.node("a:1", "b:1", parallel=2, max_loaded=1)
    node.gate("g", "before_first_token")
    running = later(node.url, "a:1", "tokens:1 gate:g 0")
    node.wait("gated", 1)
    other = later(node.url, "b:1")
    node.wait("waiting", 1)
    for i in range(1, 40):
        following = later(node.url, "a:1", f"tokens:1 gate:g {i}")
        node.wait("gated", 2)
        node.open("g", 1)
        assert running.result(LIMIT_S).status == 200
        running = following
    assert not other.done()
    state = wire.get(node.url, "/sim/state").json()
    assert (state["loop"], state["in_hand"]) == ("evicting", "b:1")
    node.open("g")
    assert running.result(LIMIT_S).status == other.result(LIMIT_S).status == 200


def test_steady_traffic_does_not_starve_who_waits_for_another_model(stage):
    node = stage.node("a:1,tps=50", "b:1", parallel=2, max_loaded=1)
    gateway = stage.gateway([small(node)])
    for model in ("a:1", "b:1", "a:1"):  # so that the times of loading are known
        assert generate(gateway.url, model).status == 200
    running = [later(gateway.url, "a:1", f"tokens:4 {i}") for i in range(2)]
    other = later(gateway.url, "b:1")
    asked = 0
    while not other.done():
        assert running.pop(0).result(LIMIT_S).status == 200
        running.append(later(gateway.url, "a:1", f"tokens:4 again {asked}"))
        asked += 1
    assert other.result().status == 200
    assert [a.result(LIMIT_S).status for a in running] == [200] * 2
    assert node.counts()["failed_loads"] == 0
    assert node.counts()["loads"] == sum(kind == "load" for kind, _ in orders(node))


# Loads that fail


DIALECTS = [
    ("/api/chat", lambda body: body["error"]),
    ("/v1/chat/completions", lambda body: body["error"]["message"]),
    ("/v1/messages", lambda body: body["error"]["message"]),
]


@pytest.mark.parametrize("path,message", DIALECTS, ids=[path for path, _ in DIALECTS])
def test_a_load_that_fails_is_told_in_the_words_of_the_node(stage, path, message):
    node = stage.node("tiny")
    gateway = stage.gateway([node])
    node.fault("status", route="load", status=500, message=NO_MEMORY)
    asked = [harness.later(gateway.post, path, harness.body_for(path)) for _ in range(5)]
    for answer in [a.result(LIMIT_S) for a in asked]:
        assert answer.status == 500 and message(answer.json()) == NO_MEMORY
        assert b"\n" not in answer.body.rstrip(b"\n")
    gateway.wait_line(r"loading tiny:latest failed: model requires more")
    assert node.counts()["requests"] >= 1 and len(node.orders()) == 1


def test_a_load_that_fails_is_tried_on_another_node(stage):
    bad, good = stage.node("tiny"), stage.node("tiny")
    bad.fault("status", route="load", count=-1, message=NO_MEMORY)
    rows = [{"url": bad.url, "weight": 100}, {"name": "good", "url": good.url}]
    gateway = stage.gateway(rows)
    for _ in range(3):
        answer = generate(gateway.url, "tiny")
        assert answer.status == 200 and answer.header("x-drover-backend") == "good"
    assert (len(bad.orders()), len(good.orders())) == (1, 1)


@pytest.mark.parametrize(
    "kind,more,status",
    [
        ("status", {"status": 404, "message": "model 'tiny' not found"}, 404),
        ("close", {"count": -1}, 502),
        ("reset", {"count": -1}, 502),
        ("garbage", {}, 502),
        ("busy", {"count": -1}, 503),
        ("hang", {"count": -1}, 504),
    ],
)
def test_what_goes_wrong_with_a_load_ends_the_wait(stage, kind, more, status):
    node = stage.node("tiny")
    gateway = stage.gateway([node], {"timeouts": {"load": "300ms"}})
    node.fault(kind, route="load", **more)
    answer = generate(gateway.url, "tiny")
    assert answer.status == status and answer.json()["error"]
    assert (answer.header("retry-after") is not None) == (status == 503)
    gateway.wait_line("loading tiny:latest failed")


def test_a_node_that_was_busy_is_asked_again(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node])
    node.fault("busy", route="load", count=2)
    assert generate(gateway.url, "tiny").status == 200
    assert len(node.orders()) == 3


def test_a_load_that_hangs_is_left_for_another_node(stage):
    bad, good = stage.node("tiny"), stage.node("tiny")
    bad.fault("hang", route="load", count=-1)
    rows = [{"url": bad.url, "weight": 100}, {"name": "good", "url": good.url}]
    gateway = stage.gateway(rows, {"timeouts": {"load": "300ms"}})
    answer = generate(gateway.url, "tiny")
    assert answer.status == 200 and answer.header("x-drover-backend") == "good"
    bad.wait("open", most=0)


def held_load(shown):
    """A node whose second load takes until an event; it shows the model meanwhile, or not."""
    go = threading.Event()

    def obey(exchange):
        node = exchange.node
        if exchange.json().get("keep_alive") != 0 and node.orders:
            node.loaded = ["tiny:latest"] if shown else []
            assert go.wait(LIMIT_S)
        harness.fake.FakeNode.obey(node, exchange)

    return go, obey


SHORT_LOADS = {**QUICK, "timeouts": {"load": "15s"}}  # a second more than twice the usual


def loaded_before(stage, obey):
    node = stage.fake(loaded=[])
    node.obey = obey
    gateway = stage.gateway([node], SHORT_LOADS)
    assert generate(gateway.url, "tiny").status == 200
    node.loaded = []
    until_held(gateway)
    return node, gateway


def test_a_load_that_takes_long_and_is_seen_to_go_on_is_left_alone(stage):
    go, obey = held_load(shown=True)
    node, gateway = loaded_before(stage, obey)
    answer = later(gateway.url, "tiny")
    node.wait_looks(40)  # two seconds and more
    assert not answer.done()
    go.set()
    assert answer.result(LIMIT_S).status == 200
    assert len(node.orders) == 2


def test_a_load_that_takes_long_and_is_not_seen_is_given_up(stage):
    go, obey = held_load(shown=False)
    _, gateway = loaded_before(stage, obey)
    answer = generate(gateway.url, "tiny")
    assert answer.status == 504 and "in time" in answer.json()["error"]
    go.set()


def test_a_model_that_is_made_anew_is_tried_at_once(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node])
    node.fault("status", route="load", message=NO_MEMORY)
    assert generate(gateway.url, "tiny").status == 500
    pulled = gateway.post("/api/pull", {"model": "tiny", "stream": False})
    assert pulled.status == 200
    assert generate(gateway.url, "tiny").status == 200


# What others do


def test_what_a_client_unloads_is_loaded_by_an_order_again(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node])
    for _ in range(2):
        assert generate(gateway.url, "tiny").status == 200
        assert generate(gateway.url, "tiny", keep_alive=0, prompt="").status == 200
    assert orders(node) == [("load", "tiny:latest")] * 2
    assert node.counts()["loads"] == 2


def test_what_unloads_after_its_answer_is_loaded_by_an_order_again(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node])
    for _ in range(2):
        assert generate(gateway.url, "tiny", keep_alive=0).status == 200
    assert orders(node) == [("load", "tiny:latest")] * 2
    assert node.counts()["loads"] == 2


def test_what_others_unload_is_noticed(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node], QUICK)
    assert generate(gateway.url, "tiny").status == 200
    until_held(gateway, "tiny:latest")
    assert generate(node.url, "tiny", keep_alive=0, prompt="").status == 200
    until_held(gateway)
    assert generate(gateway.url, "tiny").status == 200
    assert orders(node) == [("load", "tiny:latest")] * 2


def test_what_expires_is_noticed(stage):
    node = stage.node("tiny", keep_alive="300ms")
    gateway = stage.gateway([node], QUICK)
    assert generate(gateway.url, "tiny").status == 200
    until_held(gateway)
    assert generate(gateway.url, "tiny").status == 200
    assert node.counts()["loads"] == 2


def test_what_others_load_is_lived_with(stage):
    """They loaded another model in the place of ours: it goes first, by name."""
    node = stage.node("a:1", "b:1", max_loaded=1)
    gateway = stage.gateway([small(node)], QUICK)
    assert generate(gateway.url, "a:1").status == 200
    assert generate(node.url, "b:1").status == 200
    until_held(gateway, "b:1")
    assert generate(gateway.url, "b:1").status == 200
    assert generate(gateway.url, "a:1").status == 200
    assert orders(node) == [("load", "a:1"), ("unload", "b:1"), ("load", "a:1")]


def test_a_node_that_holds_less_than_it_should_is_not_filled(stage):
    node = stage.node("a:1", "b:1", max_loaded=1)
    gateway = stage.gateway([{"url": node.url, "max_loaded": 3}], QUICK)
    assert generate(gateway.url, "a:1").status == 200
    assert generate(gateway.url, "b:1").status == 200
    gateway.wait_line("made room for a model by itself: it is taken to hold 1 at once, not 3")
    until_held(gateway, "b:1")
    for model in ("a:1", "b:1"):
        assert generate(gateway.url, model).status == 200
    swaps = [("unload", "b:1"), ("load", "a:1"), ("unload", "a:1"), ("load", "b:1")]
    assert orders(node)[2:] == swaps
    assert gateway.log().count("made room") == 1


def lose_and_hang(exchange):
    """The model is gone from /api/ps, and the request stays without an answer."""
    exchange.node.loaded = []
    exchange.wait_gone()


WATCHED = {**QUICK, "timeouts": {"load": "300ms", "first_byte": "10m"}}


def test_who_is_stuck_on_a_node_that_lost_the_model_is_served_elsewhere(stage):
    bad, good = stage.fake(lose_and_hang), stage.fake()
    rows = [{"name": "bad", "url": bad.url, "weight": 100}, {"name": "good", "url": good.url}]
    gateway = stage.gateway(rows, WATCHED)
    answer = generate(gateway.url, "tiny")
    assert answer.status == 200 and answer.header("x-drover-backend") == "good"
    gateway.wait_line("backend bad: no answer, and it does not hold tiny:latest any more")
    assert generate(gateway.url, "tiny").header("x-drover-backend") == "good"
    assert (len(bad.exchanges), bad.orders) == (1, [])


def test_who_is_stuck_on_the_only_node_is_told(stage):
    node = stage.fake(lose_and_hang)
    gateway = stage.gateway([node], WATCHED)
    answer = generate(gateway.url, "tiny")
    assert answer.status == 504 and "lost the model" in answer.json()["error"]


def test_who_waits_long_for_a_model_that_is_there_is_left_alone(stage):
    """Reading a long prompt takes what it takes."""
    go = threading.Event()

    def play(exchange):
        assert go.wait(LIMIT_S)
        exchange.node.answer(exchange)

    node = stage.fake(play)
    gateway = stage.gateway([node], WATCHED)
    answer = harness.later(generate, gateway.url, "tiny")
    node.wait_exchanges(1)
    node.wait_looks(20)  # a second and more
    assert not answer.done()
    go.set()
    assert answer.result(LIMIT_S).status == 200


def test_two_names_of_one_model_are_loaded_once(stage):
    node = stage.node("a:1", max_loaded=1)
    gateway = stage.gateway([small(node)], QUICK)
    copied = gateway.post("/api/copy", {"source": "a:1", "destination": "b:1"})
    assert copied.status == 200
    for model in ("b:1", "a:1", "b:1"):
        assert generate(gateway.url, model).status == 200
    assert orders(node) == [("load", "a:1")]
    until_held(gateway, "a:1")
    assert generate(gateway.url, "b:1", keep_alive=0, prompt="").status == 200
    assert generate(gateway.url, "a:1").status == 200
    assert orders(node) == [("load", "a:1")] * 2


# Who waits for what


def test_a_noisy_client_does_not_hold_up_a_light_one(stage):
    """200 requests of one address, one of another: that one waits for what runs, and no more."""
    go = threading.Semaphore(0)

    def play(exchange):
        assert go.acquire(timeout=LIMIT_S)
        exchange.reply({"response": exchange.json()["prompt"], "done": True})

    node = stage.fake(play)
    gateway = stage.gateway([{"url": node.url, "parallel": 1}], {"queue": {"per_key": 512}})

    def send(prompt, source):
        client = wire.Wire(gateway.url, source=source)
        client.request("POST", "/api/generate", harness.run(prompt))
        return client

    noisy = [send(f"noisy {i}", "127.0.0.1") for i in range(200)]
    node.wait_exchanges(1)
    while wire.get(gateway.admin, "/admin/v1/status").json()["queue"]["waiting"] < 199:
        pass
    light = send("light", "127.0.0.2")
    while wire.get(gateway.admin, "/admin/v1/status").json()["queue"]["waiting"] < 200:
        pass
    go.release(2)
    assert light.read_answer().json()["response"] == "light"
    node.wait_exchanges(3)
    go.release(200)
    assert [client.read_answer().status for client in noisy] == [200] * 200
    assert node.exchanges[1].json()["prompt"] == "light"
