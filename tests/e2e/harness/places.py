"""Places that a test makes for itself: network namespaces, small disks, a resolver of its own.

They need rights that not everybody has: `needs_root` skips where they are missing.
"""

import contextlib
import ctypes
import os
import pathlib
import shutil
import socket
import subprocess
import threading

import pytest

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def may_make_places():
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"drover-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "del", name], check=True)
    return made


@pytest.fixture(scope="session")
def needs_root():
    if not may_make_places():
        pytest.skip("network namespaces and mounts are not to be had here")


def run(*words):
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


class TwoHosts:
    """Two namespaces with a cable between them: 10.213.0.1 (near) and 10.213.0.2 (far)."""

    FAR = "10.213.0.2"

    def __init__(self):
        self.near = f"drover-near-{os.getpid()}"
        self.far = f"drover-far-{os.getpid()}"

    def __enter__(self):
        for name in (self.near, self.far):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", self.near, "link", "add", "near", "type", "veth", "peer", "far")
        run("ip", "-n", self.near, "link", "set", "far", "netns", self.far)
        for name, link, address in ((self.near, "near", "10.213.0.1"), (self.far, "far", self.FAR)):
            run("ip", "-n", name, "address", "add", f"{address}/24", "dev", link)
            run("ip", "-n", name, "link", "set", link, "up")
        return self

    def __exit__(self, *_):
        for name in (self.near, self.far):
            run("ip", "netns", "del", name)

    @contextlib.contextmanager
    def inside(self, name):
        """What this thread makes in there stays there: sockets, processes, threads."""
        with open("/proc/thread-self/ns/net") as before, open(f"/run/netns/{name}") as there:
            enter(there)
            try:
                yield
            finally:
                enter(before)

    def unplug(self):
        """What is sent is lost, and nobody is told."""
        run("ip", "-n", self.far, "link", "set", "far", "down")

    def plug(self):
        run("ip", "-n", self.far, "link", "set", "far", "up")


def enter(namespace):
    if LIBC.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def small_disk(folder, size):
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    try:
        yield folder
    finally:
        run("umount", "--lazy", folder)


class Resolver:
    """A name server on loopback with one name, which a test may forget or mute."""

    def __init__(self, name, address):
        self.name, self.address, self.asked = name, address, 0
        self.fails = False
        self.changed = threading.Condition()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                question, peer = self.socket.recvfrom(4096)
                self.socket.sendto(self.answer(question), peer)
                with self.changed:
                    self.asked += 1
                    self.changed.notify_all()

    def answer(self, question):
        end = question.index(b"\0", 12) + 5
        kind = int.from_bytes(question[end - 4 : end - 2], "big")
        if self.fails:
            return question[:2] + b"\x81\x82" + question[4:6] + bytes(6) + question[12:end]
        if kind != 1:  # A
            return question[:2] + b"\x81\x80" + question[4:6] + bytes(6) + question[12:end]
        record = b"\xc0\x0c\0\1\0\1" + (1).to_bytes(4, "big") + b"\0\4"
        record += socket.inet_aton(self.address)
        head = question[:2] + b"\x81\x80" + question[4:6] + b"\0\1" + bytes(4)
        return head + question[12:end] + record

    def wait_asked(self, more, limit_s):
        with self.changed:
            wanted = self.asked + more
            assert self.changed.wait_for(lambda: self.asked >= wanted, limit_s), "nobody asks"

    def write(self, folder):
        """Who was made to ask a resolver that is in this folder is to ask this one."""
        file = pathlib.Path(folder) / "resolv.conf"
        file.write_text(f"nameserver 127.0.0.1:{self.port}\noptions timeout:1 attempts:1\n")
        return file

    def wrap(self, folder):
        """Words before a command that make it ask here."""
        file = self.write(folder)
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", script, file]

    def close(self):
        self.socket.close()
