"""The table of faults: for each, what must happen is provoked, measured and written down.

In small by default. `make faults` runs it at full size and writes what was measured to
docs/faults.md. Rows that storms of their own measure (reload, upgrade, chaos) name them.
"""

import contextlib
import json
import pathlib
import re
import resource
import signal
import ssl
import subprocess
import threading

import harness
import pytest
from conftest import find_program
from harness import certificates, places, tls, wire
from harness.program import LIMIT_S, now_ms

MIB = 1024 * 1024
needs_root = pytest.mark.usefixtures("needs_root")


@pytest.fixture(scope="session")
def full(request):
    return request.config.getoption("--faults") is not None


@pytest.fixture
def row(request, fault_table):
    """Says what was measured for a fault: row(fault, what happened)."""
    return fault_table.add


def never_answer(exchange):
    exchange.socket.settimeout(None)
    with contextlib.suppress(OSError):
        exchange.socket.recv(1)


def slots_are_free(gateway):
    """The books of the gateway: nothing runs, nothing waits."""
    status = wire.get(gateway.admin, "/admin/v1/status").json()
    assert status["running"] == 0 and status["queue"]["waiting"] == 0, status
    assert all(b["busy"] == 0 for b in status["backends"]), status


# crowds ---------------------------------------------------------------------------------------


def begin_stream(node_go):
    def play(exchange):
        exchange.begin()
        exchange.line(response="one", done=False)
        assert node_go.wait(LIMIT_S)
        exchange.line(response="", done=True)
        exchange.end()

    return play


def test_a_crowd_of_idle_connections_and_streams(stage, full, row):
    idle, streams = (10000, 1000) if full else (500, 50)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    go = threading.Event()
    node = stage.fake(begin_stream(go))
    settings = {"max_connections": idle + streams + 100, "log": {"access": "off"}}
    gateway = stage.gateway([{"url": node.url, "parallel": streams}], settings)
    before = gateway.resident_kib()
    crowd = [wire.Wire(gateway.url) for _ in range(idle)]
    for client in crowd:
        client.request("GET", "/")
        assert client.read_answer().status == 200
    each = (gateway.resident_kib() - before) / idle
    readers = [wire.Wire(gateway.url) for _ in range(streams)]
    for number, client in enumerate(readers):
        client.request("POST", "/api/generate", harness.run(f"stream {number}", stream=True))
    for client in readers:
        assert next(client.read_pieces(client.read_head()))
    go.set()
    for client in readers:
        assert b'"done": true' in client.read_all_of_stream()
    for client in crowd:  # each of them is still served
        client.request("GET", "/")
        assert client.read_answer().status == 200
        client.close()
    for client in readers:
        client.close()
    slots_are_free(gateway)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert each <= 20 * gateway.memory_factor
    row(
        f"{idle:,} idle connections and {streams:,} streams",
        f"no error; {each:.1f} KiB an idle connection",
    )


HANDSHAKES = 'drover_tls_handshakes_total{result="%s"}'


def wait_for(holds):
    end = now_ms() + LIMIT_S * 1000
    while not holds():
        assert now_ms() < end


def metric(gateway, name):
    text = wire.get(gateway.admin, "/metrics").body.decode()
    return int(re.search(rf"^{re.escape(name)} (\d+)$", text, re.M).group(1))


def load_idle(stage, gateway, count):
    """Connections by TLS that were each answered once, and stay until it is told to end."""
    port = wire.place_of(gateway.url)[1][1]
    command = [find_program(stage.request.config, "bench-load"), "idle", "--tls", "--port", port]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command += ["--connections", count]
    return subprocess.Popen([str(word) for word in command], **pipes)


def test_a_crowd_of_idle_connections_by_tls(stage, full, row):
    count = 10000 if full else 500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    node = stage.node("bench,tps=10000", parallel=64)
    settings = {
        "tls": certificates.local().settings(),
        "max_connections": count + 100,
        "log": {"access": "off"},
    }
    gateway = stage.gateway([{"url": node.url, "parallel": 64}], settings)
    assert gateway.get("/").status == 200
    before = gateway.resident_kib()
    with load_idle(stage, gateway, count) as load:
        assert load.stdout.readline() == "ready\n"
        each = (gateway.resident_kib() - before) / count
        threading.Event().wait(15 if full else 0)  # what was timed while they came is over
        used = cpu_s(gateway.pid)
        threading.Event().wait(5 if full else 0)
        still_ms = (cpu_s(gateway.pid) - used) * 1000 / 5
        load.stdin.close()
        result = json.loads(load.stdout.read())
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (result["completed"], result["failed"]) == (count, 0), result
    assert each <= 20 * gateway.memory_factor
    row(
        f"{count:,} idle connections by TLS",
        f"no error; {each:.1f} KiB an idle connection; {still_ms:.0f} ms CPU a second for all",
    )


