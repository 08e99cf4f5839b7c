"""Starting, checking a configuration, and ending: at once, or after what runs has finished."""

import json
import os
import signal
import socket
import subprocess
import threading

import harness
import pytest
from conftest import find_program
from harness import wire
from harness.program import Program

LIMIT_S = wire.LIMIT_S


@pytest.fixture
def drover(request, tmp_path):
    """Runs the program to its end."""
    binary = find_program(request.config, "drover")

    def call(*arguments, env=None, config=None):
        if config is not None:
            (tmp_path / "drover.yaml").write_text(config)
        clean = harness.clean_environment(env)
        return subprocess.run(
            [binary, *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=clean,
            timeout=LIMIT_S,
        )

    return call


# The configuration


def test_check_of_a_good_file(drover):
    done = drover("check", config="listen: [127.0.0.1:0]\nbackends: [{url: http://127.0.0.1:1}]\n")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "text,where,words",
    [
        ("queue:\n  siez: 5\n", "drover.yaml:2:3:", ["queue.siez", "queue.size"]),
        ("queue:\n  size: many\n", "drover.yaml:2:9:", ["queue.size"]),
        ("queue:\n  size: -1\n", "drover.yaml:2:9:", ["queue.size"]),
        ("timeouts:\n  idle: 5 parsecs\n", "drover.yaml:2:9:", ["timeouts.idle"]),
        ("max_body: 64MegaBytes\n", "drover.yaml:1:11:", ["max_body"]),
        ("backends:\n  - name: a\n", "drover.yaml:2:", ["backends", "url"]),
        ("backends:\n  - url: 10.0.0.1\n    weight: 0\n", "drover.yaml:3:13:", ["weight"]),
        ("backends:\n  - url: ftp://x\n", "drover.yaml:2:10:", ["url"]),
        ("manage: maybe\n", "drover.yaml:1:9:", ["manage", "admin"]),
        ("tls: {cert: c.pem}\n", "drover.yaml:1:", ["tls"]),
        ("listen: [\n", "drover.yaml:", []),
        ('listen: ["${NO_SUCH_NAME}"]\n', "drover.yaml:1:", ["NO_SUCH_NAME"]),
        ("queue: {size: 1}\nqueue: {size: 2}\n", "drover.yaml:2:1:", ["queue"]),
        ("listen: [127.0.0.1:8081]\n", "drover.yaml:1:9:", ["listen", "admin"]),
        ("cors: {origins: [http://a.b/]}\n", "drover.yaml:1:18:", ["cors.origins", "path"]),
    ],
)
@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_mistake_is_named_with_its_place(drover, command, text, where, words):
    done = drover(command, "-c", "drover.yaml", config=text)
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert where in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    "text,words",
    [
        ("backends: [{url: http://a:1, name: x}, {url: http://A:1/, name: y}]\n",
         "backends[1].url: http://A:1/ is backends[0] too"),
        ('models: [{match: "*"}, {match: "a*", keep_alive: 1h}]\n',
         'no model ever comes to "a*": models[0]'),
        ("log: {access: /no/such/folder/access.log}\n", "/no/such/folder/: No such file"),
        ("log: {access: /tmp/../tmp}\n", "is a folder"),
    ],
)  # fmt: skip
def test_what_is_allowed_and_yet_no_good_is_told(drover, text, words):
    done = drover("check", config=text)
    assert done.returncode == 0 and words in done.stderr and len(done.stderr.splitlines()) == 1


def test_no_doubt_is_told_of_what_is_right(drover):
    text = (
        "backends: [{url: http://a:1}, {url: http://a:12}]\n"
        'models: [{match: "a?"}, {match: "a*"}, {match: "b"}, {match: "b*"}]\n'
    )
    done = drover("check", config=text)
    assert done.returncode == 0 and done.stderr == ""


@pytest.mark.parametrize("command", ["check", "serve"])
def test_an_alias_that_is_there_twice_is_named(drover, command):
    done = drover(command, "-c", "drover.yaml", config="aliases: {a: b, 'a:latest': c}\n")
    assert done.returncode == 1 and '"a:latest" is there twice' in done.stderr


