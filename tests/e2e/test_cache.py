"""Answers that are kept: asked twice, computed once, and never given where they should not."""

import contextlib
import json
import os
import random
import threading

import harness
import ollama
import openai
import pytest
from harness import fake, wire

LIMIT_S = wire.LIMIT_S
NATIVE = {"options": {"seed": 1, "num_predict": 12}}
BY_TEMPERATURE = {"temperature": 0}
# What makes a request of each route deterministic.
SURE = {
    "/api/generate": NATIVE,
    "/api/chat": NATIVE,
    "/v1/chat/completions": {"seed": 1, "max_tokens": 12},
    "/v1/completions": {"seed": 1, "max_tokens": 12},
    "/v1/responses": BY_TEMPERATURE,
    "/v1/messages": BY_TEMPERATURE,
}
EMBEDS = ["/api/embed", "/api/embeddings", "/v1/embeddings"]
# Those of which one form is made of the other.
BOTH_WAYS = ["/api/generate", "/api/chat", "/v1/chat/completions", "/v1/completions"]
USAGE = {"stream_options": {"include_usage": True}}


def sure(path, **more):
    if path in EMBEDS:
        return harness.body_for(path, model="embedder", **more)
    return harness.body_for(path, **{**SURE[path], **more})


def result(answer):
    return answer.header("X-Drover-Cache")


@pytest.fixture
def pair(stage):
    node = stage.node("tiny", "llama3", "embedder,embed", parallel=8, seed=3)
    return node, stage.gateway([{"url": node.url, "parallel": 8}])


def runs(node):
    """What reached the node of clients' requests."""
    return [row["target"] for row in node.requests()]


# A hit is what the first answer was


@pytest.mark.parametrize("path", [*SURE, *EMBEDS])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_hit_has_the_bytes_of_the_first_answer(pair, path, stream):
    node, gateway = pair
    body = sure(path) if path in EMBEDS else sure(path, stream=stream)
    first, again = gateway.post(path, body), gateway.post(path, body)
    assert (result(first), result(again)) == ("miss", "hit")
    assert again.status == first.status == 200 and again.whole
    assert again.body == first.body
    assert again.header("Content-Type") == first.header("Content-Type")
    assert int(again.header("Age")) >= 0 and first.header("Age") is None
    assert again.header("X-Request-Id") != first.header("X-Request-Id")
    assert runs(node) == [path]


VOLATILE = {"id", "created", "created_at", "total_duration", "load_duration"}
VOLATILE |= {"prompt_eval_duration", "eval_duration"}


def steady(value):
    """Without what is another one each time."""
    return {k: v for k, v in value.items() if k not in VOLATILE}


def texts(path, answer):
    """The words of a stream, put together as a client does it, and its last record."""
    if path.startswith("/api"):
        lines = answer.lines()
        part = (lambda r: r["response"]) if "generate" in path else lambda r: r["message"]["content"]
        return "".join(part(line) for line in lines), lines[-1]
    records = [json.loads(event) for event in answer.events()[:-1]]
    assert answer.events()[-1] == "[DONE]"
    choices = [c for r in records for c in r["choices"]]
    part = (lambda c: c["delta"].get("content", "")) if "chat" in path else lambda c: c["text"]
    return "".join(part(c) for c in choices), records[-1]


def words(path, answer):
    value = answer.json()
    if path.startswith("/api"):
        return value["response"] if "generate" in path else value["message"]["content"]
    choice = value["choices"][0]
    return choice["message"]["content"] if "chat" in path else choice["text"]


@pytest.mark.parametrize("path", BOTH_WAYS)
def test_a_stream_answers_who_wants_the_whole(stage, pair, path):
    node, gateway = pair
    usage = {} if path.startswith("/api") else USAGE
    assert result(gateway.post(path, sure(path, stream=True, **usage))) == "miss"
    whole = gateway.post(path, sure(path, stream=False))
    assert result(whole) == "hit"
    direct = wire.post(stage.node("tiny", seed=3).url, path, sure(path, stream=False))
    assert steady(whole.json()) == steady(direct.json())
    assert whole.header("Content-Type") == direct.header("Content-Type")
    assert len(runs(node)) == 1


