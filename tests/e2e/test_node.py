"""The simulated node by itself: what other tests build on must be true first."""

import hashlib
import json
import subprocess

import pytest
from harness import wire
from harness.program import now_ms
from harness.wire import Wire

CHAT = [{"role": "user", "content": "hello"}]
BUSY = "server busy, please try again.  maximum pending requests exceeded"


def post(node, path, body=None, headers=()):
    return wire.post(node.url, path, body, headers)


def get(node, path, headers=()):
    return wire.get(node.url, path, headers)


def state(node):
    return get(node, "/sim/state").json()


def wait(node, event, count=1, **more):
    """Until a counter has reached `count`; with most=N until it is at most that."""
    query = "".join(f"&{key}={value}" for key, value in more.items())
    answer = get(node, f"/sim/wait?event={event}&count={count}{query}")
    assert answer.status == 200, (event, state(node))
    return answer.json()


def close_gate(node, name, at):
    assert post(node, "/sim/gate", {"name": name, "at": at}).status == 200


def open_gate(node, name, **more):
    assert post(node, "/sim/gate/open", {"name": name, **more}).status == 200


def begin(node, path, body):
    """Sends a request and leaves its answer to come."""
    connection = Wire(node.url)
    connection.request("POST", path, body)
    return connection


def generate(model="m", prompt="hi", **more):
    return {"model": model, "prompt": prompt, "stream": False, **more}


def words(answer):
    assert answer.status == 200 and answer.whole, answer
    return answer.json()["response"]


def loaded(node):
    return [row["name"] for row in get(node, "/api/ps").json()["models"]]


def test_one_token_is_one_chunk_and_the_head_comes_with_the_first(stage):
    node = stage.node("m")
    close_gate(node, "step", "before_each_token")
    with begin(node, "/api/generate", generate(prompt="gate:step tokens:3", stream=True)) as c:
        wait(node, "gated")
        assert not c.buffer
        open_gate(node, "step", times=1)
        answer = c.read_head()
        assert answer.header("content-type") == "application/x-ndjson"
        pieces = c.read_pieces(answer)
        first = json.loads(next(pieces))
        assert first["response"] and not first["done"]
        assert wait(node, "gated")["tokens"] == 1
        open_gate(node, "step")
        rest = [json.loads(piece) for piece in pieces]
    assert [line["done"] for line in rest] == [False, False, True]
    assert rest[-1]["eval_count"] == 3 and rest[-1]["done_reason"] == "stop"
    assert answer.whole


def test_equal_seeds_give_equal_bytes_and_others_only_other_times(stage):
    models = "m,load=20ms", "think,thinking", "e,embed"
    one, two, other = (stage.node(*models, seed=seed) for seed in (5, 5, 6))
    requests = [
        ("/api/generate", generate()),
        ("/api/generate", generate(stream=True)),
        ("/api/chat", {"model": "think", "messages": CHAT}),
        ("/api/embed", {"model": "e", "input": ["a", "b"]}),
        ("/v1/chat/completions", {"model": "m", "messages": CHAT, "stream": True}),
        ("/v1/completions", {"model": "m", "prompt": "x", "stream": True}),
        ("/v1/embeddings", {"model": "e", "input": "a"}),
        ("/v1/responses", {"model": "think", "input": "x", "stream": True}),
        ("/v1/messages", {"model": "think", "max_tokens": 50, "messages": CHAT, "stream": True}),
    ]
    for path, body in requests:
        first, again = post(one, path, body), post(one, path, body)
        assert first.status == 200 and first.body == again.body == post(two, path, body).body
    path, body = requests[0]
    first, differs = post(one, path, body).json(), post(other, path, body).json()
    assert first["created_at"] != differs["created_at"]
    assert first["response"] == differs["response"]
    assert get(one, "/api/tags").body == get(two, "/api/tags").body


def test_without_a_seed_time_is_real(stage):
    node = stage.node("m,load=2s,tps=200")  # longer than a busy machine's pauses
    first = post(node, "/api/generate", generate(options={"num_predict": 10})).json()
    again = post(node, "/api/generate", generate(options={"num_predict": 10})).json()
    assert first["created_at"] < again["created_at"]
    assert first["load_duration"] >= 2e9 > again["load_duration"]
    assert again["eval_duration"] >= 10 / 200 * 1e9
    assert first["response"] == again["response"] and first["eval_count"] == 10


