"""drover-bench before nodes whose own account of the same requests is known."""

import contextlib
import html.parser
import json
import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest
from conftest import find_program
from harness import wire
from harness.fake import FakeNode
from harness.program import LIMIT_S, now_ms

TRACES = pathlib.Path(__file__).resolve().parents[2] / "bench" / "schedsim" / "traces"

APIS = {
    "generate": "/api/generate",
    "chat": "/api/chat",
    "openai": "/v1/chat/completions",
    "completions": "/v1/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
    "embed": "/api/embed",
    "embeddings": "/v1/embeddings",
}


def is_embedding(api):
    return api.startswith("embed")


# Its counts are the node's ----------------------------------------------------------------------


@pytest.mark.parametrize("stream", ["yes", "no"])
@pytest.mark.parametrize("api", APIS)
def test_its_counts_are_those_of_the_nodes_journal(stage, api, stream):
    if is_embedding(api) and stream == "yes":
        pytest.skip("embeddings do not stream")
    node = stage.node("tiny", "nomic-embed-text", parallel=4)
    model = "nomic-embed-text" if is_embedding(api) else "tiny"
    found = stage.bench(
        node, "--api", api, "--model", model, "--stream", stream, "--requests", 20,
        "--concurrency", 4, "--num-predict", 10,
    ).result()  # fmt: skip
    rows = node.requests()
    assert len(rows) == 20 and {row["target"] for row in rows} == {APIS[api]}
    assert found["completed"] == 20 and found["failed"] == 0
    assert found["total_output_tokens"] == sum(row["tokens"] for row in rows)
    assert found["max_concurrent_requests"] == 4
    assert found["total_input_tokens"] > 20 * 10
    assert (found["mean_ttft_ms"] is not None) == (stream == "yes")
    assert sum(step["count"] for step in found["e2el_histogram"]) == 20


