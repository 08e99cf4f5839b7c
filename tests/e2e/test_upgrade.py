"""SIGUSR2: another process takes the place of the gateway, and no client notices."""

import json
import os
import shutil
import signal
import socket
import threading

import harness
from conftest import find_program
from harness import wire
from harness.gateway import Gateway
from harness.upgrade import Load, upgrade

LIMIT_S = wire.LIMIT_S
# `make upgrade-storm` asks for 50.
UPGRADES = int(os.environ.get("DROVER_UPGRADES", "3"))


def ask(client, path="/healthz"):
    client.request("GET", path)
    return client.read_answer()


def test_no_request_fails_while_processes_take_over_from_each_other(stage):
    node = stage.node("tiny,tps=400", parallel=8)
    gateway = stage.gateway([{"url": node.url, "parallel": 8}])
    load = Load(gateway)
    now = gateway
    for _ in range(UPGRADES):
        load.wait_more(5)
        now = upgrade(stage, gateway, now)
    load.wait_more(5)
    counts = load.end()
    print(f"\n{UPGRADES} upgrades, 0 failed of {sum(counts.values())} requests: {counts}")


def test_a_connection_that_is_idle_has_its_next_request_answered_and_is_told_to_close(stage):
    gateway = stage.gateway([stage.fake()])
    with wire.Wire(gateway.url) as idle:
        assert ask(idle).header("Connection") is None
        upgrade(stage, gateway)
        answer = ask(idle)
        assert answer.status == 200 and answer.header("Connection") == "close"
        assert idle.read_all() == b""
    assert gateway.wait_exit_code() == 0
    with wire.Wire(gateway.url) as fresh:
        assert ask(fresh).header("Connection") is None


def test_what_runs_and_what_waits_ends_in_the_old_process(stage):
    go_on = threading.Semaphore(0)

    def play(exchange):
        exchange.begin()
        exchange.line(response="one", done=False)
        assert go_on.acquire(timeout=LIMIT_S)
        exchange.line(response=exchange.json()["prompt"], done=True)
        exchange.end()

    node = stage.fake(play)
    gateway = stage.gateway([{"url": node.url, "parallel": 1}], {"drain": "1ms"})
    clients = [wire.Wire(gateway.url) for _ in range(3)]
    for number, client in enumerate(clients):
        client.request("POST", "/api/generate", harness.run(str(number), stream=True))
        harness.turn(gateway)
    upgrade(stage, gateway)
    go_on.release(3)
    for number, client in enumerate(clients):
        answer = client.read_answer()
        assert answer.status == 200 and answer.whole
        assert answer.lines()[-1]["response"] == str(number)
        client.close()
    assert gateway.wait_exit_code() == 0


def test_all_sockets_go_over(stage, tmp_path):
    path = tmp_path / "drover.sock"
    gateway = stage.gateway(
        [stage.fake()], {"listen": ["127.0.0.1:0", "localhost:0", f"unix:{path}"]}
    )
    mark = gateway.mark()
    successor = upgrade(stage, gateway)
    assert gateway.wait_exit_code() == 0
    assert gateway.wait_line(r"listening on (.+)", after=mark).group(1).split() == gateway.urls
    assert gateway.wait_line(r"admin API on (\S+)", after=mark).group(1) == gateway.admin
    for url in [*gateway.urls, gateway.admin]:
        assert wire.get(url, "/healthz").status == 200
    successor.stop()
    assert not path.exists()


def test_use_and_answers_go_over_and_what_ends_late_is_counted_once(stage, tmp_path):
    go_on = threading.Event()

    def play(exchange):
        if exchange.json()["prompt"] == "late":
            assert go_on.wait(LIMIT_S)
        exchange.reply(
            {
                "model": "tiny",
                "response": "x",
                "done": True,
                "prompt_eval_count": 2,
                "eval_count": 3,
            }
        )

    node = stage.fake(play)
    settings = {"state": str(tmp_path / "state"), "cache": {"mode": "all"}}
    gateway = stage.gateway([{"url": node.url, "parallel": 4}], settings)
    assert gateway.post("/api/generate", harness.run("early")).status == 200
    with wire.Wire(gateway.url) as late:
        late.request("POST", "/api/generate", harness.run("late"))
        node.wait_exchanges(2)
        successor = upgrade(stage, gateway)
        again = gateway.post("/api/generate", harness.run("early"))
        assert again.header("X-Drover-Cache") == "hit"
        go_on.set()
        assert late.read_answer().status == 200
    gateway.wait_line("the former program has ended")
    rows = wire.get(gateway.admin, "/admin/v1/usage?by=model&since=1h").json()["rows"]
    assert [(r["requests"], r["output_tokens"], r["cached"]) for r in rows] == [(3, 6, 1)]
    successor.stop()
    last = stage.gateway([{"url": node.url, "parallel": 4}], settings)
    rows = wire.get(last.admin, "/admin/v1/usage?by=model&since=1h").json()["rows"]
    assert [(r["requests"], r["output_tokens"], r["cached"]) for r in rows] == [(3, 6, 1)]


def test_a_process_that_was_replaced_is_reloaded_no_more(stage):
    gateway = stage.gateway([stage.fake()])
    with wire.Wire(gateway.url) as idle:
        assert ask(idle).status == 200
        upgrade(stage, gateway)
        gateway.signal(signal.SIGHUP)
        gateway.wait_line("another process serves now")
        gateway.signal(signal.SIGUSR2)
        gateway.wait_line("has taken the place of this one already")
        gateway.signal(signal.SIGTERM)  # it does not wait for the connection any longer
        assert gateway.wait_exit_code() == 0