def test_waiting_for_a_slot_is_no_part_of_the_load(stage):
    """Both by the system's clock: the wait is at least as long as it was seen to be."""
    node = stage.node("m", parallel=1)
    close_gate(node, "g", "before_first_token")
    with begin(node, "/api/generate", generate(prompt="gate:g")) as first:
        wait(node, "gated")
        with begin(node, "/api/generate", generate(prompt="second")) as second:
            wait(node, "waiting")
            seen_ms = now_ms()
            state(node)
            held_ns = (now_ms() - seen_ms) * 1e6
            open_gate(node, "g")
            assert first.read_answer("POST").status == 200
            said = second.read_answer("POST").json()
    assert said["load_duration"] + held_ns <= said["total_duration"]


def test_a_model_is_shown_while_it_loads(stage):
    node = stage.node("m,load=50ms")
    close_gate(node, "g", "before_load")
    with begin(node, "/api/generate", generate(prompt="gate:g")) as c:
        wait(node, "gated")
        assert state(node)["loop"] == "loading" and loaded(node) == ["m:latest"]
        open_gate(node, "g")
        assert words(c.read_answer("POST"))
    assert loaded(node) == ["m:latest"]


def test_slots_bound_what_runs_and_nothing_bounds_who_waits(stage):
    node = stage.node("m", parallel=2, max_queue=1)
    close_gate(node, "g", "before_first_token")
    connections = [begin(node, "/api/generate", generate(prompt=f"gate:g {i}")) for i in range(8)]
    assert wait(node, "open", 8)["running"] == 2
    assert state(node)["loaded"][0]["waiting"] == 6
    open_gate(node, "g")
    for c in connections:
        assert words(c.read_answer("POST"))
        c.close()
    models = state(node)["models"]
    assert models == {"m:latest": {"open": 0, "running": 0, "most_open": 8, "most_running": 2}}


def test_the_queue_for_loads_is_bounded(stage):
    node = stage.node("a", "b", "c", max_loaded=1, max_queue=1)
    close_gate(node, "g", "before_load")
    first = begin(node, "/api/generate", generate("a", "gate:g"))
    wait(node, "gated")
    second = begin(node, "/api/generate", generate("b"))
    wait(node, "waiting", 2)
    refused = post(node, "/api/generate", generate("c"))
    assert refused.status == 503 and refused.json() == {"error": BUSY}
    refused = post(node, "/v1/chat/completions", {"model": "c", "messages": CHAT})
    assert refused.status == 503 and refused.json()["error"]["message"] == BUSY
    refused = post(node, "/v1/messages", {"model": "c", "max_tokens": 1, "messages": CHAT})
    assert refused.json()["error"]["type"] == "overloaded_error"
    open_gate(node, "g")
    for c in (first, second):
        assert words(c.read_answer("POST"))
        c.close()
    assert loaded(node) == ["b:latest"]


def test_traffic_for_the_victim_starves_another_model(stage):
    node = stage.node("a", "b", max_loaded=1)
    close_gate(node, "g", "before_end")
    busy = begin(node, "/api/generate", generate("a", "gate:g"))
    wait(node, "gated")
    starved = begin(node, "/api/generate", generate("b"))
    wait(node, "waiting")
    for _ in range(20):
        following = begin(node, "/api/generate", generate("a", "gate:g"))
        wait(node, "waiting", 2)
        open_gate(node, "g", times=1)
        assert words(busy.read_answer("POST"))
        wait(node, "gated")
        busy.close()
        busy = following
        now = state(node)
        assert now["loop"] == "evicting" and now["in_hand"] == "b:latest"
    assert get(node, "/api/tags").status == 200
    open_gate(node, "g")
    assert words(busy.read_answer("POST")) and words(starved.read_answer("POST"))
    assert loaded(node) == ["b:latest"]
    busy.close()
    starved.close()