@pytest.mark.parametrize("path", BOTH_WAYS)
def test_a_whole_answers_who_wants_a_stream(pair, path):
    node, gateway = pair
    usage = {} if path.startswith("/api") else USAGE
    whole = gateway.post(path, sure(path, stream=False))
    stream = gateway.post(path, sure(path, stream=True, **usage))
    assert (result(whole), result(stream)) == ("miss", "hit")
    said, last = texts(path, stream)
    assert said == words(path, whole) != ""
    if path.startswith("/api"):
        assert last["done"] and last["eval_count"] == whole.json()["eval_count"]
    else:
        assert last["usage"] == whole.json()["usage"]
    assert len(runs(node)) == 1


def test_a_stream_without_its_usage_cannot_answer_who_wants_it(pair):
    node, gateway = pair
    path = "/v1/chat/completions"
    assert result(gateway.post(path, sure(path, stream=True))) == "miss"
    assert result(gateway.post(path, sure(path))) == "miss"
    # The fuller answer took its place.
    assert result(gateway.post(path, sure(path, stream=True, **USAGE))) == "hit"
    assert result(gateway.post(path, sure(path, stream=True))) == "hit"


def test_a_hit_names_the_model_as_it_was_asked_for(pair):
    node, gateway = pair
    for stream in (False, True):
        body = harness.body_for("/api/chat", model="llama3", stream=stream, **NATIVE)
        gateway.post("/api/chat", body)
        other = gateway.post("/api/chat", {**body, "model": "Llama3:latest"})
        assert result(other) == "hit"
        assert {line["model"] for line in other.lines()} == {"Llama3:latest"}
    assert len(runs(node)) == 1


def test_tools_and_thoughts_come_out_of_the_cache(stage):
    node = stage.fake()
    gateway = stage.gateway([node])
    for path in ("/api/chat", "/v1/chat/completions"):
        body = sure(path, stream=False, tools=[])
        whole, again = gateway.post(path, body), gateway.post(path, body)
        assert result(again) == "hit" and again.body == whole.body
    stream = gateway.post("/api/chat", sure("/api/chat", stream=True))
    calls = [line["message"].get("tool_calls") for line in stream.lines()]
    assert [c for c in calls if c] == [[{"function": fake.CALL}]]
    # A call without its index is not what Ollama sends: a stream is not made of it.
    path = "/v1/chat/completions"
    assert result(gateway.post(path, sure(path, stream=True))) == "miss"


@pytest.mark.parametrize("first", [False, True])
def test_clients_cannot_tell(pair, first):
    node, gateway = pair
    native, compatible = (
        ollama.Client(gateway.url),
        openai.OpenAI(base_url=gateway.url + "/v1", api_key="x"),
    )
    hello = [{"role": "user", "content": "hello"}]
    said = []
    for stream in (first, not first, first):
        answer = native.chat("tiny", hello, options=NATIVE["options"], stream=stream)
        parts = list(answer) if stream else [answer]
        assert parts[-1].done and parts[-1].eval_count == 12
        said.append("".join(p.message.content for p in parts))
    assert len(set(said)) == 1 and said[0]
    said = []
    for stream in (first, not first, first):
        usage = USAGE if stream else {}
        answer = compatible.chat.completions.create(
            model="tiny", messages=hello, seed=1, max_tokens=12, stream=stream, **usage
        )
        if stream:
            parts = list(answer)
            assert parts[-1].usage.completion_tokens == 12
            said.append("".join(c.delta.content or "" for p in parts for c in p.choices))
        else:
            assert answer.usage.completion_tokens == 12
            said.append(answer.choices[0].message.content)
    assert len(set(said)) == 1 and said[0]
    assert runs(node) == ["/api/chat", "/v1/chat/completions"]


# What shares an entry, and what does not


def chat(text='"hello"', options='{"seed":1}', model='"llama3"', more=""):
    return (
        '{"model":%s,"messages":[{"role":"user","content":%s}],"options":%s,"stream":false%s}'
        % (model, text, options, more)
    )


SHARE = [
    chat(options='{ "seed" : 1.0 }'),
    chat(model='"llama3:latest"'),
    chat(text='"\\u0068ello"'),
    chat(more=',"keep_alive":"5m","format":null,"tools":[]'),
    '{"stream":true,"options":{"seed":1},"messages":[{"content":"hello","role":"user"}],'
    '"model":"LLAMA3"}',
]
DIFFER = [
    chat(text='"hello "'),
    chat(options='{"seed":2}'),
    chat(options='{"seed":1,"num_predict":5}'),
    chat(model='"tiny"'),
    chat(more=',"format":"json"'),
    chat(more=',"messages2":1'),
    chat(more=',"tools":[{"type":"function","function":{"name":"f"}}]'),
]