def first_flight():
    """What a client of TLS says first."""
    theirs, ours = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = tls.trusting().wrap_bio(theirs, ours, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return ours.read()


def test_handshakes_that_go_no_further(stage, full, row):
    """With nothing, half of the first flight, all of it. Who means it is served among them."""
    count = 999 if full else 99
    limit = "10s" if full else "10m"
    settings = {"tls": certificates.local().settings(), "timeouts": {"client_head": limit}}
    gateway = stage.gateway([stage.fake()], settings)
    whole = first_flight()
    before = gateway.resident_kib()
    crowd = [wire.knock(gateway.url) for _ in range(count)]
    for number, client in enumerate(crowd):
        client.sendall(whole[: len(whole) * (number % 3) // 2])
    served_ms = []
    for _ in range(20):
        began = now_ms()
        assert gateway.post("/api/generate", harness.run()).status == 200
        served_ms.append(now_ms() - began)
    each = (gateway.resident_kib() - before) / count
    for client in crowd:
        client.settimeout(LIMIT_S if full else 0)
        with contextlib.suppress(OSError):
            while client.recv(65536):
                pass
        client.close()
    wait_for(lambda: metric(gateway, HANDSHAKES % "failed") == count * 2 // 3)
    wait_for(lambda: metric(gateway, "drover_connections") == 0)
    assert metric(gateway, HANDSHAKES % "full") == 20
    row(
        f"{count} handshakes that go no further",
        f"closed{' after 10 s' if full else ''}, {each:.0f} KiB each; others were served on new "
        f"connections, median {sorted(served_ms)[10]:.0f} ms, at most {max(served_ms):.0f} ms",
    )


# nodes that die -------------------------------------------------------------------------------


def two_nodes(stage, first, settings=None):
    """The first is chosen; the other helps where it may."""
    other = stage.fake()
    rows = [
        {"name": "first", "url": first.url, "weight": 1000},
        {"name": "other", "url": other.url},
    ]
    return stage.gateway(rows, settings), other


def test_killed_before_a_byte_was_sent(stage, row):
    first = stage.fake()
    health = {"interval": "100ms", "timeout": "20s"}
    gateway, other = two_nodes(stage, first, {"health": health})
    first.halt()
    answer = gateway.post("/api/generate", harness.run())
    assert answer.status == 200 and answer.header("x-drover-backend") == "other"
    other.halt()
    last = gateway.post("/api/generate", harness.run())
    assert last.status in (502, 503) and last.json()["error"]
    slots_are_free(gateway)
    row(
        "node killed before a request byte was sent",
        f"the other node answered 200; with none left {last.status}: {last.json()['error']}",
    )


def test_killed_after_sending_before_the_status(stage, row):
    # On a connection of its own: on a reused one it might be that it was never read.
    first = stage.fake(lambda exchange: exchange.reset(), reuse=False)
    gateway, other = two_nodes(stage, first)
    answer = gateway.post("/api/generate", harness.run())
    assert answer.status == 502 and answer.json()["error"]
    assert len(first.exchanges) == 1 and other.exchanges == []
    slots_are_free(gateway)
    row(
        "killed after sending, before the status",
        f"502: {answer.json()['error']}; ran once, the other node saw nothing",
    )


def test_killed_in_mid_stream(stage, row):
    node = stage.node("tiny")
    node.gate("g", "before_token:2")
    gateway = stage.gateway([{"name": "first", "url": node.url}])
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.run("gate:g tokens:4", stream=True))
        answer = client.read_head()
        pieces = client.read_pieces(answer)
        assert next(pieces)
        mark, began = gateway.mark(), now_ms()
        node.kill()
        with pytest.raises(wire.Cut):
            for _ in pieces:
                pass
        cut_ms = now_ms() - began
    gateway.wait_line("first.* down", mark)
    down_ms = now_ms() - began
    assert "Connection refused" in gateway.wait_line("first.* down.*", mark).group(0)
    assert json.loads(answer.body.splitlines()[-1])["error"]
    slots_are_free(gateway)
    row(
        "killed in mid-stream",
        f"an error line and a cut after {cut_ms:.0f} ms, the node down after {down_ms:.0f} ms",
    )


# nodes that hang ------------------------------------------------------------------------------

IMPATIENT = {
    "timeouts": {"connect": "300ms", "first_byte": "400ms", "idle": "400ms"},
    "health": {"interval": "1h", "timeout": "20s"},
    "breaker": {"open": "100ms", "max_open": "200ms"},
}


def test_a_node_that_hangs(stage, row):
    """SIGSTOP: its kernel accepts, it says nothing."""
    node = stage.node("tiny")
    node.gate("g", "before_token:2")
    gateway = stage.gateway([node], IMPATIENT)
    gateway.post("/api/generate", harness.run("tokens:1"))  # its model is loaded
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.run("gate:g tokens:4", stream=True))
        answer = client.read_head()
        pieces = client.read_pieces(answer)
        assert next(pieces)
        node.signal(signal.SIGSTOP)
        with pytest.raises(wire.Cut):
            for _ in pieces:
                pass
    assert json.loads(answer.body.splitlines()[-1])["error"]
    silent = gateway.post("/api/generate", harness.run("tokens:1"))
    assert silent.status in (502, 503, 504) and silent.json()["error"]
    slots_are_free(gateway)
    node.signal(signal.SIGCONT)
    row(
        "node hangs (SIGSTOP)",
        f"idle: an error line and a cut; the next: {silent.status}, {silent.json()['error']}",
    )


@needs_root
def test_a_half_open_connection(stage, row):
    """Packets are dropped: nobody is told that the other side is gone."""

    def play(exchange):
        exchange.begin()
        exchange.line(response="one", done=False)
        with contextlib.suppress(OSError):
            exchange.socket.recv(1)

    with places.TwoHosts() as hosts, contextlib.ExitStack() as inner:
        with hosts.inside(hosts.far):
            node = stage.fake(play, host=hosts.FAR)
        inner.enter_context(hosts.inside(hosts.near))
        settings = {**IMPATIENT, "health": {"interval": "100ms", "timeout": "300ms"}}
        gateway = stage.gateway([{"name": "far", "url": node.url}], settings)
        inner.callback(gateway.stop)  # before its network is gone
        with wire.Wire(gateway.url) as client:
            client.request("POST", "/api/generate", harness.run(stream=True))
            answer = client.read_head()
            pieces = client.read_pieces(answer)
            assert next(pieces)
            mark = gateway.mark()
            hosts.unplug()
            with pytest.raises(wire.Cut):
                for _ in pieces:
                    pass
        assert json.loads(answer.body.splitlines()[-1])["error"]
        gateway.wait_line("far.* down", mark)
        soon = [("X-Drover-Timeout", "500ms")]
        while_dark = gateway.post("/api/generate", harness.run(), soon)
        assert while_dark.status in (502, 503, 504)
        slots_are_free(gateway)
        mark = gateway.mark()
        hosts.plug()
        gateway.wait_line("far.* is up", mark)
        node.play = node.answer
        assert gateway.post("/api/generate", harness.run()).status == 200
        slots_are_free(gateway)
    row(
        "half-open connection (packets dropped)",
        f"an error line and a cut at `idle`; the next: {while_dark.status}; "
        "the slot free again; used again when packets pass",
    )


def test_a_slow_node_holds_up_nobody(stage, row):
    """A byte at a time, and between two bytes others are served."""
    gateway = None
    others = []

    def play(exchange):
        if b"slow" not in exchange.body:
            exchange.reply({"response": "quick", "done": True})
            return
        exchange.begin()
        text = b'{"response":"s","done":true}\n'
        for byte in text:
            exchange.chunk(bytes([byte]))
            began = now_ms()
            assert gateway.post("/api/generate", harness.run("quick")).status == 200
            others.append(now_ms() - began)
        exchange.end()

    node = stage.fake(play)
    gateway = stage.gateway([{"url": node.url, "parallel": 2}])
    answer = gateway.post("/api/generate", harness.run("slow", stream=True))
    assert answer.whole and answer.json() == {"response": "s", "done": True}
    row(
        "slow node, byte by byte",
        f"its stream passes whole; {len(others)} others between its bytes, "
        f"{sorted(others)[len(others) // 2]:.1f} ms each",
    )


# names and disks ------------------------------------------------------------------------------


@needs_root
def test_a_resolver_that_fails(stage, tmp_path, row):
    node = stage.fake()
    with contextlib.closing(places.Resolver("node.test", "127.0.0.1")) as resolver:
        wrap = resolver.wrap(tmp_path)
        rows = [{"name": "named", "url": f"http://node.test:{node.port}"}]
        health = {"health": {"interval": "100ms", "timeout": "20s"}}
        gateway = stage.gateway(rows, health, launcher=wrap)
        assert gateway.post("/api/generate", harness.run()).status == 200
        resolver.fails = True
        mark = gateway.mark()
        node.halt()
        gateway.wait_line("named.* down", mark)
        mark = gateway.mark()
        resolver.wait_asked(1, LIMIT_S)
        node.start()
        gateway.wait_line("named.* is up", mark)
        assert gateway.post("/api/generate", harness.run()).status == 200
        stranger = stage.gateway(rows, health, ready=False, launcher=wrap)
        none = stranger.post("/api/generate", harness.run())
        assert none.status in (502, 503) and none.json()["error"]
    row(
        "DNS fails",
        f"the last good address is used; where there never was one {none.status}: "
        f"{none.json()['error']}",
    )


@needs_root
def test_name_servers_that_change_are_asked_without_a_restart(stage, tmp_path):
    """The machine came into another network, or its resolver began after the gateway."""
    node = stage.fake()
    former, new = (places.Resolver("node.test", "127.0.0.1") for _ in range(2))
    with contextlib.closing(former), contextlib.closing(new):
        former.fails = True
        rows = [{"name": "named", "url": f"http://node.test:{node.port}"}]
        health = {"health": {"interval": "100ms", "timeout": "20s"}}
        gateway = stage.gateway(rows, health, ready=False, launcher=former.wrap(tmp_path))
        gateway.wait_line("named.* down")
        new.write(tmp_path)
        gateway.wait_line("named.* is up")
        assert gateway.post("/api/generate", harness.run()).status == 200


@needs_root
def test_a_full_disk(stage, tmp_path, row):
    """Answers of 64 KiB into 1 MiB, with cache and accounts on it."""
    count = 100

    def play(exchange):
        exchange.reply({"model": "tiny", "response": "x" * 65536, "done": True})

    node = stage.fake(play)
    with places.small_disk(tmp_path / "disk", "1m") as disk:
        gateway = stage.gateway([node], {"state": str(disk), "cache": {"mode": "all"}})
        for number in range(count):
            assert gateway.post("/api/generate", harness.run(f"q {number}")).status == 200
        gateway.wait_line("cannot be written")
        again = gateway.post("/api/generate", harness.run("q 99"))
        assert again.header("x-drover-cache") == "hit"
        metrics = wire.get(gateway.admin, "/metrics").body.decode()
        lost = re.search(r'drover_cache_writes_total\{result="failed"\} (\d+)', metrics).group(1)
        assert int(lost) > 0
        gateway.stop()
    row(
        "disk full (1 MiB, 100 answers of 64 KiB)",
        f"{count} requests of {count} answered, hits from memory; said in the log, {lost} counted "
        "as not written",
    )


# the clock -------------------------------------------------------------------------------------

PRELOAD = list(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


def test_a_clock_that_jumps(request, stage, tmp_path, row):
    """A day forth and a day back, while one streams and one waits."""
    if b"__asan_init" in find_program(request.config, "drover").read_bytes():
        pytest.skip("a sanitizer wants to be loaded first")
    clock = tmp_path / "clock"

    def jump(by):
        clock.with_suffix(".new").write_text(by)
        clock.with_suffix(".new").rename(clock)

    jump("+0")
    node = stage.node("tiny")
    node.gate("g", "before_token:2")
    env = {
        "LD_PRELOAD": str(PRELOAD[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    gateway = stage.gateway([{"url": node.url, "parallel": 1}], env=env)
    with wire.Wire(gateway.url) as client, wire.Wire(gateway.url) as waits:
        client.request("POST", "/api/generate", harness.run("gate:g tokens:4", stream=True))
        assert next(client.read_pieces(client.read_head()))
        waits.request("POST", "/api/generate", harness.run("tokens:1"))
        harness.turn(gateway)
        dates = []
        for by in ("+1d", "-1d"):
            jump(by)
            for _ in range(5):  # turns of the loop, in which timers could go off
                answer = gateway.get("/healthz")
            dates.append(answer.header("date"))
            assert held(gateway) == 2
        node.open("g")
        assert b'"done":true' in client.read_all_of_stream()
        assert waits.read_answer().status == 200
    assert dates[0] != dates[1]
    slots_are_free(gateway)
    row(
        "the system's clock jumps a day, forth and back",
        f"a stream and a waiting request went on to their ends (Date said {dates[0]}, then "
        f"{dates[1]})",
    )


# bounds ---------------------------------------------------------------------------------------


def cpu_s(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as stat:
        return int(stat.read().split()[0]) / 1e9


def test_descriptors_run_out(stage, row):
    go = threading.Event()
    node = stage.fake(begin_stream(go))
    gateway = stage.gateway([{"url": node.url, "parallel": 4}])
    streams = [wire.Wire(gateway.url) for _ in range(4)]
    for number, client in enumerate(streams):
        client.request("POST", "/api/generate", harness.run(f"s {number}", stream=True))
        client.answer = client.read_head()
        assert next(client.read_pieces(client.answer))
    resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (64, 64))
    mark = gateway.mark()
    crowd = [wire.knock(gateway.url) for _ in range(100)]
    gateway.wait_line("cannot accept", mark)
    began, used = now_ms(), cpu_s(gateway.pid)
    # Paused it must not spin: as long as this takes, it sleeps.
    threading.Event().wait(1)
    share = (cpu_s(gateway.pid) - used) * 1000 / (now_ms() - began)
    assert share < 0.05 * gateway.memory_factor
    go.set()
    for client in streams:
        assert b'"done": true' in client.read_all_of_stream()
        client.close()
    began = now_ms()
    for client in crowd:
        client.close()
    assert gateway.post("/api/generate", harness.run("after")).status == 200
    back_ms = now_ms() - began
    slots_are_free(gateway)
    row(
        "descriptors run out",
        f"paused at {share * 100:.1f} % CPU, 4 streams finished, served again {back_ms:.0f} ms after",
    )


def has_answer(client):
    """Whether something has come; it does not wait."""
    client.socket.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        client.fill()
    client.socket.settimeout(LIMIT_S)
    return bool(client.buffer)


def held(gateway):
    status = wire.get(gateway.admin, "/admin/v1/status").json()
    return status["running"] + status["queue"]["waiting"]


def test_a_memory_cap(stage, full, row):
    """200 bodies of 50 MB with 2 GiB of address space; in small, a 16th of each bound."""
    megabytes, crowd, cap_mib = (50, 200, 2048) if full else (3, 60, 512)
    node = stage.fake(never_answer)
    gateway = stage.gateway(
        [{"url": node.url, "parallel": 1}], {} if full else {"max_body": "4MiB"}
    )
    if gateway.memory_factor == 1:  # a sanitizer's shadow is larger than any cap
        resource.prlimit(gateway.pid, resource.RLIMIT_AS, (cap_mib * MIB, cap_mib * MIB))
    body = json.dumps(harness.run(pad="x" * (megabytes * 1000 * 1000))).encode()
    clients = []
    for _ in range(crowd):
        client = wire.Wire(gateway.url)
        clients.append(client)
        with contextlib.suppress(OSError):  # refused while it still sends
            client.request("POST", "/api/generate", body)
        assert gateway.get("/healthz").status == 200
    refused = 0
    while refused + held(gateway) < crowd:
        refused = sum(has_answer(client) for client in clients)
    for client in filter(has_answer, clients):
        answer = client.read_answer()
        assert answer.status == 503 and answer.header("retry-after"), answer
    assert 0 < refused < crowd
    peak = gateway.peak_kib() / 1024
    for client in clients:
        client.close()
    node.wait_in_hand(0)
    row(
        f"memory cap of {cap_mib} MiB, {crowd} bodies of {megabytes} MB",
        f"{refused} got 503 with Retry-After, {crowd - refused} waited; "
        f"peak {peak:.0f} MiB, never killed",
    )


@pytest.mark.parametrize("part", ["head", "body"])
def test_slowloris(stage, full, part, row):
    """A byte now and then from many: each is ended at the limit on the whole, others are served."""
    count = 1000 if full else 60
    node = stage.fake()
    limits = {"client_head": "500ms", "client_body": "500ms"}
    gateway = stage.gateway([node], {"timeouts": limits})
    began = now_ms()
    crowd = [wire.Wire(gateway.url) for _ in range(count)]
    start = {
        "head": b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nX-A: ",
        "body": b"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n{",
    }[part]
    for client in crowd:
        client.send(start)
    slow = list(crowd)
    while slow:
        for client in list(slow):
            with contextlib.suppress(OSError):
                client.send(b" ")
            if has_answer(client) or client.ended:
                slow.remove(client)
        next_ms = now_ms() + 20  # however few are left, they drip and do not flow
        while now_ms() < next_ms:
            assert gateway.post("/api/generate", harness.run()).status == 200
    for client in crowd:
        client.socket.settimeout(LIMIT_S)
        if client.buffer:
            assert client.read_answer().status == 408
        client.close()
    row(
        f"slowloris, {count:,} × a {part}",
        f"408 and close, all within {(now_ms() - began) / 1000:.1f} s at a limit of 0.5 s; "
        "others were served meanwhile",
    )


def test_a_slow_reader(stage, row):
    sent = [0]

    def play(exchange):
        exchange.begin()
        with contextlib.suppress(OSError):
            while True:
                exchange.chunk(b"x" * 16384)
                sent[0] += 16384

    node = stage.fake(play)
    gateway = stage.gateway([node], {"timeouts": {"client_write": "500ms"}})
    before = gateway.resident_kib()
    with wire.Wire(gateway.url, receive_buffer=4096) as client:
        headers = [("X-Request-Id", "slow-reader")]
        client.request("POST", "/api/chat", harness.body_for("/api/chat"), headers)
        gateway.wait_line("id=slow-reader ")
    node.wait_in_hand(0)
    grown = gateway.peak_kib() - before
    assert grown < 2048 * gateway.memory_factor
    slots_are_free(gateway)
    row(
        "slow reader",
        f"the node was paused ({sent[0] // 1024} KiB left it, mostly in the sockets' buffers), "
        f"drover grew by {grown} KiB; cut at client_write",
    )


def test_clients_leave(stage, row):
    """While queued and while streaming, by FIN and by RST."""
    gone = []

    def play(exchange):
        exchange.begin()
        exchange.line(response="one", done=False)
        gone.append(exchange.wait_gone())

    node = stage.fake(play)
    gateway = stage.gateway([{"url": node.url, "parallel": 1}])
    took = {}
    for way in ("close", "reset"):
        streaming = wire.Wire(gateway.url)
        streaming.request("POST", "/api/generate", harness.run(stream=True))
        assert next(streaming.read_pieces(streaming.read_head()))
        queued = wire.Wire(gateway.url)
        headers = [("X-Request-Id", f"queued-{way}")]
        queued.request("POST", "/api/generate", harness.run(), headers)
        harness.turn(gateway)
        mark, began = gateway.mark(), now_ms()
        getattr(queued, way)()
        while held(gateway) > 1:
            pass
        took[way, "queued"] = now_ms() - began
        gateway.wait_line(f"id=queued-{way} .*status=499", mark)
        began = now_ms()
        getattr(streaming, way)()
        node.wait_in_hand(0)
        took[way, "streaming"] = gone[-1] - began
    assert len(node.exchanges) == 2
    slots_are_free(gateway)
    row(
        "client leaves while queued; while streaming",
        "; ".join(
            f"{ {'close': 'FIN', 'reset': 'RST'}[way] }, {where}: {ms:.1f} ms"
            for (way, where), ms in took.items()
        ),
    )


def test_a_body_over_the_limit(stage, full, row):
    megabytes = 100 if full else 8
    node = stage.fake()
    gateway = stage.gateway([node], {} if full else {"max_body": "1MiB"})
    body = json.dumps(harness.run(pad="x" * megabytes * MIB)).encode()
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", body)
        answer = client.read_answer()
    assert answer.status == 413 and answer.json()["error"] and node.exchanges == []
    row("body over the limit", f"413 read after {len(body) // MIB} MiB were sent")