def test_another_num_ctx_reloads(stage):
    node = stage.node("m")
    for num_ctx, loads in ((None, 1), (4096, 1), (8192, 2), (8192, 2), (None, 3)):
        options = {} if num_ctx is None else {"num_ctx": num_ctx}
        assert words(post(node, "/api/generate", generate(options=options)))
        assert state(node)["counts"]["loads"] == loads
    row = get(node, "/api/ps").json()["models"][0]
    assert row["context_length"] == 4096


def test_load_and_unload_without_a_prompt(stage):
    node = stage.node("m,load=10ms", "e,embed")
    answer = post(node, "/api/generate", {"model": "m", "keep_alive": -1, "format": "json"})
    assert answer.json()["done_reason"] == "load" and "response" in answer.json()
    assert get(node, "/api/ps").json()["models"][0]["expires_at"] > "2300"
    answer = post(node, "/api/chat", {"model": "m", "keep_alive": 0, "messages": []})
    assert answer.json()["done_reason"] == "unload" and loaded(node) == []
    assert post(node, "/api/embed", {"model": "e"}).json() == {"model": "e", "embeddings": []}
    assert loaded(node) == ["e:latest"]
    post(node, "/api/embed", {"model": "e", "input": "x", "keep_alive": "10ms"})
    wait(node, "unloads", 2)


@pytest.mark.parametrize("leave", ["close", "reset", "half_close"])
def test_who_leaves_gives_back_what_it_held(stage, leave):
    node = stage.node("a,load=20s", "m", max_loaded=2)
    close_gate(node, "g", "before_token:2")
    running = begin(node, "/api/generate", generate("m", "gate:g", stream=True))
    wait(node, "gated")
    waiting = begin(node, "/api/generate", generate("m"))
    wait(node, "waiting")
    loading = begin(node, "/api/generate", generate("a"))
    wait(node, "loading")
    for aborted, (c, what) in enumerate(
        ((waiting, "open"), (running, "running"), (loading, "loading")), 1
    ):
        getattr(c, leave)()
        assert wait(node, "aborted", aborted)
        wait(node, what, most=2 if what == "open" else 0)
    counts = state(node)["counts"]
    assert counts["open"] == 0 and counts["waiting"] == 0 and counts["gated"] == 0
    assert counts["failed_loads"] == 1 and counts["loads"] == 1
    ends = [row["end"] for row in get(node, "/sim/log").json()["requests"]]
    assert ends == ["aborted"] * 3
    for c in (running, waiting, loading):
        c.close()
    assert words(post(node, "/api/generate", generate("m")))


def test_a_client_that_does_not_read_stops_only_its_own_stream(stage):
    node = stage.node("m", parallel=2)
    slow = Wire(node.url, receive_buffer=4096)
    slow.request("POST", "/api/generate", generate(prompt="tokens:100000", stream=True))
    wait(node, "started")
    assert words(post(node, "/api/generate", generate()))
    before = state(node)["counts"]["tokens"]
    assert before < 100000
    answer = slow.read_answer("POST")
    assert answer.whole and len(answer.lines()) == 100001
    slow.close()


FAULTS_BEFORE = {
    "status": lambda answer: answer.status == 418 and answer.json() == {"error": "tea"},
    "busy": lambda answer: answer.status == 503 and answer.json() == {"error": BUSY},
    "wrong_length": lambda answer: answer.status == 200 and not answer.whole,
    "two_lengths": lambda answer: len(answer.all("content-length")) == 2,
}


@pytest.mark.parametrize("kind", FAULTS_BEFORE)
def test_faults_that_answer_wrongly(stage, kind):
    node = stage.node("m")
    fault = {"kind": kind, "status": 418, "message": "tea", "count": 2}
    assert post(node, "/sim/fault", fault).status == 200
    for _ in range(2):
        assert FAULTS_BEFORE[kind](post(node, "/api/generate", generate()))
    assert words(post(node, "/api/generate", generate()))
    assert state(node)["counts"]["faulted"] == 2


def raw(node, body):
    with Wire(node.url) as c:
        c.request("POST", "/api/generate", body)
        return c.read_all()