def test_equal_meaning_shares_an_entry_and_nothing_else_does(pair):
    node, gateway = pair
    assert result(gateway.post("/api/chat", chat())) == "miss"
    for body in SHARE:
        assert result(gateway.post("/api/chat", body)) == "hit", body
    for body in DIFFER:
        assert result(gateway.post("/api/chat", body)) == "miss", body
    # What was a hit is known by its bytes, and is what it was.
    for body in (SHARE + DIFFER) * 2:
        assert result(gateway.post("/api/chat", body)) == "hit", body
    assert len(runs(node)) == 1 + len(DIFFER)


def test_only_what_would_be_the_same_again_is_kept(stage, pair):
    node, gateway = pair
    for body in (
        harness.body_for("/api/chat", stream=False),
        harness.body_for("/api/chat", stream=False, options={"temperature": 0.1}),
        harness.body_for("/api/chat", stream=False, options={"seed": -1}),
        '{"model":"tiny","prompt":"x","stream":false,"options":{"seed":1,"seed":2}}',
    ):
        path = "/api/generate" if "prompt" in body else "/api/chat"
        assert [result(gateway.post(path, body)) for _ in range(2)] == ["bypass"] * 2
    keeps_all = stage.gateway([node], {"cache": {"mode": "all"}})
    body = harness.body_for("/api/chat", stream=False)
    assert [result(keeps_all.post("/api/chat", body)) for _ in range(2)] == ["miss", "hit"]
    keeps_none = stage.gateway([node], {"cache": {"mode": "off"}})
    body = sure("/api/chat")
    assert [result(keeps_none.post("/api/chat", body)) for _ in range(2)] == [None] * 2


def test_cache_control_is_obeyed(pair):
    node, gateway = pair
    body = sure("/api/generate", stream=False)

    def ask(control=None):
        headers = [("Cache-Control", control)] if control else []
        answer = gateway.post("/api/generate", body, headers)
        return answer.status, result(answer)

    assert ask("only-if-cached") == (504, None)
    assert ask("no-store") == (200, "bypass")
    assert ask("no-cache") == (200, "miss")
    assert ask("max-age=0, No-Cache") == (200, "miss")
    assert ask("only-if-cached") == (200, "hit")
    assert ask("no-store") == (200, "bypass")
    assert ask() == (200, "hit")
    assert len(runs(node)) == 4


# What is never kept


def test_errors_and_broken_streams_are_not_kept(stage):
    asked = []

    def play(exchange):
        asked.append(exchange)
        if len(asked) == 1:
            exchange.reply({"error": "no"}, status="500 Internal Server Error")
            return
        exchange.begin()
        exchange.line(model="tiny", response="half", done=False)
        if len(asked) == 2:
            exchange.line(error="the model broke")
        if len(asked) == 3:
            exchange.reset()
            return
        if len(asked) == 5:
            exchange.line(model="tiny", response="", done=True, done_reason="stop")
        exchange.end()

    gateway = stage.gateway([stage.fake(play)])
    body = sure("/api/generate")
    got = [gateway.post("/api/generate", body) for _ in range(6)]
    assert [result(a) for a in got] == ["miss"] * 5 + ["hit"]
    assert [a.status for a in got] == [500] + [200] * 5
    assert [a.whole for a in got] == [True, True, False, True, True, True]
    assert got[5].body == got[4].body


def test_an_answer_over_the_bound_is_not_kept(stage, pair):
    node, _ = pair
    gateway = stage.gateway([node], {"cache": {"max_entry": "1KiB"}})
    small = sure("/api/generate", stream=False, prompt="tokens:3")
    large = sure("/api/generate", stream=False, prompt="tokens:900", options={"seed": 1})
    for body, then in ((small, "hit"), (large, "miss")):
        assert result(gateway.post("/api/generate", body)) == "miss"
        assert result(gateway.post("/api/generate", body)) == then


def test_a_model_that_changed_is_forgotten(pair):
    node, gateway = pair
    tiny, llama = sure("/api/generate"), sure("/api/generate", model="llama3")
    for body in (tiny, llama):
        gateway.post("/api/generate", body)
    assert gateway.post("/api/pull", {"model": "LLAMA3:latest", "stream": False}).status == 200
    assert result(gateway.post("/api/generate", tiny)) == "hit"
    assert result(gateway.post("/api/generate", llama)) == "miss"


