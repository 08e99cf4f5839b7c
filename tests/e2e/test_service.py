"""What systemd is told, and the sockets that it gives; here a test plays systemd."""

import re
import select
import signal
import socket
import sys
import time

import harness
import pytest
from harness import activate_path, wire
from harness.upgrade import upgrade

LIMIT_S = wire.LIMIT_S
ADMIN = [{"name": "root", "key": "sk-drover-0123456789abcdef0123456789abcdef", "admin": True}]


class Manager:
    """The socket that a service's messages go to."""

    def __init__(self, folder):
        self.path = str(folder / "notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(LIMIT_S)
        self.heard = []

    def wait(self, pattern):
        """The first message from now on that has the pattern."""
        while True:
            text = self.socket.recv(4096).decode()
            self.heard.append(text)
            found = re.search(pattern, text, re.MULTILINE)
            if found:
                return found

    def fill(self):
        """Until there is no room for more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            try:
                while True:
                    sender.sendto(b"FILLED=1", self.path)
            except BlockingIOError:
                pass

    def drain(self):
        """Those that are there."""
        while select.select([self.socket], [], [], 0)[0]:
            self.heard.append(self.socket.recv(4096).decode())
        return self.heard


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path)
    yield manager
    manager.socket.close()


def start(stage, manager, settings=None, env=None, **more):
    env = {"NOTIFY_SOCKET": manager.path, **(env or {})}
    return stage.gateway([stage.fake()], settings, env=env, **more)


def test_it_says_that_it_is_ready_when_it_can_be_called(stage, manager):
    gateway = start(stage, manager)
    manager.wait("^READY=1$")
    assert gateway.get("/healthz").status == 200
    manager.wait("^STATUS=serving: ")


def test_it_says_that_it_stops(stage, manager):
    gateway = start(stage, manager)
    manager.wait("^READY=1$")
    gateway.signal(signal.SIGTERM)
    manager.wait("^STOPPING=1$")
    manager.wait("^STATUS=draining: ")
    assert gateway.wait_exit() == 0


def test_one_that_cannot_start_is_never_ready(stage, manager):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        with pytest.raises(AssertionError):
            start(stage, manager, {"listen": [address]})
    gateway = stage.started[-1]
    assert gateway.wait_exit() == 1
    assert not any("READY" in text for text in manager.drain())


def test_the_watchdog_hears_that_the_loop_turns(stage, manager):
    start(stage, manager, env={"WATCHDOG_USEC": "100000"})
    for _ in range(3):
        manager.wait("^WATCHDOG=1$")


def test_a_loop_that_hangs_is_not_alive(stage, manager):
    gateway = start(stage, manager, env={"WATCHDOG_USEC": "100000"})
    manager.wait("^WATCHDOG=1$")
    gateway.signal(signal.SIGSTOP)
    with open(f"/proc/{gateway.pid}/stat", encoding="ascii") as stat:
        while stat.read().rsplit(")", 1)[1].split()[0] != "T":
            stat.seek(0)
    manager.drain()
    before = len(manager.heard)
    # Twice the watchdog's time of silence; what comes next came after the signal.
    assert not select.select([manager.socket], [], [], 0.2)[0]
    gateway.signal(signal.SIGCONT)
    manager.wait("^WATCHDOG=1$")
    assert len(manager.heard) > before


def test_a_manager_that_does_not_read_is_not_waited_for(stage, manager):
    gateway = start(stage, manager, env={"WATCHDOG_USEC": "2000"})
    manager.fill()
    harness.turn(gateway)
    successor = upgrade(stage, gateway)
    harness.turn(gateway)
    # What must not be lost comes when there is room, also when its sender is about to end.
    manager.wait("^RELOADING=1$")
    assert int(manager.wait("^MAINPID=([0-9]+)$").group(1)) == successor.pid
    assert gateway.wait_exit_code() == 0


def test_nobody_is_told_of_a_watchdog_that_is_anothers(stage, manager):
    env = {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
    gateway = start(stage, manager, env=env)
    manager.wait("^STATUS=serving: ")
    gateway.stop()
    assert not any("WATCHDOG" in text for text in manager.drain())


def test_a_reload_is_said_from_its_beginning_to_its_end(stage, manager):
    gateway = start(stage, manager)
    manager.wait("^READY=1$")
    gateway.signal(signal.SIGHUP)
    manager.wait("^RELOADING=1\nMONOTONIC_USEC=[0-9]+$")
    manager.wait("^READY=1$")


def test_an_upgrade_names_the_new_process(stage, manager):
    gateway = start(stage, manager, env={"WATCHDOG_USEC": "100000"})
    manager.wait("^READY=1$")
    successor = upgrade(stage, gateway)
    begun = manager.wait("^RELOADING=1\nMONOTONIC_USEC=([0-9]+)$")
    assert 0 < int(begun.group(1)) < time.monotonic_ns() / 1000
    assert int(manager.wait("^MAINPID=([0-9]+)$").group(1)) == successor.pid
    assert gateway.wait_exit_code() == 0
    manager.drain()
    manager.wait("^WATCHDOG=1$")  # of the new process: there is no other


def test_an_upgrade_that_fails_ends_as_ready(stage, manager):
    gateway = start(stage, manager)
    manager.wait("^READY=1$")
    gateway.file.write_text("queue: {siez: 1}\n")
    gateway.signal(signal.SIGUSR2)
    manager.wait("^RELOADING=1$")
    manager.wait("^READY=1$")
    assert not any("MAINPID" in text for text in manager.drain())


# Sockets


def activate(stage, sockets, settings=None):
    """Started with sockets: pairs of a name and an address."""
    words = [f"{name}={address}" for name, address in sockets]
    launcher = [sys.executable, activate_path(), *words, "--"]
    return stage.gateway([stage.fake()], settings, launcher=launcher)


def test_sockets_of_systemd_stand_instead_of_the_configured_addresses(stage, tmp_path):
    path = tmp_path / "given.sock"
    gateway = activate(
        stage,
        [("front", "127.0.0.1:0"), ("drover.socket", path), ("admin", "127.0.0.1:0")],
        {"listen": ["192.0.2.1:80"], "admin": "192.0.2.1:81", "keys": ADMIN},
    )
    assert gateway.urls[1] == f"unix:{path}" and len(gateway.urls) == 2
    for url in [*gateway.urls, gateway.admin]:
        assert wire.get(url, "/healthz").status == 200
    gateway.stop()
    assert path.exists()  # it is systemd's


def test_sockets_of_systemd_go_over_at_an_upgrade(stage, tmp_path):
    path = tmp_path / "given.sock"
    gateway = activate(stage, [("front", "127.0.0.1:0"), ("front", path)])
    mark = gateway.mark()
    successor = upgrade(stage, gateway)
    assert gateway.wait_exit_code() == 0
    assert gateway.wait_line(r"listening on (.+)", after=mark).group(1).split() == gateway.urls
    for url in gateway.urls:
        assert wire.get(url, "/healthz").status == 200
    successor.stop()
    assert path.exists()


def test_a_reload_leaves_the_sockets_of_systemd(stage):
    gateway = activate(stage, [("front", "127.0.0.1:0"), ("admin", "127.0.0.1:0")])
    gateway.signal(signal.SIGHUP)
    gateway.wait_line("nothing changed, by SIGHUP")
    for url in [gateway.url, gateway.admin]:
        assert wire.get(url, "/healthz").status == 200


def test_an_admin_socket_that_is_open_to_others_is_refused(stage):
    with pytest.raises(AssertionError):
        activate(stage, [("admin", "0.0.0.0:0")])
    gateway = stage.started[-1]
    assert gateway.wait_exit() == 1
    assert "no key has admin: true" in gateway.log()


def test_sockets_that_are_anothers_are_left_alone(stage):
    env = {"LISTEN_PID": "1", "LISTEN_FDS": "1"}
    gateway = stage.gateway([stage.fake()], env=env)
    assert gateway.get("/healthz").status == 200


def test_the_state_folder_of_systemd_is_used(stage, tmp_path):
    folder = tmp_path / "state"
    folder.mkdir()
    stage.gateway([stage.fake()], env={"STATE_DIRECTORY": str(folder)})
    assert (folder / "usage.db").exists()