def test_all_mistakes_are_named_at_once(drover):
    done = drover("check", config="queue: {siez: 5}\nmax_bodi: 1\n")
    assert done.returncode == 1
    assert "queue.siez" in done.stderr and "max_bodi" in done.stderr


def test_a_wrong_variable_is_named(drover):
    done = drover("check", env={"DROVER_QUEUE_SIZE": "x"})
    assert done.returncode == 1 and "DROVER_QUEUE_SIZE" in done.stderr


@pytest.mark.parametrize("arguments", [["--nothing"], ["fly"], ["-c"], ["--listen"]])
def test_wrong_usage_is_status_2(drover, arguments):
    done = drover(*arguments)
    assert done.returncode == 2 and done.stderr


def test_a_file_that_is_not_there(drover):
    done = drover("-c", "none.yaml")
    assert done.returncode == 1 and "none.yaml" in done.stderr


def test_help_and_version(drover):
    text = drover("--help").stdout
    for word in ("--listen", "--backend", "--demo", "queue.size", "DROVER_"):
        assert word in text
    assert drover("--version").stdout.startswith("drover ")


def test_an_address_in_use_ends_it(drover):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        done = drover("--listen", address)
    assert done.returncode == 1 and address in done.stderr


def test_signals_that_come_before_it_serves_do_not_end_it(request, tmp_path):
    """Logs are rotated whenever that is due."""
    file = tmp_path / "drover.yaml"
    os.mkfifo(file)
    gateway = Program("drover", [find_program(request.config, "drover"), "--demo", "-c", file])
    with file.open("w") as settings:  # once it reads there
        gateway.signal(signal.SIGUSR1)
        json.dump({"listen": ["127.0.0.1:0"], "admin": "off"}, settings)
    gateway.wait_line("listening on")
    gateway.stop()


# Listening


def test_a_unix_socket_serves(stage, tmp_path):
    path = tmp_path / "drover.sock"
    node = stage.fake()
    gateway = stage.gateway([node], {"listen": ["127.0.0.1:0", f"unix:{path}"]})
    assert wire.post(f"unix:{path}", "/api/generate", harness.run()).status == 200
    assert node.exchanges[0].field("x-forwarded-for") is None
    gateway.stop()
    assert not path.exists()


def test_several_addresses_serve(stage):
    node = stage.fake()
    gateway = stage.gateway([node], {"listen": ["127.0.0.1:0", "localhost:0"]})
    assert len(set(gateway.urls)) == 2
    for url in gateway.urls:
        assert wire.post(url, "/api/generate", harness.run()).status == 200


def test_the_demo_serves_without_any_node(stage):
    gateway = stage.gateway(None, {}, arguments=["--demo"])
    gateway.wait_line("simulated")
    models = [m["name"] for m in gateway.get("/api/tags").json()["models"]]
    assert models
    chat = next(m for m in models if "embed" not in m and "72b" not in m)
    body = {"model": chat, "prompt": "hello", "options": {"num_predict": 3}, "stream": False}
    assert gateway.post("/api/generate", body).json()["response"]


def test_ollama_host_names_the_node(stage):
    node = stage.fake()
    gateway = stage.gateway(None, {}, env={"OLLAMA_HOST": node.host})
    assert gateway.post("/api/generate", harness.run()).status == 200
    assert len(node.exchanges) == 1


# Ending


def test_at_sigterm_what_runs_finishes_and_nothing_new_begins(stage):
    go_on = threading.Event()

    def play(exchange):
        exchange.begin()
        exchange.line(response="one", done=False)
        assert go_on.wait(LIMIT_S)
        exchange.line(response="two", done=True)
        exchange.end()

    node = stage.fake(play)
    gateway = stage.gateway([{"url": node.url, "parallel": 2}])
    idle = wire.Wire(gateway.url)
    idle.request("GET", "/healthz")
    assert idle.read_answer().status == 200
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.run(stream=True))
        answer = client.read_head()
        pieces = client.read_pieces(answer)
        next(pieces)
        gateway.signal(signal.SIGTERM)
        gateway.wait_line("no new requests")
        assert idle.read_all() == b""  # an idle connection is ended
        with pytest.raises((ConnectionError, wire.Closed)):
            wire.get(gateway.url, "/healthz")
        go_on.set()
        assert [json.loads(p)["response"] for p in pieces] == ["two"]
        assert answer.whole
    assert gateway.wait_exit() == 0