def test_what_a_stream_lacks_of_counts_is_counted_by_its_records(stage):
    """Some servers say no usage."""

    def play(exchange):
        exchange.begin("text/event-stream")
        for _ in range(3):
            exchange.chunk(b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n')
        exchange.chunk(b"data: [DONE]\n\n")
        exchange.end()

    node = stage.fake(play)
    found = stage.bench(node, "--api", "openai", "--model", "m", "--requests", 2).result()
    assert found["completed"] == 2 and found["total_output_tokens"] == 6


def test_warming_up_is_not_measured(stage):
    node = stage.node("a", "b", parallel=4)
    found = stage.bench(
        node, "--model", "a", "--model", "b=0.0001", "--warmup", 6, "--requests", 10
    ).result()
    models = [row["model"].split(":")[0] for row in node.requests()]
    assert found["completed"] == 10 and len(models) == 16
    assert models[:6].count("a") == 3 and models[:6].count("b") == 3
    assert found["model_loads"] == 0


def test_a_mix_reaches_the_node_as_it_is_reported(stage):
    node = stage.node("a", "b", parallel=4, max_loaded=2)
    found = stage.bench(
        node, "--model", "a=3", "--model", "b", "--key", "sk-one", "--key", "sk-two",
        "--priority", "high", "--priority", "low=2", "--requests", 60, "--concurrency", 4,
    ).result()  # fmt: skip
    seen = {}
    for row in node.requests():
        headers = {name.lower(): value for name, value in row["headers"]}
        for what in (row["model"], headers["authorization"], headers["x-drover-priority"]):
            seen[what] = seen.get(what, 0) + 1
    said = {(g["by"], g["name"]): g["completed"] for g in found["groups"]}
    assert said["model", "a"] == seen["a"] and said["model", "b"] == seen["b"]
    assert said["key", "1"] == seen["Bearer sk-one"] and said["key", "2"] == seen["Bearer sk-two"]
    assert said["class", "high"] == seen["high"] and said["class", "low"] == seen["low"]
    assert "sk-" not in json.dumps(found)


def test_a_trace_is_replayed_whole(stage):
    node = stage.node("tiny", parallel=8)
    for trace, count in (("mooncake.jsonl", 5), ("burstgpt.csv", 4)):
        node.control("reset")
        found = stage.bench(
            node, "--model", "tiny", "--trace", TRACES / trace, "--trace-speed", 10000
        ).result()
        rows = node.requests()
        assert found["completed"] == len(rows) == count
        assert found["total_output_tokens"] == sum(row["tokens"] for row in rows)


def test_prompts_of_a_file_are_asked_in_turn(stage, tmp_path):
    node = stage.node("tiny", "other", parallel=2)
    file = tmp_path / "prompts"
    file.write_text('tokens:5\n{"prompt": "tokens:7", "model": "other"}\n')
    found = stage.bench(
        node, "--model", "tiny", "--model", "other=0.00001", "--prompts", file, "--requests", 6
    ).result()
    assert found["total_output_tokens"] == 3 * 5 + 3 * 7
    assert {g["name"]: g["total_output_tokens"] for g in found["groups"]}["other"] == 21


# Through the gateway ----------------------------------------------------------------------------


def test_refusals_and_waits_of_the_gateway_are_seen(stage):
    node = stage.node("tiny", parallel=1)
    gateway = stage.gateway([{"url": node.url, "parallel": 1}], {"queue": {"size": 2}})
    assert gateway.post("/api/generate", {"model": "tiny"}).status == 200  # loaded from here on
    node.gate("g", "before_first_token")
    bench = stage.bench(
        gateway, "--model", "tiny", "--prompt", "gate:g", "--requests", 10, "--concurrency", 10
    )
    gateway.waiter.until(
        lambda: sum("status=503" in line for line in gateway.lines) == 7, "seven refusals"
    )
    node.open("g")
    found = bench.result()
    assert found["completed"] == 3 and found["rejected"] == found["failed"] == 7
    assert found["rejected_by_status"] == {"503": 7}
    (error,) = found["errors"]
    assert error["count"] == 7 and "busy" in error["message"]
    assert sum(row["tokens"] > 0 for row in node.requests()) == 3
    # The gateway says whole milliseconds.
    assert found["max_e2el_ms"] + 1 >= found["p99_queue_wait_ms"] >= found["queue_wait_ms"] > 0


# Its times are true -----------------------------------------------------------------------------


def test_an_open_loop_counts_from_when_a_request_was_due(stage):
    """A hundred are due within a tenth of a millisecond, and the first is held: whoever starts his
    clock when he can send would say that the others were fast."""
    node = stage.node("tiny", parallel=1)
    node.gate("g", "before_first_token")
    bench = stage.bench(
        node, "--model", "tiny", "--prompt", "gate:g tokens:1", "--requests", 100,
        "--rate", 1000000, "--arrival", "constant", "--concurrency", 1,
    )  # fmt: skip
    node.wait("gated", 1)
    seen_ms = now_ms()
    for _ in range(20):  # the hold is as long as the work of the test, whatever the machine
        node.counts()
    held_ms = now_ms() - seen_ms
    node.open("g")
    found = bench.result()
    assert found["completed"] == 100 and found["max_concurrent_requests"] == 1
    least_ms = min(found["median_ttft_ms"], found["mean_ttft_ms"])
    assert least_ms >= held_ms, (least_ms, held_ms)


def test_time_to_first_token_is_what_the_node_made_of_it(stage):
    """When the request arrived is said by the node's clock, which is the system's. When it ended is
    not: the node notes that after the last byte went out, and the client may have it by then."""
    node = stage.node("tiny")
    node.gate("g", "before_first_token")
    began_ms = now_ms()
    bench = stage.bench(
        node, "--model", "tiny", "--prompt", "gate:g tokens:4", "--requests", 1, "--stream", "yes"
    )
    node.wait("gated", 1)
    opened_ms = now_ms()
    node.open("g")
    found = bench.result()
    over_ms = now_ms()
    (row,) = node.requests()
    assert found["mean_ttft_ms"] >= opened_ms - row["arrived_ms"] - 1
    assert found["mean_e2el_ms"] <= over_ms - began_ms
    assert found["mean_ttft_ms"] <= found["mean_e2el_ms"]


def test_a_pause_between_tokens_is_one_gap(stage):
    node = stage.node("tiny")
    node.gate("first", "before_token:1")
    node.gate("second", "before_token:3")
    bench = stage.bench(
        node, "--model", "tiny", "--prompt", "gate:first gate:second tokens:4", "--requests", 1
    )
    node.wait("gated", 1)
    node.open("first")
    node.wait("tokens", 2)
    node.wait("gated", 1)
    opened_ms = now_ms()
    node.open("second")
    found = bench.result()
    (row,) = node.requests()
    # The first token and the longest gap together reach beyond the moment of opening.
    assert found["mean_ttft_ms"] + found["max_itl_ms"] >= opened_ms - row["arrived_ms"] - 1
    assert found["total_output_tokens"] == 4
    gaps_ms = 3 * found["mean_itl_ms"]
    assert found["mean_ttft_ms"] + gaps_ms <= found["mean_e2el_ms"] + 0.1
    assert abs(found["mean_tpot_ms"] * 3 - (found["mean_e2el_ms"] - found["mean_ttft_ms"])) < 0.1


def test_the_servers_own_durations_are_its_own(stage):
    node = stage.node("tiny,load=1ms,tps=1000,prefill=100000", seed=7)
    bench = stage.bench(node, "--model", "tiny", "--prompt", "tokens:8", "--requests", 5)
    found = bench.result()
    said = wire.post(
        node.url, "/api/generate", {"model": "tiny", "prompt": "tokens:8", "stream": False}
    ).json()
    assert found["eval_rate"] == pytest.approx(said["eval_count"] * 1e9 / said["eval_duration"])
    assert found["eval_ms"] == pytest.approx(said["eval_duration"] / 1e6, rel=0.001)
    assert found["load_wait_ms"] == pytest.approx(said["load_duration"] / 1e6, rel=0.001)


# What fails -------------------------------------------------------------------------------------


def test_each_kind_of_failure_is_told_apart(stage):
    node = stage.node("tiny")
    for kind, more in (
        ("status", {"status": 500, "message": "boom"}),
        ("error", {"after_tokens": 1, "message": "in mid-stream"}),
        ("close", {"after_tokens": 1}),
        ("close", {}),  # on a new connection: on one used before it would only be stale
        ("no_done", {"after_tokens": 1}),
        ("garbage", {}),
    ):
        node.fault(kind, count=1, **more)
    found = stage.bench(node, "--model", "tiny", "--requests", 8).result()
    assert found["completed"] == 2 and found["failed"] == 6 and found["rejected"] == 1
    told = sorted((e["kind"], e["status"], e["message"]) for e in found["errors"])
    kinds = [kind for kind, _, _ in told]
    assert kinds == ["broken", "broken", "broken", "no answer", "no answer", "refused"], told
    words = " ".join(message for _, _, message in told)
    assert "boom" in words and "in mid-stream" in words and "without its last record" in words


def test_a_request_that_hangs_ends_by_its_timeout(stage):
    node = stage.node("tiny")
    node.gate("g", "before_first_token")
    bench = stage.bench(
        node, "--model", "tiny", "--prompt", "gate:g", "--requests", 2, "--timeout", "200ms"
    )
    found = bench.result(code=1)
    assert found["completed"] == 0
    assert [(e["kind"], e["count"]) for e in found["errors"]] == [("too late", 2)]
    node.wait("open", most=0)
    assert all(row["end"] == "aborted" for row in node.requests())


def test_nobody_there_and_no_such_model_are_said_at_once(stage):
    node = stage.node("tiny")
    with contextlib.closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        bench = stage.bench(None, "--url", url, "--model", "tiny", "--duration", "1h")
        assert bench.wait_exit() == 1
        assert "gave up" in bench.log() and "refused" in bench.log()
    bench = stage.bench(node, "--model", "nope", "--duration", "1h")
    assert bench.wait_exit() == 1
    assert "model 'nope' not found" in bench.log()


class Stranger(FakeNode):
    """No Ollama: it knows none of its lists."""

    def probe_answer(self, exchange):
        return None


def test_a_server_with_one_model_needs_no_name(stage):
    node = stage.node("only")
    assert stage.bench(node, "--requests", 3).result()["model_id"] == "only:latest"
    several = stage.node("one", "two")
    bench = stage.bench(several, "--requests", 3)
    assert bench.wait_exit() == 2
    assert all(word in bench.log() for word in ("which --model?", "one:latest", "two:latest"))

    def play(exchange):
        if exchange.target == "/v1/models":
            exchange.reply({"data": [{"id": "gpt"}]})
        elif exchange.method == "GET":
            exchange.reply({"error": "no such route"}, status="404 Not Found")
        else:
            exchange.reply({"choices": [{"message": {"content": "x"}}]})

    other = stage.add(Stranger(play))
    found = stage.bench(other, "--api", "openai", "--stream", "no", "--requests", 1).result()
    assert found["model_id"] == "gpt" and found["completed"] == 1


def test_what_the_gateway_says_of_its_cache_is_counted(stage):
    words = ["miss", "hit", "joined", "hit", "stale", "bypass"]

    def play(exchange):
        word = words[len(node.exchanges) - 1]
        exchange.reply(
            {"response": "x", "done": True, "load_duration": 10**9, "eval_count": 1},
            more=f"X-Drover-Cache: {word}\r\nX-Drover-Queue-Ms: 7\r\n",
        )

    node = stage.fake(play)
    found = stage.bench(node, "--model", "m", "--stream", "no", "--requests", 6).result()
    assert (found["cache_hits"], found["joined"], found["cache_misses"]) == (3, 1, 1)
    assert found["queue_wait_ms"] == 7
    assert found["model_loads"] == 2  # what is in a copy was loaded long ago


def test_wrong_usage_is_status_2_with_a_hint(stage):
    bench = stage.bench(None, "--model", "tiny", "--rate", "fast")
    assert bench.wait_exit() == 2
    assert bench.log() == (
        "drover-bench: --rate: a number above 0 is needed, not 'fast'; try --help"
    )


def test_a_system_that_allows_few_connections_is_said(stage):
    node = stage.node("tiny", parallel=100)
    node.gate("g", "before_first_token")
    binary = find_program(stage.request.config, "drover-bench")
    words = f"--url {node.url} --model tiny --prompt gate:g --rate 100000 --requests 200"
    few = subprocess.Popen(
        ["/bin/sh", "-c", f"ulimit -n 150; exec {binary} {words} --output json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    node.wait("gated", 150 - 64)  # what it keeps for itself
    node.open("g")
    printed, said = few.communicate(timeout=LIMIT_S)
    found = json.loads(printed)
    assert found["completed"] == 200 and found["max_concurrent_requests"] == 150 - 64
    assert found["client_was_limit"] and b"ulimit" in said


# How it ends ------------------------------------------------------------------------------------


def test_an_interrupt_prints_what_was_measured(stage):
    node = stage.node("tiny", parallel=2)
    node.gate("g", "before_first_token")
    bench = stage.bench(
        node, "--model", "tiny", "--prompt", "gate:g", "--duration", "1h", "--concurrency", 2
    )
    node.wait("gated", 2)
    node.open("g", 3)
    node.wait("started", 5)  # so the ends of three have been seen
    bench.signal(signal.SIGINT)
    found = bench.result(code=130)
    assert found["completed"] == 3 and found["unfinished"] == 2 and found["interrupted"]
    assert "3 in" in bench.log() and "interrupted" in bench.log()
    node.wait("open", most=0)


def test_an_interrupt_while_warming_up_measures_nothing(stage):
    node = stage.node("tiny")
    node.gate("g", "before_first_token")
    bench = stage.bench(node, "--model", "tiny", "--prompt", "gate:g", "--warmup", 1)
    node.wait("gated", 1)
    bench.signal(signal.SIGINT)
    assert bench.wait_exit() == 130
    assert "stopped while it was warming up" in bench.log() and not bench.file.exists()


def test_a_terminal_shows_how_far_it_is(stage, tmp_path):
    node = stage.node("tiny")
    node.gate("g", "before_first_token")
    master, terminal = os.openpty()
    binary = find_program(stage.request.config, "drover-bench")
    words = ["--url", node.url, "--model", "tiny", "--prompt", "gate:g", "--requests", "3"]
    bench = subprocess.Popen([binary, *words], stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    shown = b""
    while b"0 of 3 answered, 1 running" not in shown:
        shown += os.read(master, 4096)
    node.open("g")
    table, _ = bench.communicate(timeout=LIMIT_S)
    os.close(master)
    assert bench.returncode == 0 and b"3 in" in table and b"running" not in table


def test_a_duration_ends_by_itself(stage):
    """Ten are due in its second, two have a place and never get their answer."""
    node = stage.node("tiny", parallel=2)
    node.gate("g", "before_first_token")
    bench = stage.bench(
        node, "--model", "tiny", "--prompt", "gate:g", "--duration", "1s", "--drain", "50ms",
        "--rate", 10, "--arrival", "constant", "--concurrency", 2,
    )  # fmt: skip
    found = bench.result(code=1)
    assert found["completed"] == 0 and found["unfinished"] == 2
    assert found["not_started"] == 10 - 2
    assert "nothing was answered; 2 requests were under way" in bench.log()


def test_connections_are_used_again(stage):
    node = stage.node("tiny", parallel=4)
    found = stage.bench(node, "--model", "tiny", "--requests", 200, "--concurrency", 4).result()
    assert found["completed"] == 200
    state = wire.get(node.url, "/sim/state").json()["counts"]
    assert state["connections"] <= 5, state


# What comes out ---------------------------------------------------------------------------------


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.plots, self.dots = [], 0, 0
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.plots += tag == "svg"
        self.dots += tag == "circle"
        for name, value in attributes:
            assert name not in ("src", "href") and "nan" not in value and "inf" not in value
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag


def test_the_page_holds_its_plots_and_nothing_from_elsewhere(stage, tmp_path):
    node = stage.node("tiny,tps=500", parallel=4)  # tokens that are read in one piece have no gap
    page = tmp_path / "page.html"
    stage.bench(
        node, "--model", "tiny", "--model", "<script>=0.2", "--key", "sk-secret", "--requests", 60,
        "--concurrency", 4, "--report", page, "--slo", "e2e=10s",
    ).result()  # fmt: skip
    text = page.read_text()
    seen = Page(text)
    assert seen.plots >= 6 and seen.dots >= 40
    assert "<script" not in text and "sk-secret" not in text
    assert "prefers-color-scheme:dark" in text


def test_a_page_of_an_hour_of_refusals_is_still_a_page(stage, tmp_path):
    """Nothing completed: no plot may divide by it."""
    node = stage.node("tiny")
    page = tmp_path / "page.html"
    bench = stage.bench(node, "--model", "nope", "--requests", 3, "--report", page)
    bench.result(code=1)
    Page(page.read_text())


@pytest.mark.parametrize("option", ["--save", "--report"])
@pytest.mark.parametrize("command", [[], ["sweep", "--parallel", 1]])
def test_a_file_that_cannot_be_written_is_told_before_the_run(stage, command, option):
    node = stage.fake()
    target = None if command else node
    bench = stage.bench(target, *command, "--model", "tiny", option, "/no/such/folder/it")
    assert bench.wait_exit() == 1 and "/no/such/folder/it: No such file" in bench.log()
    assert node.exchanges == []


def test_an_earlier_run_is_compared(stage, tmp_path):
    node = stage.node("tiny", parallel=2)
    before = stage.bench(node, "--model", "tiny", "--requests", 5)
    before.result()
    bench = stage.bench(
        node, "--model", "tiny", "--requests", 10, "--compare", before.file, "--output", "json"
    )
    found = bench.result()
    change = found["compared_with"]["total_output_tokens"]
    assert change["now"] == found["total_output_tokens"] > change["before"]
    assert json.loads(bench.log())["completed"] == 10
    bench = stage.bench(node, "--model", "tiny", "--compare", tmp_path / "none.json")
    assert bench.wait_exit() == 1 and "No such file" in bench.log()


# The sweep --------------------------------------------------------------------------------------


def ended(url):
    with contextlib.closing(socket.socket()) as s:
        host, port = url.removeprefix("http://").split(":")
        return s.connect_ex((host, int(port))) != 0


def test_a_sweep_runs_a_node_for_each_value_and_ends_it(stage, tmp_path):
    bench = stage.bench(
        None, "sweep", "--parallel", "1,2,4", "--model", "tiny", "--simulate", "tps=2000",
        "--num-predict", 8, "--requests", 24, "--report", tmp_path / "page.html",
    )  # fmt: skip
    steps = bench.result()
    assert [step["parallel"] for step in steps] == [1, 2, 4]
    assert all(step["completed"] == 24 and step["max_concurrency"] == 4 for step in steps)
    assert all(step["capacity"] == pytest.approx(step["request_throughput"] * 30) for step in steps)
    assert all(ended(step["base_url"]) for step in steps)
    assert re.search(r"parallel +avg latency.*capacity", bench.log())
    assert re.search(r"Of these, parallel \d serves most", bench.log())
    page = Page((tmp_path / "page.html").read_text())
    assert page.plots == 3 and page.dots == 5 * len(steps)


def test_a_sweep_starts_what_it_is_told_to(stage, tmp_path):
    """By OLLAMA_HOST and OLLAMA_NUM_PARALLEL, as Ollama reads them."""
    binary = find_program(stage.request.config, "drover-node")
    log = tmp_path / "node.log"
    start = f"{binary} --listen $OLLAMA_HOST --parallel $OLLAMA_NUM_PARALLEL --model m --log {log}"
    steps = stage.bench(
        None, "sweep", "--parallel", "3", "--model", "m", "--start", start, "--requests", 5
    ).result()
    assert steps[0]["completed"] == 5
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    ended_ones = [row for row in rows if row["end"] is not None]
    # And one to warm up.
    assert sum(row["target"] == "/api/generate" for row in ended_ones) == 5 + 1


def test_a_sweep_says_what_did_not_start(stage):
    bench = stage.bench(None, "sweep", "--parallel", "1", "--model", "m", "--start", "exit 3")
    assert bench.wait_exit() == 1
    assert re.search(
        r"the server ended at once.*OLLAMA_HOST=127\.0\.0\.1:\d+ OLLAMA_NUM_PARALLEL=1 exit 3", bench.log()
    )


def test_an_interrupted_sweep_leaves_no_server(stage, tmp_path):
    binary = find_program(stage.request.config, "drover-node")
    log = tmp_path / "log"
    os.mkfifo(log)
    bench = stage.bench(
        None, "sweep", "--parallel", "1,2", "--model", "m", "--prompt", "tokens:100000",
        "--start", f"{binary} --listen $OLLAMA_HOST --model m,tps=1 --log {log}",
    )  # fmt: skip
    with log.open() as lines:
        asked = json.loads(lines.readline())
        url = "http://" + dict(asked["headers"])["Host"]
        assert wire.get(url, "/sim/wait?event=started&count=1").status == 200
        children = pathlib.Path(f"/proc/{bench.pid}/task/{bench.pid}/children")
        pids = children.read_text().split()
        bench.signal(signal.SIGINT)
        assert bench.wait_exit() == 130
    assert pids and not any(os.path.exists(f"/proc/{pid}") for pid in pids)
    assert ended(url)