def test_a_model_that_changed_behind_the_gateway_is_another_one(stage):
    node = stage.node("tiny", "llama3")
    gateway = stage.gateway([node], {"health": {"interval": "20ms", "timeout": "20s"}})
    body = sure("/api/generate")
    assert [result(gateway.post("/api/generate", body)) for _ in range(2)] == ["miss", "hit"]
    # What is tiny now was llama3 before.
    assert wire.post(node.url, "/api/copy", {"source": "llama3", "destination": "tiny"}).status == 200
    while result(gateway.post("/api/generate", body)) == "hit":
        pass  # until the node was asked for its models again
    # Names of one model share its answers.
    again = gateway.post("/api/generate", sure("/api/generate", model="llama3"))
    assert result(again) == "hit"
    assert {line["model"] for line in again.lines()} == {"llama3"}


def test_an_operator_sees_and_purges_it(pair):
    node, gateway = pair
    tiny, llama = sure("/api/generate"), sure("/api/generate", model="llama3")
    for body in (tiny, llama, tiny):
        gateway.post("/api/generate", body)

    def shown():
        return wire.get(gateway.admin, "/admin/v1/status").json()["cache"]

    def purge(body=None):
        return wire.post(gateway.admin, "/admin/v1/cache/purge", body)

    seen = shown()
    assert (seen["entries"], seen["hits"], seen["misses"]) == (2, 1, 2)
    assert seen["bytes"] > 0 and seen["joined"] == seen["stale"] == seen["evicted"] == 0
    assert purge({"model": "Llama3"}).json() == {"purged": 1}
    assert result(gateway.post("/api/generate", tiny)) == "hit"
    assert result(gateway.post("/api/generate", llama)) == "miss"
    assert purge().json() == {"purged": 2}
    assert shown()["entries"] == 0
    for wrong in ({"models": "tiny"}, {"model": ""}, [], "{", {"model": "tiny", "all": True}):
        assert purge(wrong).status == 400


# Keys and rules


def key(name, **more):
    return {"name": name, "key": f"secret-{name}", **more}


def as_key(name):
    return [("Authorization", f"Bearer secret-{name}")]


@pytest.mark.parametrize("scope", ["shared", "key"])
def test_keys_share_what_is_kept_or_do_not(stage, scope):
    settings = {"keys": [key("a"), key("b")], "cache": {"scope": scope}}
    gateway = stage.gateway([stage.node("tiny")], settings)
    body = sure("/api/generate")
    got = [result(gateway.post("/api/generate", body, as_key(n))) for n in ("a", "a", "b", "b")]
    assert got == ["miss", "hit", "hit" if scope == "shared" else "miss", "hit"]


def test_a_key_gets_only_answers_of_its_models(stage):
    gateway = stage.gateway([stage.node("tiny")], {"keys": [key("a"), key("b", models=["no"])]})
    body = sure("/api/generate")
    assert result(gateway.post("/api/generate", body, as_key("a"))) == "miss"
    refused = gateway.post("/api/generate", body, as_key("b"))
    assert (refused.status, result(refused)) == (403, None)


def test_hits_count_as_requests_and_as_tokens_only_where_that_is_wanted(stage):
    node, body = stage.node("tiny"), sure("/api/generate", stream=False)
    for charge in (False, True):
        row = key("a", requests_per_minute=1, burst=3, tokens_per_minute=200)
        gateway = stage.gateway([node], {"keys": [row], "cache": {"charge": charge}})

        def tokens_left():
            me = gateway.get("/drover/v1/me", as_key("a")).json()
            return me["limits"]["tokens_per_minute"]["remaining"]

        first = gateway.post("/api/generate", body, as_key("a")).json()
        cost = first["prompt_eval_count"] + first["eval_count"]
        before = tokens_left()
        assert result(gateway.post("/api/generate", body, as_key("a"))) == "hit"
        # The bucket fills meanwhile, slower than a hit empties it.
        assert (before - tokens_left() > cost / 2) == charge
        answers = [gateway.post("/api/generate", body, as_key("a")) for _ in range(2)]
        assert [a.status for a in answers] == [200, 429]