def test_faults_of_the_connection(stage):
    node = stage.node("m")
    for kind in ("close", "reset"):
        post(node, "/sim/fault", {"kind": kind})
        assert raw(node, generate()) == b""
    post(node, "/sim/fault", {"kind": "garbage"})
    assert b"no colon here\r\n\x01\x02" in raw(node, generate())
    stream = generate(stream=True, options={"num_predict": 9})
    post(node, "/sim/fault", {"kind": "close", "after_tokens": 2})
    cut = raw(node, stream)
    assert cut.count(b'"done":false') == 2 and not cut.endswith(b"0\r\n\r\n")
    post(node, "/sim/fault", {"kind": "truncated_chunk", "after_tokens": 2})
    cut = raw(node, stream)
    assert cut.count(b'"done":false') == 2 and cut.endswith(b'40\r\n{"model":')
    post(node, "/sim/fault", {"kind": "no_done"})
    ended = post(node, "/api/generate", stream)
    assert ended.whole and len(ended.lines()) == 1 and not ended.lines()[0]["done"]
    post(node, "/sim/fault", {"kind": "error", "message": "boom"})
    ended = post(node, "/api/generate", stream)
    assert ended.whole and ended.lines()[-1] == {"error": "boom"} and ended.status == 200
    post(node, "/sim/fault", {"kind": "error", "after_tokens": 0})
    assert post(node, "/api/generate", stream).status == 500


def test_a_reset_is_seen_as_one(stage):
    node = stage.node("m")
    post(node, "/sim/fault", {"kind": "reset", "after_tokens": 1})
    with Wire(node.url) as c:
        c.request("POST", "/api/generate", generate(stream=True))
        with pytest.raises(ConnectionResetError):
            while c.socket.recv(65536):
                pass


def test_silence_lasts_until_the_client_leaves(stage):
    node = stage.node("m")
    for after in (-1, 1):
        post(node, "/sim/fault", {"kind": "hang", "after_tokens": after})
        c = begin(node, "/api/generate", generate(stream=True))
        wait(node, "faulted", 1 if after < 0 else 2)
        if after > 0:
            head = c.read_head()
            assert json.loads(next(c.read_pieces(head)))["response"]
        assert state(node)["counts"]["open"] == (1 if after > 0 else 0)
        c.close()
        wait(node, "aborted", 1 if after < 0 else 2)


def test_a_slow_answer_comes_byte_by_byte(stage):
    node = stage.node("m")
    for stream in (False, True):
        post(node, "/sim/fault", {"kind": "slow", "interval_ms": 0})
        slow = post(node, "/api/generate", generate(stream=stream, prompt="tokens:2"))
        assert slow.whole and slow.lines()[-1]["done"]
    post(node, "/sim/fault", {"kind": "slow", "interval_ms": 0, "route": "/api/version"})
    assert get(node, "/api/version").json()["version"]


def test_what_is_wrong_is_refused_in_ollamas_words(stage):
    node = stage.node("m", "e,embed")
    rows = [
        ("/api/generate", b"", 400, {"error": "missing request body"}),
        ("/api/generate", {"model": "x"}, 404, {"error": "model 'x' not found"}),
        ("/api/generate", {}, 404, {"error": "model '' not found"}),
        ("/api/generate", {"model": "a b"}, 400, {"error": "invalid model name"}),
        ("/api/chat", {}, 400, {"error": "model is required"}),
        (
            "/api/chat",
            {"model": "e", "messages": CHAT},
            400,
            {"error": '"e" does not support chat'},
        ),
        (
            "/api/generate",
            {"model": "m", "prompt": "x", "think": True},
            400,
            {"error": '"m" does not support thinking'},
        ),
        (
            "/api/generate",
            {"model": "m", "prompt": "x", "options": {"num_ctx": "8k"}},
            500,
            {"error": 'option "num_ctx" must be of type integer'},
        ),
        (
            "/api/embed",
            {"model": "x", "input": "a"},
            404,
            {"error": 'model "x" not found, try pulling it first'},
        ),
        ("/api/show", {"model": "x"}, 404, {"error": "model 'x' not found"}),
    ]
    for path, body, status, error in rows:
        answer = post(node, path, body)
        assert (answer.status, answer.json()) == (status, error), (path, body)
        assert answer.header("content-type") == "application/json; charset=utf-8"
    answer = post(node, "/v1/chat/completions", {"model": "x", "messages": CHAT})
    assert answer.status == 404 and answer.json()["error"]["type"] == "not_found_error"
    assert answer.header("content-type") == "application/json"


