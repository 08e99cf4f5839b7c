"""Options that make Ollama reload a model: requests that may share one context do, and none waits
for ever for another one."""

import threading

import harness
import pytest
from harness import wire

LIMIT_S = wire.LIMIT_S
SPLIT = {"models": [{"match": "*", "num_ctx": {"unify": False}}]}


def ask(url, num_ctx=None, prompt="tokens:1", model="tiny", **more):
    options = {} if num_ctx is None else {"options": {"num_ctx": num_ctx}}
    return wire.post(url, "/api/generate", harness.run(prompt, model=model, **options, **more))


def later(*arguments, **more):
    return harness.later(ask, *arguments, **more)


def context(node):
    """Of the only model that is loaded."""
    (row,) = wire.get(node.url, "/api/ps").json()["models"]
    return row["context_length"]


def until_probed(node):
    """Until the gateway has taken in what the node holds now: each of its looks at it is over
    before the next begins."""

    def looks():
        return sum(row["target"] == "/api/ps" for row in node.log_rows())

    first = looks()
    while looks() < first + 2:
        pass


@pytest.fixture
def served(stage):
    node = stage.node("tiny", parallel=4)
    rows = [{"url": node.url, "parallel": 4}]
    return node, stage.gateway(rows, {"health": {"interval": "50ms", "timeout": "20s"}})


def test_slightly_different_contexts_share_one_load(served):
    node, gateway = served
    said = [ask(gateway.url, n).header("x-drover-rewrite") for n in (5000, 6000, 8192, 100)]
    assert said == ["num_ctx=8192", "num_ctx=8192", None, "num_ctx=8192"]
    assert ask(gateway.url).header("x-drover-rewrite") == "num_ctx=8192"
    assert node.counts()["loads"] == 1 and context(node) == 8192


def test_asked_directly_each_of_them_is_a_load(stage):
    node = stage.node("tiny")
    for num_ctx in (5000, 6000, 8192, 100):
        assert ask(node.url, num_ctx).status == 200
    assert node.counts()["loads"] == 4


def test_what_fits_the_nodes_own_context_runs_with_it(served):
    node, gateway = served
    assert ask(gateway.url).header("x-drover-rewrite") is None
    until_probed(node)
    assert ask(gateway.url, 2048).header("x-drover-rewrite") == "num_ctx=default"
    assert node.counts()["loads"] == 1 and context(node) == 4096


def test_a_context_only_grows(served):
    node, gateway = served
    for num_ctx, want in ((5000, 8192), (10000, 16384), (5000, 16384)):
        assert ask(gateway.url, num_ctx).status == 200
        assert context(node) == want
    assert node.counts()["loads"] == 2


def test_without_the_rule_each_value_is_a_variant(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node], SPLIT)
    for num_ctx in (5000, 6000, None):
        answer = ask(gateway.url, num_ctx)
        assert answer.status == 200 and answer.header("x-drover-rewrite") is None
        assert context(node) == (num_ctx or 4096)
    assert node.counts()["loads"] == 3


@pytest.mark.parametrize("unify", [True, False])
def test_no_context_is_longer_than_the_model_was_trained_for(stage, unify):
    """Nodes say so in /api/tags, and give no more: all larger ones are one."""
    node = stage.node("tiny")
    gateway = stage.gateway([node], {"models": [{"match": "*", "num_ctx": {"unify": unify}}]})
    for num_ctx in (1e99, 2147483647, 131073, 10**30):
        assert ask(gateway.url, num_ctx).header("x-drover-rewrite") == "num_ctx=131072"
    assert ask(gateway.url, 131072).header("x-drover-rewrite") is None
    assert node.counts()["loads"] == 1 and context(node) == 131072


def test_routes_that_cannot_say_it_run_with_the_nodes_own(served):
    node, gateway = served
    assert ask(gateway.url, 8192).status == 200
    answer = gateway.post("/v1/chat/completions", harness.body_for("/v1/chat/completions"))
    assert answer.status == 200 and answer.header("x-drover-rewrite") is None
    assert context(node) == 4096