def test_at_sigterm_what_waits_is_served_or_refused_but_not_lost(stage):
    go_on = threading.Semaphore(0)

    def play(exchange):
        assert go_on.acquire(timeout=LIMIT_S)
        exchange.reply({"response": exchange.json()["prompt"], "done": True})

    node = stage.fake(play)
    gateway = stage.gateway([{"url": node.url, "parallel": 1}])
    clients = [wire.Wire(gateway.url) for _ in range(3)]
    for i, client in enumerate(clients):
        client.request("POST", "/api/generate", harness.run(str(i)))
        harness.turn(gateway)
    gateway.signal(signal.SIGTERM)
    gateway.wait_line("no new requests")
    go_on.release(3)
    answers = [client.read_answer() for client in clients]
    assert answers[0].status == 200 and answers[0].whole
    for answer in answers[1:]:
        assert answer.whole and answer.status in (200, 503)
    assert gateway.wait_exit() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_drain_bounds_the_end(stage, number):
    node = stage.fake(lambda exchange: exchange.wait_gone())
    gateway = stage.gateway([node], {"drain": "200ms"})
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.run())
        node.wait_exchanges(1)
        gateway.signal(number)
        assert gateway.wait_exit() == 0


def test_a_second_sigterm_stops_at_once(stage):
    node = stage.fake(lambda exchange: exchange.wait_gone())
    gateway = stage.gateway([node], {"drain": "1h"})
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.run())
        node.wait_exchanges(1)
        gateway.signal(signal.SIGTERM)
        gateway.wait_line("no new requests")
        gateway.signal(signal.SIGTERM)
        assert gateway.wait_exit() == 0


# What the access log says


def test_the_access_log_has_a_line_for_each_request(stage):
    node = stage.fake()
    gateway = stage.gateway([{"url": node.url, "name": "n"}], {"log": {"format": "json"}})
    gateway.post("/api/generate", harness.run(), [("X-Request-Id", "one")])
    gateway.get("/none", [("X-Request-Id", "two")])
    gateway.wait_line('"id":"two"')
    lines = [json.loads(line) for line in gateway.log().splitlines() if '"client"' in line]
    one, two = ([line for line in lines if line["id"] == name] for name in ("one", "two"))
    assert len(one) == len(two) == 1
    assert one[0]["status"] == 200 and one[0]["model"] == "tiny" and one[0]["backend"] == "n"
    assert one[0]["route"] == "/api/generate" and one[0]["attempts"] == 1
    assert one[0]["bytes_in"] == len(json.dumps(harness.run())) and one[0]["bytes_out"] > 0
    assert two[0]["status"] == 404


def test_an_access_log_that_nobody_reads_stops_nothing(stage, tmp_path):
    """It is standard output as a rule: of a terminal that was stopped, a pager, a log driver."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(reader, b"x" * 4096)
    launcher = ["sh", "-c", f'exec "$@" >{path}', "sh"]
    gateway = stage.gateway([stage.fake()], launcher=launcher)
    with wire.Wire(gateway.url) as client:  # until it is written at the latest: 32 KiB
        for number in range(300):
            client.request("GET", "/none", headers=[("X-Request-Id", f"number-{number}")])
            assert client.read_answer().status == 404
    os.set_blocking(reader, True)
    read = b""
    while b"id=number-299 " not in read:
        read += os.read(reader, 65536)
    assert read.count(b"id=number-") == 300
    os.close(reader)


def test_the_access_log_can_be_moved_away(stage, tmp_path):
    path = tmp_path / "access.log"
    node = stage.fake()
    gateway = stage.gateway([node], {"log": {"access": str(path)}})
    gateway.post("/api/generate", harness.run(), [("X-Request-Id", "before")])
    path.rename(tmp_path / "access.log.1")
    gateway.signal(signal.SIGUSR1)
    harness.turn(gateway)
    gateway.post("/api/generate", harness.run(), [("X-Request-Id", "after")])
    gateway.stop()
    assert "id=before" in (tmp_path / "access.log.1").read_text()
    assert "id=after" in path.read_text() and "id=before" not in path.read_text()