def test_routes_and_methods(stage):
    node = stage.node("m", version_string="9.9.9")
    assert get(node, "/").body == b"Ollama is running"
    for path in ("/", "/api/version", "/api/tags"):
        head = wire.ask(node.url, "HEAD", path)
        assert head.status == 200 and head.body == b""
        assert int(head.header("content-length")) == len(get(node, path).body)
    assert get(node, "/api/version").json() == {"version": "9.9.9"}
    answer = get(node, "/api/generate")
    assert answer.status == 405 and answer.header("allow") == "POST"
    for path in ("/nothing", "/api", "/api/generate/", "/debug/pprof/", "/v1/models/a/b"):
        answer = get(node, path)
        assert answer.status == 404 and answer.body == b"404 page not found"
    assert get(node, "/v1/models/m").json()["id"] == "m"
    old = wire.ask(node.url, "POST", "/api/generate", generate(stream=True), version="1.0")
    assert old.header("transfer-encoding") is None and old.lines()[-1]["done"]


def test_blobs_are_hashed_and_remembered(stage):
    node = stage.node("m")
    body = bytes(range(256)) * 4096
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    path = f"/api/blobs/{digest}"
    assert wire.ask(node.url, "HEAD", path).status == 404
    wrong = post(node, path, body + b"x")
    assert wrong.status == 400 and "digest mismatch" in wrong.json()["error"]
    assert post(node, path, body).status == 201
    assert post(node, path, body).status == 200
    assert wire.ask(node.url, "HEAD", path).status == 200
    assert post(node, "/api/blobs/sha256:12", body).json() == {"error": "invalid digest format"}
    made = post(node, "/api/create", {"model": "mine", "files": {"a.gguf": digest}})
    assert made.lines()[-1] == {"status": "success"}
    missing = {"a.gguf": "sha256:" + "0" * 64}
    refused = post(node, "/api/create", {"model": "mine", "files": missing, "stream": False})
    assert refused.status == 500 and "not found" in refused.json()["error"]


def test_models_are_pulled_copied_and_deleted(stage):
    node = stage.node("m")

    def names():
        return [row["name"] for row in get(node, "/api/tags").json()["models"]]

    pulled = post(node, "/api/pull", {"model": "fresh:1b"})
    assert pulled.header("content-type") == "application/x-ndjson"
    assert pulled.lines()[0] == {"status": "pulling manifest"}
    assert pulled.lines()[-1] == {"status": "success"}
    assert post(node, "/api/pull", {"name": "more", "stream": False}).json() == {
        "status": "success"
    }
    failed = post(node, "/api/pull", {"model": "missing"})
    assert failed.status == 200 and "error" in failed.lines()[-1]
    assert post(node, "/api/copy", {"source": "m", "destination": "twin"}).status == 200
    assert post(node, "/api/copy", {"source": "x", "destination": "y"}).status == 404
    assert names() == ["twin:latest", "more:latest", "fresh:1b", "m:latest"]
    assert words(post(node, "/api/generate", generate("m")))
    assert words(post(node, "/api/generate", generate("twin")))
    assert state(node)["counts"]["loads"] == 1
    for name, status in (("fresh:1b", 200), ("fresh:1b", 404), ("a b", 400)):
        assert wire.ask(node.url, "DELETE", "/api/delete", {"model": name}).status == status
    assert "fresh:1b" not in names()
    assert post(node, "/api/push", {"model": "m"}).lines()[-1] == {"status": "success"}
    post(node, "/sim/fault", {"kind": "close", "route": "/api/pull", "after_tokens": 2})
    cut = post(node, "/api/pull", {"model": "broken"})
    assert not cut.whole and len(cut.lines()) == 2


def test_hosts_and_origins_as_ollama_takes_them(stage):
    node = stage.node("m")
    for host, status in (
        ("localhost", 200),
        ("127.0.0.1:1", 200),
        ("a.local", 200),
        ("10.1.2.3", 200),
        ("[::1]:80", 200),
        ("evil.example", 403),
        ("8.8.8.8", 403),
        ("localhost.evil", 403),
    ):
        assert get(node, "/api/version", [("Host", host)]).status == status, host
    for origin, status in (
        ("http://localhost:3000", 200),
        ("vscode-file://x", 200),
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
    ):
        answer = get(node, "/api/version", [("Origin", origin)])
        assert answer.status == status, origin
        allowed = answer.header("access-control-allow-origin")
        assert allowed == (origin if status == 200 else None)
    preflight = wire.ask(node.url, "OPTIONS", "/api/chat", None, [("Origin", "http://localhost")])
    assert preflight.status == 204 and "POST" in preflight.header("access-control-allow-methods")