def test_rules_part_answers_and_say_what_is_kept(stage):
    node = stage.node("tiny", "llama3")
    rules = [
        {"match": "tiny", "num_predict": {"max": 5}},
        {"match": "llama3", "cache": "all"},
    ]
    gateway = stage.gateway([node], {"models": rules})
    got = [gateway.post("/api/generate", sure("/api/generate")) for _ in range(2)]
    assert [result(a) for a in got] == ["miss", "hit"]
    assert {a.header("X-Drover-Rewrite") for a in got} == {"num_predict=5"}
    free = harness.body_for("/api/generate", model="llama3")
    assert [result(gateway.post("/api/generate", free)) for _ in range(2)] == ["miss", "hit"]


# When no backend can


def test_after_its_time_it_answers_only_where_nobody_else_does(stage):
    def play(exchange):
        exchange.reply(fake.ANSWERS["/api/generate"])

    node = stage.fake(play)
    gateway = stage.gateway([node], {"cache": {"ttl": "1ms", "stale": "1h"}})
    body = sure("/api/generate", stream=False)
    first = gateway.post("/api/generate", body)
    while result(again := gateway.post("/api/generate", body)) == "hit":
        pass  # until the millisecond is over
    assert (again.status, result(again)) == (200, "miss")
    node.halt()
    stale = gateway.post("/api/generate", body)
    assert (stale.status, result(stale)) == (200, "stale")
    assert stale.body == first.body and stale.header("Age") is not None
    other = gateway.post("/api/generate", sure("/api/generate", prompt="another"))
    assert other.status >= 500


# One answer for many


class Hand:
    """A node that streams line by line, when it is told."""

    def __init__(self, stage, **options):
        self.node = stage.fake(lambda exchange: exchange.wait_gone(), **options)

    def take(self, count=1):
        return self.node.wait_exchanges(count)[count - 1]


def say(exchange, *texts):
    for text in texts:
        exchange.line(model="tiny", response=text, done=False)


def finish(exchange):
    exchange.line(model="tiny", response="", done=True, done_reason="stop")
    exchange.end()


def ask_all(stack, gateway, count, body=None, headers=()):
    """So many connections with the same request, all of them read by the gateway."""
    clients = []
    for _ in range(count):
        client = stack.enter_context(wire.Wire(gateway.url))
        client.request("POST", "/api/generate", body or sure("/api/generate"), headers)
        clients.append(client)
        harness.turn(gateway)
    return clients


def test_a_hundred_equal_requests_are_one(stage):
    hand = Hand(stage)
    gateway = stage.gateway([hand.node])
    with contextlib.ExitStack() as stack:
        clients = ask_all(stack, gateway, 60)
        exchange = hand.take()
        exchange.begin()
        say(exchange, "one ")
        heads = [client.read_head() for client in clients]
        late = ask_all(stack, gateway, 40)
        say(exchange, "two ")
        # The leader leaves in the middle.
        clients[0].close()
        harness.turn(gateway)
        say(exchange, "three")
        finish(exchange)
        answers = []
        for client, head in zip(clients[1:], heads[1:]):
            list(client.read_pieces(head))
            answers.append(head)
        answers += [client.read_answer() for client in late]
    assert len(answers) == 99 and all(a.whole for a in answers)
    assert len({a.body for a in answers}) == 1
    assert [line["response"] for line in answers[0].lines()] == ["one ", "two ", "three", ""]
    assert {result(a) for a in answers} == {"joined"}
    assert len(hand.node.exchanges) == 1
    # What nobody's client waited for to the end was kept all the same.
    assert result(gateway.post("/api/generate", sure("/api/generate"))) == "hit"
    gateway.wait_line("status=499.*cache=miss")


def test_a_follower_of_another_form_gets_its_own(stage):
    hand = Hand(stage)
    gateway = stage.gateway([hand.node])
    with contextlib.ExitStack() as stack:
        (leader,) = ask_all(stack, gateway, 1)
        (whole,) = ask_all(stack, gateway, 1, sure("/api/generate", stream=False))
        (named,) = ask_all(stack, gateway, 1, sure("/api/generate", model="TINY:latest"))
        exchange = hand.take()
        exchange.begin()
        say(exchange, "a", "b")
        finish(exchange)
        assert leader.read_answer().whole
        answer = whole.read_answer()
        assert (answer.json()["response"], result(answer)) == ("ab", "joined")
        assert [line["model"] for line in named.read_answer().lines()] == ["TINY:latest"] * 3
    assert len(hand.node.exchanges) == 1