def test_other_options_are_kept_apart(served):
    node, gateway = served
    for options in ({"num_batch": 256}, {"num_batch": 128}, {"use_mmap": False}):
        answer = gateway.post("/api/generate", harness.run("tokens:1", options=options))
        assert answer.status == 200 and answer.header("x-drover-rewrite") is None
    assert node.counts()["loads"] == 3


def test_a_larger_context_waits_for_ever_when_asked_directly(stage):
    """What the gateway is for: steady requests for what is loaded keep it from being reloaded."""
    node = stage.node("tiny", parallel=2)
    node.gate("g", "before_first_token")
    running = later(node.url, None, "tokens:1 gate:g 0")
    node.wait("gated", 1)
    other = later(node.url, 8192)
    node.wait("waiting", 1)
    for i in range(1, 20):
        following = later(node.url, None, f"tokens:1 gate:g {i}")
        node.wait("gated", 2)
        node.open("g", 1)
        assert running.result(LIMIT_S).status == 200
        running = following
    assert not other.done()
    assert wire.get(node.url, "/sim/state").json()["loop"] == "evicting"
    node.open("g")
    assert running.result(LIMIT_S).status == other.result(LIMIT_S).status == 200


def test_a_larger_context_comes_to_its_turn_under_load(served):
    """Who comes behind it shares its context, so that what is loaded runs dry."""
    node, gateway = served
    node.gate("g", "before_first_token")
    running = [later(gateway.url, None, f"tokens:1 gate:g {i}") for i in range(3)]
    node.wait("gated", 3)
    other = later(gateway.url, 8192)
    harness.turn(gateway)
    behind = [later(gateway.url, None, f"tokens:1 {i}") for i in range(6)]
    harness.turn(gateway)
    node.open("g")
    answers = [a.result(LIMIT_S) for a in [*running, other, *behind]]
    assert [a.status for a in answers] == [200] * 10
    counts = node.counts()
    assert (counts["loads"], counts["failed_loads"]) == (2, 0)
    assert context(node) == 8192


@pytest.mark.parametrize("through", [False, True], ids=["direct", "through"])
def test_clients_that_want_different_contexts_do_not_thrash(stage, through):
    node = stage.node("tiny", parallel=2)
    url = stage.gateway([{"url": node.url, "parallel": 2}]).url if through else node.url
    contexts = [8192, 5000, 7000, 6000]
    asked = [later(url, contexts[i % 4], f"tokens:1 {i}") for i in range(40)]
    assert [a.result(LIMIT_S).status for a in asked] == [200] * 40
    loads = node.counts()["loads"]
    assert loads == 1 if through else loads > 4


def hold(node, gateway):
    """Keeps a node at work until the function is called that it returns."""
    go = threading.Event()
    play, node.play = node.play, lambda exchange: (go.wait(LIMIT_S), play(exchange))
    answer = harness.later(gateway.post, "/api/generate", harness.run())
    node.wait_in_hand(1)

    def release():
        go.set()
        assert answer.result(LIMIT_S).status == 200

    return release


def test_a_conversation_stays_where_it_was(stage):
    nodes = [stage.fake() for _ in range(2)]
    rows = [{"name": name, "url": n.url} for name, n in zip(("one", "two"), nodes)]
    gateway = stage.gateway(rows)
    turns = [{"role": "system", "content": "Be brief."}]

    def chat(which):
        """One more turn of one of two conversations."""
        turns.append({"role": "assistant", "content": "Yes."})
        first = {"role": "user", "content": f"Hello, {which}."}
        body = harness.body_for("/api/chat", messages=[turns[0], first, *turns[1:]], stream=False)
        return gateway.post("/api/chat", body).header("x-drover-backend")

    release = hold(nodes[0], gateway)
    assert chat("a") == "two"
    release()
    assert [chat("a") for _ in range(3)] == ["two"] * 3
    assert chat("b") == "one"