def test_a_key_is_asked_for(stage):
    node = stage.node("m", api_key="secret")
    assert get(node, "/api/tags").status == 401
    assert get(node, "/api/tags", [("Authorization", "Bearer wrong")]).status == 401
    assert get(node, "/api/tags", [("Authorization", "Bearer secret")]).status == 200
    assert state(node)["counts"]["requests"] == 3


def test_the_journal_says_what_was_received(stage, tmp_path):
    node = stage.node("m", log=tmp_path / "journal.jsonl")
    body = json.dumps(generate()).encode()
    answer = post(node, "/api/generate", body, [("X-Request-Id", "abc"), ("X-Odd", 'q"')])
    refused = post(node, "/api/generate", {"model": "x"})
    first, second = get(node, "/sim/log").json()["requests"]
    assert first["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert first["body_bytes"] == len(body) and first["model"] == "m"
    assert ["X-Request-Id", "abc"] in first["headers"] and ["X-Odd", 'q"'] in first["headers"]
    assert first["tokens"] == answer.json()["eval_count"] and first["end"] == "finished"
    assert first["arrived_ms"] <= first["started_ms"] <= first["first_ms"] <= first["ended_ms"]
    assert first["bytes_out"] > len(answer.body)
    assert second["status"] == refused.status == 404 and second["started_ms"] == 0
    assert len(get(node, "/sim/log?after=1").json()["requests"]) == 1
    assert post(node, "/sim/reset").status == 200
    assert get(node, "/sim/log").json() == {"requests": []}
    assert state(node)["counts"]["requests"] == 0
    node.stop()
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(row["number"], row["status"], row["end"]) for row in rows] == [
        (1, 0, None),  # its run begins
        (1, 200, "finished"),
        (2, 404, rows[2]["end"]),
    ]


def test_a_watch_gives_up(stage):
    node = stage.node("m")
    answer = get(node, "/sim/wait?event=requests&count=1&timeout=1ms")
    assert answer.status == 408 and answer.json()["requests"] == 0
    for query in ("", "?event=nothing", "?event=open&count=x"):
        assert get(node, f"/sim/wait{query}").status == 400
    assert get(node, "/sim/nothing").status == 404


def test_bodies_compressed_with_zstd_are_read_under_v1(stage):
    node = stage.node("m")
    body = json.dumps({"model": "m", "messages": CHAT}).encode()
    # One raw block: magic, a frame header without checksum and with the size, the block.
    frame = b"\x28\xb5\x2f\xfd\x20" + bytes([len(body)])
    frame += (len(body) << 3 | 1).to_bytes(3, "little") + body
    headers = [("Content-Encoding", "zstd")]
    assert post(node, "/v1/chat/completions", frame, headers).status == 200
    assert post(node, "/api/chat", frame, headers).status == 400
    assert post(node, "/v1/chat/completions", b"nonsense", headers).status == 400


def test_command_line(stage):
    node = stage.node("m")

    def run(*arguments):
        return subprocess.run(
            [node.command[0], *arguments], capture_output=True, text=True, timeout=60
        )

    for wrong in (
        ["--listen"],
        ["--nothing"],
        ["--parallel", "0"],
        ["stray"],
        ["--keep-alive", "5"],
        ["--seed", "-1"],
        ["--max-queue", "x"],
    ):
        done = run(*wrong)
        assert done.returncode == 2 and done.stderr and not done.stdout, wrong
    for wrong in (["--model", "m,tps=x"], ["--listen", node.url[7:]], ["--log", "/nowhere/x"]):
        done = run("--listen", "127.0.0.1:0", *wrong)
        assert done.returncode == 1 and done.stderr.startswith("drover-node: "), wrong
    done = run("--help")
    assert done.returncode == 0 and "/sim/wait" in done.stdout and "tps" in done.stdout