def test_a_follower_leads_where_the_leader_leaves_before_the_answer(stage):
    hand = Hand(stage)
    gateway = stage.gateway([hand.node])
    with contextlib.ExitStack() as stack:
        leader, *others = ask_all(stack, gateway, 3)
        hand.take()
        leader.close()
        exchange = hand.take(2)
        hand.node.wait_in_hand(1)
        exchange.begin()
        say(exchange, "x")
        finish(exchange)
        answers = [client.read_answer() for client in others]
    assert [result(a) for a in answers] == ["miss", "joined"]
    assert answers[0].body == answers[1].body
    assert len(hand.node.exchanges) == 2


def test_each_follower_gets_its_own_error(stage):
    def play(exchange):
        waiting.append(exchange)
        if len(waiting) == 1:
            exchange.wait_gone()
        exchange.reply({"error": f"no {len(waiting)}"}, status="500 Internal Server Error")

    waiting = []
    node = stage.fake(play)
    gateway = stage.gateway([node])
    with contextlib.ExitStack() as stack:
        leader, *others = ask_all(stack, gateway, 3)
        node.wait_exchanges(1)
        leader.close()
        answers = [client.read_answer() for client in others]
    assert [(a.status, a.json()["error"]) for a in answers] == [(500, "no 2"), (500, "no 3")]


def test_a_node_that_breaks_off_breaks_all(stage):
    hand = Hand(stage)
    gateway = stage.gateway([hand.node])
    with contextlib.ExitStack() as stack:
        clients = ask_all(stack, gateway, 3)
        exchange = hand.take()
        exchange.begin()
        say(exchange, "half")
        heads = [client.read_head() for client in clients]
        exchange.close()
        for client, head in zip(clients, heads):
            with pytest.raises(wire.Cut):
                list(client.read_pieces(head))
            assert set(head.lines()[-1]) == {"error"}
        assert len({head.lines()[0]["response"] for head in heads}) == 1


def test_work_nobody_waits_for_is_stopped(stage):
    hand = Hand(stage)
    gateway = stage.gateway([hand.node])
    with contextlib.ExitStack() as stack:
        leader, follower = ask_all(stack, gateway, 2)
        exchange = hand.take()
        exchange.begin()
        say(exchange, "x")
        leader.read_head()
        follower.read_head()
        leader.close()
        harness.turn(gateway)
        say(exchange, "y")
        follower.close()
        hand.node.wait_in_hand(0)


def test_a_slow_client_delays_nobody(stage):
    hand = Hand(stage)
    gateway = stage.gateway([hand.node], {"cache": {"max_entry": "64KiB"}})
    piece = "x" * 10000
    with contextlib.ExitStack() as stack:
        slow = stack.enter_context(wire.Wire(gateway.url, receive_buffer=4096))
        slow.request("POST", "/api/generate", sure("/api/generate"))
        harness.turn(gateway)
        (fast,) = ask_all(stack, gateway, 1)
        exchange = hand.take()
        exchange.begin()
        head = fast.read_head()
        pieces = fast.read_pieces(head)
        read = 0
        for said in range(1, 1401):  # no faster than the fast one reads, who else might be cut too
            say(exchange, piece)
            while read < said * 10000:
                read += len(next(pieces))
        assert gateway.resident_kib() < 60000 * gateway.memory_factor
        slow_got = slow.read_answer()
        assert not slow_got.whole
        assert len(slow_got.body) < 1400 * 10000
        finished = harness.later(lambda: list(pieces))
        finish(exchange)
        finished.result(LIMIT_S)
        assert head.whole


def test_requests_of_another_class_or_with_a_deadline_do_not_join(stage):
    hand = Hand(stage)
    gateway = stage.gateway([{"url": hand.node.url, "parallel": 4}])
    with contextlib.ExitStack() as stack:
        ask_all(stack, gateway, 1)
        ask_all(stack, gateway, 1, headers=[("X-Drover-Priority", "high")])
        ask_all(stack, gateway, 1, headers=[("X-Drover-Timeout", "60s")])
        hand.take(3)


def test_joining_can_be_turned_off(stage):
    hand = Hand(stage)
    gateway = stage.gateway([{"url": hand.node.url, "parallel": 4}], {"cache": {"join": False}})
    with contextlib.ExitStack() as stack:
        ask_all(stack, gateway, 2)
        hand.take(2)


# After a restart