def test_a_node_that_was_drained_stays_so(stage):
    nodes = [stage.fake(), stage.fake()]
    gateway = stage.gateway([{"url": n.url, "name": f"n{i}"} for i, n in enumerate(nodes)])
    assert wire.post(gateway.admin, "/admin/v1/backends/n0/drain").status == 200
    upgrade(stage, gateway)
    backends = wire.get(gateway.admin, "/admin/v1/status").json()["backends"]
    states = {b["name"]: b["state"] for b in backends}
    assert states == {"n0": "draining", "n1": "up"}


def check_that_it_goes_on(gateway, tmp_path, words):
    mark = gateway.mark()
    gateway.signal(signal.SIGUSR2)
    gateway.wait_line(words + ".*goes on serving", after=mark)
    assert gateway.post("/api/generate", harness.run("again")).status == 200


def test_a_new_program_that_cannot_start_changes_nothing(stage, tmp_path):
    gateway = stage.gateway([stage.fake()], {"state": str(tmp_path / "state")})
    good = gateway.file.read_text()
    gateway.file.write_text("queue: {siez: 1}\n")
    check_that_it_goes_on(gateway, tmp_path, "ended with status 1")
    gateway.file.write_text(good.replace('"127.0.0.1:0"', '"192.0.2.1:0"', 1))
    check_that_it_goes_on(gateway, tmp_path, "ended with status 1")
    gateway.file.write_text(good)
    upgrade(stage, gateway)


def copy_program(request, folder):
    binary = folder / "drover"
    shutil.copy(find_program(request.config, "drover"), binary)
    return binary


def start(stage, binary, folder, backends, settings=None):
    room = folder / "room"
    room.mkdir()
    gateway = stage.add(Gateway(binary, room, backends, settings))
    gateway.wait_listening()
    gateway.wait_ready()
    return gateway


def put(binary, text):
    """Another file at the same path, as a package's upgrade does it."""
    fresh = binary.with_suffix(".new")
    fresh.write_text(text)
    fresh.chmod(0o755)
    fresh.rename(binary)


def test_it_is_the_program_that_stands_there_now(stage, request, tmp_path):
    binary = copy_program(request, tmp_path)
    gateway = start(stage, binary, tmp_path, [stage.fake()])
    real = binary.rename(tmp_path / "drover.real")
    put(binary, f'#!/bin/sh\necho "the new one" >&2\nexec {real} "$@"\n')
    upgrade(stage, gateway)
    gateway.wait_line("the new one")
    binary.unlink()


def test_programs_that_crash_or_are_gone_change_nothing(stage, request, tmp_path):
    binary = copy_program(request, tmp_path)
    settings = {"state": str(tmp_path / "state"), "cache": {"mode": "all"}}
    gateway = start(stage, binary, tmp_path, [stage.fake()], settings)
    put(binary, "#!/bin/sh\nkill -SEGV $$\n")
    check_that_it_goes_on(gateway, tmp_path, "ended by signal 11")
    binary.unlink()
    check_that_it_goes_on(gateway, tmp_path, "cannot be started")


def test_one_that_crashes_with_the_state_in_its_hands_gives_it_back(stage, request, tmp_path):
    binary = copy_program(request, tmp_path)
    state = tmp_path / "state"
    settings = {"state": str(state), "cache": {"mode": "all"}}
    gateway = start(stage, binary, tmp_path, [stage.fake()], settings)
    # It says that it is prepared, waits for the files, and falls.
    put(
        binary,
        "#!/usr/bin/env python3\n"
        "import os, socket\n"
        "link = socket.socket(fileno=int(os.environ['DROVER_HANDOVER']))\n"
        "while link.recv(4096) != b'sockets-end': pass\n"
        "link.send(b'prepared')\n"
        "while link.recv(4096) != b'state': pass\n"
        "os.abort()\n",
    )
    check_that_it_goes_on(gateway, tmp_path, "ended by signal 6")
    assert gateway.post("/api/generate", harness.run("again")).header("X-Drover-Cache") == "hit"
    gateway.stop()
    last = stage.gateway([stage.fake()], settings)
    assert last.post("/api/generate", harness.run("again")).header("X-Drover-Cache") == "hit"
    rows = wire.get(last.admin, "/admin/v1/usage?by=model&since=1h").json()["rows"]
    assert sum(row["requests"] for row in rows) == 3


def test_sigterm_ends_a_new_process_that_does_not_serve_yet(stage):
    node = stage.fake()
    gateway = stage.gateway([node])
    node.silent = True  # so that the new one has to wait for it
    gateway.signal(signal.SIGUSR2)
    gateway.wait_line("to take the place of this one")
    gateway.signal(signal.SIGUSR2)
    gateway.wait_line("is being started already")
    gateway.signal(signal.SIGTERM)
    assert gateway.wait_exit() == 0
    assert "serves from now on" not in gateway.log()


def test_another_address_of_the_new_configuration_is_used(stage):
    gateway = stage.gateway([stage.fake()], {"admin": "off"})
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = "127.0.0.1:%d" % probe.getsockname()[1]
    config = json.loads(gateway.file.read_text())
    config["listen"] = [address]
    gateway.file.write_text(json.dumps(config))
    upgrade(stage, gateway)
    url = gateway.url.split("//")[0] + f"//{address}"
    assert wire.get(url, "/healthz").status == 200