def test_what_was_kept_outlives_a_kill(stage, tmp_path):
    node = stage.node("tiny", parallel=8)
    settings = {"state": str(tmp_path / "state")}
    gateway = stage.gateway([{"url": node.url, "parallel": 8}], settings)
    bodies = [sure("/api/generate", prompt=f"tokens:2 {i}", stream=False) for i in range(300)]
    first = [gateway.post("/api/generate", body).body for body in bodies]
    other = stage.gateway([node], settings)  # the folder is taken: it does without
    other.wait_line("cache.*database is locked")
    assert other.post("/api/generate", bodies[0]).status == 200
    last = sure("/api/generate", prompt="the last", stream=False)
    gateway.post("/api/generate", last)
    gateway.post("/api/delete", {"model": "no-such-model"})
    gateway.kill()
    gateway = stage.gateway([node], settings)
    gateway.wait_line(r"cache.* 30[01] answers")
    for body, was in zip(bodies, first):
        answer = gateway.post("/api/generate", body)
        assert (result(answer), answer.body) == ("hit", was)


def test_a_damaged_file_costs_what_is_damaged(stage, tmp_path):
    node = stage.node("tiny", parallel=8)
    settings = {"state": str(tmp_path / "state")}
    gateway = stage.gateway([node], settings)
    bodies = [sure("/api/generate", prompt=f"tokens:40 {i}", stream=False) for i in range(60)]
    for body in bodies:
        gateway.post("/api/generate", body)
    gateway.stop()
    file = tmp_path / "state" / "cache.db"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    gateway = stage.gateway([node], settings)
    gateway.wait_line(r"it is damaged: \d+ entries could be read, the others are lost")
    answers = [gateway.post("/api/generate", body) for body in bodies]
    assert {a.status for a in answers} == {200}
    assert {result(a) for a in answers} <= {"hit", "miss"}


# All of it at once


def test_a_storm_of_equal_requests_leaves_nothing_behind(stage):
    """Leaders and followers that leave anywhere, nodes that refuse, break off or end early: who
    stays gets all of one answer or an honest end, and then nothing is under way any more."""
    seed = int(os.environ.get("DROVER_SEED", random.randrange(1 << 32)))
    print(f"DROVER_SEED={seed}")
    rng, lock = random.Random(seed), threading.Lock()

    def draw(*choices):
        with lock:
            return rng.choice(choices)

    def play(exchange):
        text = f"{exchange.json()['prompt']} {len(node.exchanges)}"
        how = draw("well", "well", "well", "well", "error", "break", "early")
        if how == "error":
            exchange.reply({"error": "no"}, status="500 Internal Server Error")
            return
        with contextlib.suppress(OSError):
            exchange.begin()
            for word in text.split():
                say(exchange, word + " " * draw(1, 10, 20000))
            if how == "break":
                exchange.reset()
            elif how == "early":
                exchange.end()
            else:
                finish(exchange)

    def live(number):
        body = sure("/api/generate", prompt=f"p{number % 5}", stream=draw(True, True, False))
        leaves = draw("no", "no", "at once", "in the middle")
        with wire.Wire(gateway.url) as client:
            client.request("POST", "/api/generate", body)
            if leaves == "at once":
                return None
            answer = client.read_head()
            with contextlib.suppress(wire.Cut):
                for _ in client.read_pieces(answer):
                    if leaves == "in the middle":
                        return None
        return answer

    node = stage.fake(play)
    cache = {"ttl": "20ms", "stale": "0", "max_entry": "64KiB"}
    settings = {"cache": cache, "breaker": {"failures": 1000}}
    gateway = stage.gateway([{"url": node.url, "parallel": 3}], settings)
    for _ in range(6):
        stayed = [a.result(LIMIT_S) for a in [harness.later(live, n) for n in range(50)]]
        for answer in filter(None, stayed):
            assert answer.status in (200, 500) or not answer.whole
            if answer.status != 200 or not answer.whole:
                continue
            lines = answer.lines()
            assert lines[0]["response"].startswith("p")
            assert "error" not in lines[-1]
    harness.turn(gateway)
    while wire.get(gateway.admin, "/admin/v1/requests").json():
        pass  # what is still under way for nobody ends by itself
    status = wire.get(gateway.admin, "/admin/v1/status").json()
    assert (status["running"], status["queue"]["waiting"]) == (0, 0)
    assert all(backend["busy"] == 0 for backend in status["backends"])
